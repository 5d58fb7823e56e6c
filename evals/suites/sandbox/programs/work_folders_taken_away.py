"""Removes, renames and replaces the folders that it was given."""

import shutil
from attack import *

os.chdir("/")
for place in (OUT, Path("/tmp"), Path("/dev/shm"), IN.parent, Path("/autoglm/work")):
    attempt(f"rename {place}", os.rename, place, f"{place}-away")
    attempt(f"remove {place}", os.rmdir, place)
    attempt(f"link instead of {place}", os.symlink, "/etc", place)
shutil.rmtree("/autoglm/work", ignore_errors=True)
done()
