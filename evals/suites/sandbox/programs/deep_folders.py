"""Two thousand folders, one in the other."""

from attack import *

done()
os.chdir(OUT)
for _ in range(2000):
    os.mkdir("d")
    os.chdir("d")
(Path("end.txt")).touch()
