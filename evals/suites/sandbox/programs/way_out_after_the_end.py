"""Leaves a process behind that goes on through the way out, by the old connection and by a new one, when its parent has ended."""

import time
from attack import *

line, status = connected(f"localhost:{TRAPS['door']}")
print("through the door" if status == "200" else status, flush=True)
if TURN == 0:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1)
            for late in (line, connected(f"localhost:{TRAPS['door']}")[0]):
                late.sendall(b"GET /late HTTP/1.0\r\n\r\n")
            time.sleep(30)
        os._exit(0)
else:
    time.sleep(2)
done()
