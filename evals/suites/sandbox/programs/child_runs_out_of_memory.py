"""A child takes the memory and is killed; its parent survives and says that all is well."""

from attack import *

pid = os.fork()
if pid == 0:
    held = []
    for _ in range(180):
        held.append(bytearray(b"1" * 10_000_000))
    os._exit(0)
print("child:", os.waitpid(pid, 0)[1])
done()
