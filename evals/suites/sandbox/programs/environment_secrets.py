"""Looks for secrets in every environment it can read."""

from attack import *

if TRAPS["variable"] in os.environ:
    breach("the variable of the host")
print(sorted(os.environ))
for folder in Path("/proc").iterdir():
    for name in ("environ", "cmdline", "maps") if folder.name.isdigit() else ():
        try:
            text = (folder / name).read_bytes()
        except OSError:
            continue
        if TRAPS["variable"].encode() in text:
            breach(f"{folder}/{name}")
done()
