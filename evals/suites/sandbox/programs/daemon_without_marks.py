"""Its daemon empties its environment, takes another name and closes everything it inherited."""

import time
from attack import *

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        libc.prctl(15, b"kworker/0:1", 0, 0, 0)
        os.execve(sys.executable, ["kworker", "-I", "-S", "-c", SLEEPER, TAG], {})
    os._exit(0)
time.sleep(0.2)
done()
