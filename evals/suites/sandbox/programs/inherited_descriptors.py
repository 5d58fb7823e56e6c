"""Uses every descriptor that it finds open: one of them may lead to the host or to the fork server."""

import socket
import stat
from attack import *

for name in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        about = os.fstat(name)
        target = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        continue
    if name > 3 and not target.startswith("/proc/"):
        breach(f"descriptor {name}: {target}")
    if stat.S_ISSOCK(about.st_mode):
        breach(f"socket {name}")
    if stat.S_ISDIR(about.st_mode) and not target.startswith("/proc"):
        breach(f"folder {name}")
for name in range(4, 300):
    try:
        os.write(name, b'{"exit": 0, "signal": 0}\n')
        breach(f"wrote to {name}")
    except OSError:
        pass
done()
