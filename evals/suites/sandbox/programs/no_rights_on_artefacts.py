"""Artefacts and folders that nobody may read, write or enter."""

from attack import *

(OUT / "locked").mkdir()
(OUT / "locked" / "a.txt").touch()
(OUT / "secret.txt").write_text("x")
(OUT / "secret.txt").chmod(0)
(OUT / "locked").chmod(0)
done()
OUT.chmod(0o500)
