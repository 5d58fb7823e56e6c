"""The kernelspecs by which Jupyter offers sealed kernels: one for each provisioner."""

import json
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.supervision.folders import temporary

KERNELS: Mapping[str, str] = {
    "autoglm-bubblewrap": "Python 3 (sealed by bubblewrap)",
    "autoglm-docker": "Python 3 (sealed in Docker)",
}
"""Name, also of the provisioner, to what a person reads."""


def install(*, prefix: Path | None = None) -> list[str]:
    """Write the kernelspecs for this user, or below `prefix`; return the folders.

    Raises:
        SandboxUnavailable: They cannot be written.
    """
    manager = KernelSpecManager()
    written = []
    for name, title in KERNELS.items():
        with temporary("kernelspec") as folder:
            spec = folder / name
            spec.mkdir()
            (spec / "kernel.json").write_text(json.dumps(kernelspec(name, title), indent=1), encoding="utf-8")
            try:
                target = manager.install_kernel_spec(
                    str(spec), name, user=prefix is None, prefix=None if prefix is None else str(prefix)
                )
            except OSError as error:
                raise SandboxUnavailable(f"The kernel {name!r} could not be installed: {error}") from error
        written.append(str(target))
    return written


def kernelspec(name: str, title: str) -> dict[str, object]:
    """Return the content of `kernel.json`. Its command does not exist: without the provisioner, nothing runs unsealed."""
    return {
        "argv": ["autoglm-sealed-kernel", "{connection_file}"],
        "display_name": title,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"debugger": False, "kernel_provisioner": {"provisioner_name": name, "config": {}}},
    }
