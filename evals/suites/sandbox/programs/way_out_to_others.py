"""Asks the way out of its policy for hosts that are not on the list, and for those that only look like one that is."""

from attack import *

door = TRAPS["door"]
must_be_refused(
    "example.com:443",
    "www.example.org:443",
    "xexample.org:443",
    "example.org.example.com:443",
    "example.org:80",
    "org:443",
    "*:443",
    "*.org:443",
    f"*:{door}",
    f"localhost.example.com:{door}",
    f"localhost.localdomain:{door}",
    f"x.localhost:{door}",
    f"ip6-localhost:{door}",
    "localhost:443",
    f"example.org:{door}",
    f"host.docker.internal:{TRAPS['port']}",
)
door_is_open()
done()
