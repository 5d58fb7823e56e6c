"""Programs of the system."""

import subprocess
from attack import *

assert subprocess.run("echo a | tr a b", shell=True, capture_output=True, text=True).stdout == "b\n"
assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True).stdout == "1\n"
assert subprocess.run(["sort"], input="b\na\n", capture_output=True, text=True).stdout == "a\nb\n"
done()
