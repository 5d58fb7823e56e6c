"""What it owes is a link to a file of the host."""

from attack import *

(OUT / "out.csv").symlink_to(TRAPS["file"])
