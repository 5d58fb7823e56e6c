"""An archive whose members lie above the folder it is unpacked in: it is taken over as it is."""

import io
import tarfile
from attack import *

with tarfile.open(OUT / "model.tar", "w") as archive:
    for name in ("../../escaped.txt", "/tmp/escaped.txt", "x/../../escaped.txt"):
        info = tarfile.TarInfo(name)
        info.size = 4
        archive.addfile(info, io.BytesIO(b"evil"))
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, TRAPS["folder"]
    archive.addfile(link)
done()
