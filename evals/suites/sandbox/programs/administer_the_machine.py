"""Modules, restart, swap, the clock: with arguments that do no harm where they are let through."""

from attack import *

attempt("a module", call, 175, None, 0, b"")
attempt("restart", call, 169, 0, 0, 0, None)
attempt("swap", call, 167, b"/nowhere", 0)
attempt("the clock", call, 164, None, None) if os.getuid() else None
attempt("the name", call, 170, b"owned", 5)
attempt("ports", call, 172, 3)
for path in (
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/vm/drop_caches",
    "/proc/sys/kernel/modprobe",
    "/sys/kernel/uevent_helper",
    "/proc/sys/kernel/hostname",
    "/proc/sys/user/max_user_namespaces",
):
    attempt(path, lambda: open(path, "w").close())
done()
