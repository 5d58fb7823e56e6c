"""Artefacts that are links to files of the host."""

from attack import *

for name, target in (
    ("shadow.csv", "/etc/shadow"),
    ("folder", "/etc"),
    ("predictions.npy", TRAPS["file"]),
    ("self", "/proc/self/root"),
    ("loop", "loop"),
):
    (OUT / name).symlink_to(target)
done()
