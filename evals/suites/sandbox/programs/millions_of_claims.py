"""Claims half a million points of progress."""

from attack import *

for _ in range(500):
    os.write(3, b'{"progress": [1, 0.99, 3]}\n' * 1000)
done()
