"""The one request to a Jupyter kernel that does one job and ends with it."""

from dataclasses import dataclass

from open_autoglm.sandbox.kernels.messages import Messages
from open_autoglm.sandbox.kernels.wires import Wires
from open_autoglm.sandbox.kernels.zmtp import Connection, ProtocolBroken

REQUEST = "run()"
"""What it is asked to execute (see `runtime.kernel_app`)."""


@dataclass(slots=True)
class Errand:
    """The request waits in the socket until the kernel has started; the reply is counted, and believed by nobody."""

    line: Connection

    @classmethod
    def give(cls, wires: Wires) -> "Errand":
        """Connect and ask.

        Raises:
            OSError: Nobody listens.
        """
        errand = cls(wires.connect("shell"))
        errand.line.send(Messages(wires.key).execute(REQUEST)[1])
        return errand

    def go_on(self) -> bool:
        """Answer the kernel's greeting; return whether there is anybody left to listen to."""
        try:
            self.line.receive()
        except (OSError, ProtocolBroken):
            return False
        return True
