"""Leaves a little of everything behind each time: output, claims, artefacts, exceptions, processes."""

from attack import *

for number in range(20):
    (OUT / f"{number}.txt").write_text("x" * 1000)
print("y" * 20_000)
os.write(3, b'{"progress": [1, 2, 3]}\n' * 500)
daemon(SLEEPER)
done()
