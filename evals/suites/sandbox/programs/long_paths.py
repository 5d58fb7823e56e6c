"""Leaves thousands of artefacts with the longest names there are, in the deepest folders there may be: the report must stay small."""

from attack import *

folder = OUT
for level in range(7):
    folder = folder / (f"{level}" * 200)
    folder.mkdir()
for number in range(1900):
    (folder / f"{number:04d}{'n' * 190}").touch()
(OUT / "kept.txt").touch()
done()
