"""Looks for keys, histories and settings of users, and for the sockets of services."""

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
done()
