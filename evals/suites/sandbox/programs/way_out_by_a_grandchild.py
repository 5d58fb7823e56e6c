"""Goes through the way out in a process whose parent has ended: what it reaches stands in the report as anybody's does."""

import time
from attack import *

one, other = os.pipe()
line, status = connected(f"localhost:{TRAPS['door']}")
if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            time.sleep(0.01)
        os.write(other, b"through the door\n" if status == "200" and door_answers(line) else b"not there\n")
        fresh = connected("example.com:443")[1]
        os.write(other, f"and refused {fresh}\n".encode())
    os._exit(0)
os.close(other)
with os.fdopen(one) as told:
    print(told.read(), flush=True)
done()
