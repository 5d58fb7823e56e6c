"""Five hundred artefacts in folders, with names of all kinds of people."""

from attack import *

for folder in ("模型", "données", "αβγ", "plain folder"):
    (OUT / folder).mkdir()
    for number in range(125):
        (OUT / folder / f"файл {number} (copy).txt").write_text("x")
done()
