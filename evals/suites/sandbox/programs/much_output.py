"""Five megabytes of output, in lines."""

from attack import *

for number in range(50_000):
    print("epoch", number, "loss", 1 / (number + 1), "x" * 60)
done()
