"""The sockets of one Jupyter kernel in a sandbox.

They lie in a folder of the host's own that nothing inside can see, and are listened at before the kernel exists; the kernel is handed
the descriptors. So no path is shared, no network is needed, messages wait for a kernel that is still starting, and untrusted code cannot put
something else in their place that the host would connect to.
"""

import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from open_autoglm.sandbox.kernels.zmtp import Connection
from open_autoglm.sandbox.supervision.folders import make_folder, remove, sweep

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
"""In the order of their numbers, the first being 1, as in a connection file."""
Channel = Literal["shell", "iopub", "stdin", "control", "hb"]
LONGEST_ADDRESS = 100
"""Characters of a path to a socket, without the number that clients add: the kernel takes 107."""
_WAITING = 64


@dataclass(slots=True)
class Wires:
    """Folder, key and listening sockets."""

    folder: Path
    key: str = field(default_factory=lambda: secrets.token_hex(32))
    """Signs the messages; known inside, so that it proves nothing about who wrote one."""
    once: bool = False
    """Whether the kernel gets one request and ends with it."""
    _listening: list[socket.socket] = field(default_factory=list)

    @classmethod
    def make(cls, *, once: bool = False, key: str | None = None) -> "Wires":
        """Make a folder and listen there; those of hosts that were killed go.

        Raises:
            OSError: This machine's folder for temporary files cannot be used.
        """
        sweep()
        wires = cls(folder=make_folder("kernel"), once=once)
        wires.key = wires.key if key is None else key
        wires.listen()
        return wires

    @property
    def ip(self) -> str:
        """What stands for an address in the connection file of a kernel with Unix sockets: the beginning of their paths."""
        return str(self.folder / "k")

    def listen(self) -> None:
        """Listen anew, for another kernel under the same names."""
        self.hand_over()
        here = os.open(self.folder, os.O_PATH)
        try:
            for number, _ in enumerate(CHANNELS, start=1):
                (self.folder / f"k-{number}").unlink(missing_ok=True)
                self._listening.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                # The path itself may be too long for a socket's name.
                self._listening[-1].bind(f"/proc/self/fd/{here}/k-{number}")
                self._listening[-1].listen(_WAITING)
        finally:
            os.close(here)

    @property
    def descriptors(self) -> list[int]:
        """Those that the kernel gets, in the order of the channels."""
        return [line.fileno() for line in self._listening]

    def hand_over(self) -> None:
        """Close them here, once the kernel has them: when it ends, nobody listens any more."""
        while self._listening:
            self._listening.pop().close()

    def connect(self, channel: Channel) -> Connection:
        """Connect to the kernel.

        Raises:
            OSError: Nobody listens: it ended.
        """
        here = os.open(self.folder, os.O_PATH)
        try:
            path = f"/proc/self/fd/{here}/k-{CHANNELS.index(channel) + 1}"
            return Connection.to(path, "SUB" if channel == "iopub" else "DEALER")
        finally:
            os.close(here)

    def close(self) -> None:
        """Leave nothing that can be connected to. Idempotent."""
        self.hand_over()
        remove(self.folder)
