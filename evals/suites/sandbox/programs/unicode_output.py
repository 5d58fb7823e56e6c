"""Text of many languages arrives as it was."""

from attack import *

print("训练完成 ✓ émoji 🎉")
done()
