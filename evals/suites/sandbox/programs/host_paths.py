"""Reads what the kernel says of mounts, processes and locks for names that belong to the host: its user, its folders, its processes."""

from attack import *

words = [TRAPS["folder"], TRAPS["file"], f"autoglm-session-{TRAPS['host_pid']}-"]
if TOLD["tier"].endswith("/namespaces"):  # where bubblewrap is used once, the name of its control group can be read
    words.append(f"open-autoglm/{TRAPS['host_pid']}-")
if not TRAPS["package"].startswith((sys.prefix, sys.base_prefix)):
    words.append(TRAPS["package"])  # where the program that runs the sandboxes is installed
told = {}
for folder in (
    Path("/proc/self"),
    Path("/proc/1"),
    Path("/proc"),
    Path("/proc/sys/kernel"),
    Path("/etc"),
    Path("/proc/net"),
):
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            if path.is_file() and path.name not in (
                "kmsg",
                "kcore",
                "pagemap",
                "mem",
                "clear_refs",
                "kpagecount",
                "kpageflags",
            ):
                told[str(path)] = path.open("rb").read(1 << 20).decode("utf-8", "replace")
        except OSError:
            continue
for path, text in told.items():
    for word in words:
        if word in text:
            breach(f"{path} tells of {word}")
print(len(told), "files read")
done()
