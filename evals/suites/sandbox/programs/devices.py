"""Makes devices, looks for dangerous ones, and types into the terminal of whoever watches."""

import fcntl
import stat
from attack import *

for name, number in (("mem", (1, 1)), ("kvm", (10, 232)), ("sda", (8, 0))):
    attempt(f"make {name}", os.mknod, f"/tmp/{name}", 0o666 | stat.S_IFCHR, os.makedev(*number))
for name in (
    "mem",
    "kmem",
    "port",
    "kvm",
    "fuse",
    "net/tun",
    "vhost-vsock",
    "vsock",
    "sda",
    "vda",
    "loop-control",
    "kmsg",
    "uinput",
    "userfaultfd",
    "nvidiactl",
    "dri",
):
    if os.path.exists(f"/dev/{name}"):
        breach(f"/dev/{name}")
attempt("the terminal", lambda: os.open("/dev/tty", os.O_RDWR))
_, end = os.openpty()
attempt("type", fcntl.ioctl, end, 0x5412, b"x")
done()
