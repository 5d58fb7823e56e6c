"""Children that end and are never waited for."""

from attack import *

for _ in range(2000):
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError:
        break
done()
