"""Kills every number that a process may have, one after the other, but itself."""

from attack import *

print("fine", flush=True)
for pid in (*range(2, 5000), TRAPS["victim"]):
    if pid != os.getpid():
        try:
            os.kill(pid, 9)
        except OSError:
            pass
done()
