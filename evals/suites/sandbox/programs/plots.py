"""A plot into a file, without a screen, with the fonts that there are."""

import matplotlib
import matplotlib.pyplot as plt
from attack import *

plt.plot([1, 2, 3])
plt.title("roc")
plt.savefig(OUT / "plot.png")
assert (OUT / "plot.png").stat().st_size > 1000
done()
