"""Writes the labels of one fold wherever it can, and looks for them in the next."""

import mmap
import pickle
from attack import *

KEPT = "kept-labels"
places = [
    "/tmp",
    TMP,
    "/dev/shm",
    str(OUT),
    os.getcwd(),
    "/autoglm",
    "/mnt",
    "/var/tmp",
    "/run",
    str(IN),
    str(Path(__file__).parent),
    "/dev",
    "/dev/pts",
    "/proc/sys/kernel",
]
for place in dict.fromkeys(map(str, places)):
    path = os.path.join(place, KEPT)
    if os.path.exists(path):
        breach(f"labels of the fold before in {path}")
    try:
        with open(path, "wb") as file:
            pickle.dump(list(range(100)), file)
    except OSError:
        pass
for module in list(sys.modules.values()):
    if "kept_labels" in getattr(module, "__dict__", {}):
        breach(f"labels kept in {module.__name__}")
for module in list(sys.modules.values()):
    try:
        module.kept_labels = [1]
    except (AttributeError, TypeError):
        pass
(OUT / KEPT).unlink(missing_ok=True)
try:
    Path("/proc/self/comm").write_text("kept")
except OSError as error:
    print("refused", error)
done()
