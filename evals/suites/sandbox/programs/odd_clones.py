"""Makes processes in every odd way: children of its parent, such that share its memory or descriptors, such that hold it up, threads without a library."""

import signal
from attack import *

PARENT, VM, FILES, VFORK, UNTRACED, FS, SIGHAND = 0x8000, 0x100, 0x400, 0x4000, 0x800000, 0x200, 0x800
clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
for flags in (
    PARENT,
    PARENT | signal.SIGCHLD,
    FILES | FS | signal.SIGCHLD,
    UNTRACED | signal.SIGCHLD,
    0,
    signal.SIGKILL,
    60,
):
    for _ in range(3):
        try:
            pid = call(clone, flags, 0, 0, 0, 0)
        except OSError as error:
            print("refused", hex(flags), error)
            continue
        if pid == 0:
            os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", SLEEPER, TAG])
for flags in (0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x02000000, 0x08000000):
    try:
        if call(clone, flags | signal.SIGCHLD, 0, 0, 0, 0) == 0:
            os._exit(0)
        breach(f"clone {flags:#x}")
    except OSError:
        pass
done()
