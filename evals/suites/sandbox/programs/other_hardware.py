"""Looks for accelerators and other devices of the host."""

import glob
from attack import *

found = [
    path
    for pattern in (
        "/dev/nvidia*",
        "/dev/dri*",
        "/dev/kfd",
        "/dev/accel*",
        "/dev/infiniband*",
        "/dev/disk*",
        "/dev/input*",
        "/dev/snd*",
        "/dev/video*",
        "/dev/usb*",
        "/dev/mapper*",
        "/dev/hw*",
    )
    for path in glob.glob(pattern)
]
if found:
    breach(found)
done()
