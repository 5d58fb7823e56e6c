"""A process keeps swapping an artefact for a link to a file of the host."""

import time
from attack import *

(OUT / "swapped.txt").write_text("plain")
daemon(
    "import os, sys\nwhile True:\n    os.path.lexists(sys.argv[2] + '.n') and os.unlink(sys.argv[2] + '.n')\n    os.symlink(sys.argv[3], sys.argv[2] + '.n'); os.rename(sys.argv[2] + '.n', sys.argv[2])\n    open(sys.argv[2] + '.n', 'w').close(); os.rename(sys.argv[2] + '.n', sys.argv[2])",
    OUT / "swapped.txt",
    TRAPS["file"],
)
time.sleep(0.2)
done()
