"""Kernel provisioners: any Jupyter starts its kernels in a sandbox by them, `autoglm-bubblewrap` or `autoglm-docker`.

A kernelspec names one in `metadata.kernel_provisioner` (`kernelspecs` writes such specs). The kernel is one execution of a session: no
network, no files but those it was given, its limits kept from outside, the whole tree dead when it ends. Clients reach it by Unix
sockets in a folder of the user's own. What they read from it is as trustworthy as the code that runs in it: ZeroMQ, by which they read,
holds messages of any size.
"""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Dict, Int, Unicode

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.base import KernelSession, Profile, Sandbox
from open_autoglm.sandbox.kernels.kernel import MEMORY_BYTES, KernelRun, kernel_limits
from open_autoglm.sandbox.kernels.wires import CHANNELS, LONGEST_ADDRESS, Wires
from open_autoglm.sandbox.supervision.session import SupervisedSession

FAILED = 1


class SealedProvisioner(KernelProvisionerBase):
    """Starts the kernel of one kernel manager, again after each restart."""

    cpus = Int(2, min=1, config=True, help="Processors that the kernel gets.")
    memory_bytes = Int(MEMORY_BYTES, min=1 << 20, config=True, help="Memory of all its processes.")
    data = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        config=True,
        help="Name in the kernel's working directory to a file or folder of this machine, read-only there.",
    )
    make_sandbox: Callable[[], Sandbox]

    _session: KernelSession | None = None
    _wires: Wires | None = None
    _run: KernelRun | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel, alive or not yet waited for."""
        return self._run is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Lay the wires, and write where they are into the manager's connection file."""
        manager: Any = self.parent
        if self._wires is None:
            self._wires = Wires.make(key=manager.session.key.decode())
        else:
            self._wires.listen()
        if len(self._wires.ip) > LONGEST_ADDRESS:
            await self.cleanup()
            raise SandboxError("The folder for temporary files has too long a path for sockets: set TMPDIR to another.")
        manager.transport, manager.ip = "ipc", self._wires.ip
        for number, channel in enumerate(CHANNELS, start=1):
            setattr(manager, f"{channel}_port", number)
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start it, and return before it has started: what is asked of it waits in its sockets."""
        self._run = await asyncio.to_thread(self._start, Path(kwargs.get("cwd") or Path.cwd()))
        return self.connection_info

    def _start(self, here: Path) -> KernelRun:
        if self._session is None:
            self._session = self.make_sandbox().open(cpus=self.cpus, profile=Profile.KERNEL)
        assert isinstance(self._session, SupervisedSession), "as of the backends that there are provisioners for"
        assert self._wires is not None, "pre_launch comes first"
        return KernelRun(
            self._session,
            self._wires,
            inputs={name: here / path for name, path in self.data.items()},
            limits=replace(kernel_limits(), cpus=self.cpus, memory_bytes=self.memory_bytes),
            collect=self._wires.folder / "left",
        )

    async def poll(self) -> int | None:
        """Return None while it runs, else its exit status."""
        return None if self._run is not None and not self._run.is_over() else self._status()

    def _status(self) -> int:
        if self._run is None:
            return 0
        try:
            report = self._run.report()
        except SandboxError as error:
            self.log.warning("The sandbox of the kernel failed: %s", error)
            return FAILED
        return report.exit_code or (-report.signal if report.signal else FAILED if report.detail else 0)

    async def wait(self) -> int | None:
        """Wait until nothing of it is alive."""
        if self._run is not None:
            await asyncio.to_thread(self._run.wait, None)
        status = self._status()
        self._run = None
        return status

    async def send_signal(self, signum: int) -> None:
        """Interrupt it, or kill it: no other signal reaches it."""
        if signum == signal.SIGINT and isinstance(self._session, SupervisedSession):
            self._session.interrupt()
        elif signum in (signal.SIGKILL, signal.SIGTERM):
            await self.kill()

    async def kill(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the base class
        """Kill the whole tree."""
        if self._run is not None:
            await asyncio.to_thread(self._run.end)

    async def terminate(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the base class
        """Kill the whole tree: it was asked to end before."""
        await self.kill()

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the base class
        """Leave nothing, or what the next kernel of the same manager needs."""
        await self.kill()
        if restart:
            return
        if self._session is not None:
            await asyncio.to_thread(self._session.close)
            self._session = None
        if self._wires is not None:
            self._wires.close()
            self._wires = None


class BubblewrapProvisioner(SealedProvisioner):
    """`autoglm-bubblewrap`."""

    make_sandbox = BubblewrapSandbox


class DockerProvisioner(SealedProvisioner):
    """`autoglm-docker`."""

    make_sandbox = DockerSandbox
