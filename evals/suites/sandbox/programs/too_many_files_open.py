"""Opens files until it may not."""

import os

kept = []
for _ in range(2000):
    kept.append(os.open("/dev/null", os.O_RDONLY))
