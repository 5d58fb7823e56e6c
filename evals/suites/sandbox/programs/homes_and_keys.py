"""Looks for keys, histories and settings of users and for the sockets of services, adds a key of its own, and calls the engine."""

import socket
from attack import *

for home in ("/root", "/home", os.path.expanduser("~root"), TRAPS["folder"]):
    try:
        for name in os.listdir(home):
            if not sys.base_prefix.startswith(f"{home}/{name}/"):  # Python itself may live there
                breach(f"{home}/{name}")
    except OSError:
        pass
for path in (
    "/etc/shadow",
    "/etc/sudoers",
    "/etc/ssh",
    "/etc/machine-id",
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd",
    "/run/systemd",
    "/run/dbus/system_bus_socket",
    "/var/lib",
    "/boot",
    "/srv",
    "/opt/secrets",
    "/sys/firmware",
    "/root/.aws/credentials",
    "/etc/kubernetes",
):
    if os.path.exists(path):
        breach(path)
for path in ("/root/.ssh/authorized_keys", "/etc/cron.d/planted", "/etc/ld.so.preload"):
    attempt(path, open, path, "a")
for path in ("/var/run/docker.sock", "/run/containerd/containerd.sock"):
    attempt(path, lambda path=path: socket.socket(socket.AF_UNIX).connect(path))
done()
