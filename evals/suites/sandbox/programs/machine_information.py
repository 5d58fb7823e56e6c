"""Looks for what the machine's own data tell of its owner: mounts, names, serial numbers, other processes."""

import platform
from attack import *

if platform.node() not in ("sandbox", "localhost"):
    breach(f"the host's name {platform.node()}")
for path in (
    "/sys/class/dmi/id/product_serial",
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    "/sys/class/net",
    "/sys/block",
    "/proc/sys/fs/binfmt_misc/register",
):
    if os.path.exists(path):
        breach(path)
named = Path("/etc/hostname")
if named.exists() and named.read_text().strip() not in ("sandbox", "localhost"):
    breach("the host's name in a file")
mounts = Path("/proc/self/mountinfo").read_text()
for word in ("docker.sock", "autoglm-traps"):
    if word in mounts:
        breach(f"the mounts tell of {word}")
print(sum(name.isdigit() for name in os.listdir("/proc")), "processes")
if sum(name.isdigit() for name in os.listdir("/proc")) > 5:
    breach("processes of others")
done()
