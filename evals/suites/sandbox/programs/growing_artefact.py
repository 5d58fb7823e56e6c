"""A process keeps writing into an artefact while it is collected."""

import time
from attack import *

(OUT / "grows.txt").touch()
daemon("import sys\nwhile True:\n    with open(sys.argv[2], 'a') as file: file.write('x' * 1000)", OUT / "grows.txt")
time.sleep(0.2)
done()
