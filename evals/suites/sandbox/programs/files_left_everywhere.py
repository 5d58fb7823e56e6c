"""Plants a file with its name wherever a file can be made, for whoever comes next, inside or on the host."""

from attack import *

for folder in (
    "/",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev/mqueue",
    "/run",
    "/var/run",
    "/home",
    "/root",
    "/autoglm",
    "/autoglm/job",
    "/autoglm/work",
    "/autoglm/out",
    "/etc",
    "/opt",
    "/usr/lib",
    sys.prefix,
    os.path.dirname(os.__file__),
    TRAPS["folder"],
    os.path.dirname(TRAPS["folder"]),
):
    if TURN and os.path.isdir(folder) and os.access(folder, os.R_OK):
        try:
            names = os.listdir(folder)
        except OSError:
            names = []
        for name in names:
            if name.startswith("planted-") and TAG not in name:
                breach(f"{folder}/{name}")
    try:
        with open(f"{folder}/planted-{TAG}", "w") as file:
            file.write(TAG)
        print("planted in", folder)
    except OSError as error:
        print("refused", folder, error)
done()
