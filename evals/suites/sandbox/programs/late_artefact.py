"""A process writes an artefact half a second after the end."""

from attack import *

daemon("import pathlib, sys, time; time.sleep(0.5); pathlib.Path(sys.argv[2]).write_text('late')", OUT / "late.txt")
done()
