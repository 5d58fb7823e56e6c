"""Looks in its own memory, which it shares with the fork server by birth, for what only the host may know."""

import gc
from attack import *

needle = TRAPS["variable"]
for found in gc.get_objects():
    if (
        isinstance(found, dict)
        and any(isinstance(key, str) and key == needle for key in list(found)[:1000])
        and found is not TRAPS
    ):
        breach("a dictionary with the host's variable")
secret = b"autoglm-trap-" + b"secret-"
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        span, rights = line.split()[:2]
        first, last = (int(part, 16) for part in span.split("-"))
        if "r" not in rights or "w" not in rights or last - first > 64 << 20:
            continue
        try:
            memory.seek(first)
            start = memory.read(last - first)
        except (OSError, ValueError, OverflowError):
            continue
        at = start.find(secret)
        if at >= 0 and start[at + len(secret) : at + len(secret) + 32].isalnum():
            breach("the secret in this process's own memory")
done()
