"""Two artefacts that are one file."""

from attack import *

(OUT / "a.txt").write_text("x")
os.link(OUT / "a.txt", OUT / "b.txt")
done()
