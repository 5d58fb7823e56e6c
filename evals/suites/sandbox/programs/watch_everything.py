"""Asks to see what others do: file events of the whole system, the log of the kernel, the performance of others."""

from attack import *

attempt("file events", call, 300, 0, 0)
attempt("file events by user", lambda: call(301, call(300, 0x200, 0), 0x11, 2, 0, -100, b"/"))
attempt("the log of the kernel", call, 103, 3, ctypes.create_string_buffer(100), 100)
attempt("poisoned memory", call, 28, id(libc) & ~4095, 4096, 100)
for path in (
    "/proc/kmsg",
    "/proc/kcore",
    "/proc/1/mem" if os.getpid() != 1 else "/proc/kallsyms-none",
    "/sys/kernel/debug",
    "/sys/kernel/tracing",
    "/proc/keys-none",
    "/proc/sched_debug",
    "/proc/timer_list",
):
    try:
        with open(path, "rb") as file:
            if file.read(10):
                breach(path)
    except OSError:
        pass
done()
