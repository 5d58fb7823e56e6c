"""Runs inside, with NUMBER, BEGIN and SECONDS defined above: counts from one moment to another, and looks for marks of its neighbours.

Each leaves its number in /tmp, in /dev/shm and on an abstract socket, and at the end tells whose numbers it finds there.
"""

import json
import socket
import time
from pathlib import Path

PLACES = (Path("/tmp"), Path("/dev/shm"), Path.cwd())
for place in PLACES:
    (place / f"mark-{NUMBER}").touch()  # noqa: F821 - see above
here = socket.socket(socket.AF_UNIX)
here.bind(f"\0mark-{NUMBER}")  # noqa: F821
while time.time() < BEGIN:  # noqa: F821
    time.sleep(0.001)
count = 0
while time.time() < BEGIN + SECONDS:  # noqa: F821
    count += 1
    sum(range(2000))
seen = {int(path.name.removeprefix("mark-")) for place in PLACES for path in place.glob("mark-*")}
seen |= {
    int(line.rpartition("@mark-")[2]) for line in Path("/proc/net/unix").read_text().splitlines() if "@mark-" in line
}
print(json.dumps({"number": NUMBER, "count": count, "seen": sorted(seen)}))  # noqa: F821
