"""Opens pseudo-terminals until there are none; the next execution must have some again."""

from attack import *

kept = []
if TURN:
    kept.append(os.openpty())
try:
    for _ in range(5000):
        kept.append(os.openpty())
except OSError as error:
    print("refused", error)
for number in kept[-1]:
    os.close(number)
done()
