"""Opens the pipe of the claims again for reading, and enlarges it to fill the host's memory."""

import fcntl
from attack import *

try:
    with open("/proc/self/fd/3", "rb", buffering=0) as other:
        os.set_blocking(other.fileno(), False)
        print("read back", other.read(100))
except OSError as error:
    print("refused", error)
try:
    print("size", fcntl.fcntl(3, 1031, 1 << 20))
except OSError as error:
    print("refused", error)
done()
