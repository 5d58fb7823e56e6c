"""Empty files without end: they take no space, but memory of the kernel."""

from attack import *

print("many", flush=True)
try:
    for number in range(400_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
    breach("400,000 files")
except OSError as error:
    print("refused", error)
done()
