"""What it owes is a pipe that nobody writes to."""

from attack import *

os.mkfifo(OUT / "out.csv")
