"""What must hold before any command can begin: a system that will do, and a working directory."""

from pathlib import Path

from open_autoglm.errors import InputError, SandboxUnavailable
from open_autoglm.sandbox.backends.elsewhere import elsewhere


def require_ground(platform: str) -> None:
    """Look at both; `platform` is named as by `sys.platform`.

    Raises:
        SandboxUnavailable: Nothing of this program works on such a system; the message says where it does.
        InputError: The working directory is gone.
    """
    if platform == "win32":
        raise SandboxUnavailable(str(elsewhere("process", platform)))
    try:
        Path.cwd()
    except OSError:
        raise InputError("The working directory is gone or may not be read. Go to another one: cd ~") from None
