"""Raises its limits and its share of the machine."""

import resource
import signal
from attack import *

for name in ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE"):
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    attempt(name, resource.setrlimit, kind, (hard + 1, hard + 1))
attempt("nice", os.nice, -5)
attempt("real time", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(10))
attempt("never killed", lambda: Path("/proc/self/oom_score_adj").write_text("-1000"))
attempt("clock", lambda: __import__("time").clock_settime(0, 0))
for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"):
    for name in (
        "cgroup.procs",
        "memory.limit_in_bytes",
        "memory.max",
        "pids.max",
        "release_agent",
        "notify_on_release",
    ):
        attempt(f"{folder}/{name}", lambda: open(f"{folder}/{name}", "w").close())
done()
