"""Changes libraries and start-up files on disk, so that the next execution runs what this one wrote."""

import site
import numpy
from attack import *

MARK = "planted"
if TURN and (MARK in os.environ or MARK in sys.modules or hasattr(numpy, MARK)):
    breach("what the execution before planted")
places = [Path(numpy.__file__), Path(json.__file__), *(Path(p) / "planted.pth" for p in site.getsitepackages())]
places += [Path(p) / "sitecustomize.py" for p in sys.path if p] + [
    Path.home() / ".pythonrc.py",
    Path("/etc/ld.so.preload"),
]
for path in places:
    if not str(path).startswith(("/autoglm/work", "/tmp", os.getcwd())):
        attempt(f"write {path}", lambda: path.open("a").close())
numpy.planted = sys.modules["planted"] = os.environ["planted"] = "1"
done()
