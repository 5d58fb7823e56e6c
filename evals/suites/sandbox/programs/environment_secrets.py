"""Looks for secrets in every environment it can read."""

from attack import *

if TRAPS["variable"] in os.environ:
    breach("the variable of the host")
print(sorted(os.environ))
for number in numbers_of_processes():
    folder = Path("/proc", number)
    for name in ("environ", "cmdline", "maps"):
        try:
            text = (folder / name).read_bytes()
        except OSError:
            continue
        if TRAPS["variable"].encode() in text:
            breach(f"{folder}/{name}")
done()
