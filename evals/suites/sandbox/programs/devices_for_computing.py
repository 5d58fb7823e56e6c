"""Takes an accelerator by the drivers' own libraries and device files, without torch."""

import glob
from attack import *

for name in (
    "libcuda.so.1",
    "libcuda.so",
    "libnvidia-ml.so.1",
    "libamdhip64.so",
    "libze_loader.so.1",
    "libOpenCL.so.1",
):
    try:
        library = ctypes.CDLL(name)
    except OSError:
        continue
    count = ctypes.c_int(0)
    for start, number in (("cuInit", "cuDeviceGetCount"), ("nvmlInit_v2", "nvmlDeviceGetCount_v2")):
        if (
            hasattr(library, start)
            and getattr(library, start)(0) == 0
            and getattr(library, number)(ctypes.byref(count)) == 0
            and count.value
        ):
            breach(f"{count.value} devices by {name}")
for path in glob.glob("/dev/nvidia*") + glob.glob("/dev/dri/*") + ["/dev/kfd", "/dev/nvidiactl", "/dev/nvidia-uvm"]:
    try:
        os.close(os.open(path, os.O_RDWR))
        breach(path)
    except OSError:
        pass
for major, minor in ((195, 0), (195, 255), (226, 128)):
    try:
        os.mknod(f"/tmp/device-{major}-{minor}", 0o600 | 0o020000, os.makedev(major, minor))
        breach(f"made device {major}:{minor}")
    except OSError as error:
        print("refused", major, minor, error)
done()
