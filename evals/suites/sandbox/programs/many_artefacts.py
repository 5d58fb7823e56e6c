"""Thirty thousand artefacts."""

from attack import *

for number in range(30_000):
    (OUT / f"{number}.txt").touch()
done()
