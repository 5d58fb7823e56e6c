"""One container of the Docker engine with a fork server in it: how it is started, watched from outside and killed.

Starting takes longer than starting a process, so a thread does it. Commands to the fork server do not go through the engine: the
host listens on a socket in a folder that the container sees, and hands the control socket over there.
"""

import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, DockerException

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.launch import Contained
from open_autoglm.sandbox.supervision.cgroup import PERIOD_MICROSECONDS, ROOT, Cgroup
from open_autoglm.sandbox.supervision.folders import remove

ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.25
SOCKET = "s"
KILLED = 137
FAILURES = (OSError, DockerException, requests.RequestException)


class Container(Contained):
    """A started container, or one that a thread is starting."""

    def __init__(self, api: APIClient, config: Mapping[str, Any], line: "Line", control: int, log: int) -> None:
        self._api, self._config, self._line = api, config, line
        self._control, self._log = os.dup(control), os.dup(log)
        self._unwanted = threading.Event()
        self._id: str | None = None
        self._handle: int | None = None
        self._pid = -1
        self._code: int | None = None
        self._thread = threading.Thread(target=self._start, name="sandbox-container", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        try:
            self._id = self._api.create_container_from_config(dict(self._config))["Id"]
            self._api.start(self._id)
            with self._line.answer(self._goes_on) as call:
                self._pid = _peer(call)
                self._handle = os.pidfd_open(self._pid)
                socket.send_fds(call, [b"\n"], [self._control, self._log])
        except FAILURES as error:
            os.write(self._log, f"The container could not be started: {error}\n".encode("utf-8", "replace"))
            self._give_up()
        finally:
            self._line.close()
            os.close(self._control)
            os.close(self._log)

    def _give_up(self) -> None:
        self._code = 1
        if self._id is not None:
            with suppress(*FAILURES):  # it removed itself
                self._api.remove_container(self._id, force=True)

    def _goes_on(self) -> bool:
        """Whether the container may still call: it runs, and somebody wants it."""
        return not self._unwanted.is_set() and bool(self._api.inspect_container(self._id)["State"]["Running"])

    @property
    def pid(self) -> int:
        """Its first process, as this machine numbers it; -1 before it has called."""
        return self._pid

    def poll(self) -> int | None:
        """Return None while it starts or runs."""
        if self._code is None and not self._thread.is_alive():
            with suppress(subprocess.TimeoutExpired):
                self.wait(0)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it is dead.

        Raises:
            subprocess.TimeoutExpired: It is not.
        """
        end = None if timeout is None else time.monotonic() + timeout
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise subprocess.TimeoutExpired("container", timeout or 0)
        if self._code is None and self._handle is not None:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._handle], [], [], left)[0]:
                raise subprocess.TimeoutExpired("container", timeout or 0)
            os.close(self._handle)
            self._handle, self._code = None, KILLED
        return self._code or 0

    def kill(self) -> None:
        """Kill everything in it; one that is not up yet does not come up."""
        self._unwanted.set()
        self._thread.join()
        if self._code is not None or self._handle is None:
            return
        try:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError:
            with suppress(APIError):  # it ended meanwhile
                self._api.kill(self._id)

    def group(self) -> Cgroup:
        """Return the control group that the engine made for it.

        Raises:
            SandboxUnavailable: It cannot be read here.
        """
        found = ContainerGroup.of(self._pid, self._api, self._id or "")
        if found is None:
            raise SandboxUnavailable(
                "The control group of the container cannot be read here, and its limits not be kept."
            )
        return found


class Line:
    """A folder with a socket on which the host listens until the container has called, once."""

    def __init__(self, base: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="line-", dir=base))
        self.folder.chmod(0o755)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        here = os.open(self.folder, os.O_PATH)
        self._listener.bind(f"/proc/self/fd/{here}/{SOCKET}")  # the path itself may be too long for a socket's name
        os.close(here)
        (self.folder / SOCKET).chmod(0o666)
        self._listener.listen(1)

    def answer(self, goes_on: Callable[[], bool]) -> socket.socket:
        """Wait for the call.

        Raises:
            OSError: It does not come.
        """
        end = time.monotonic() + ANSWER_SECONDS
        self._listener.settimeout(LOOK_SECONDS)
        while time.monotonic() < end:
            try:
                return self._listener.accept()[0]
            except TimeoutError:
                if not goes_on():
                    raise OSError("it ended before its fork server was up") from None
        raise OSError(f"its fork server did not call within {ANSWER_SECONDS:.0f} seconds")

    def close(self) -> None:
        """Leave nothing that can be called."""
        self._listener.close()
        remove(self.folder)


def _peer(call: socket.socket) -> int:
    return int(struct.unpack("3i", call.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])


@dataclass(slots=True)
class ContainerGroup(Cgroup):
    """The group that the engine made."""

    api: Any = None
    container: str = ""

    @classmethod
    def of(cls, pid: int, api: APIClient, container: str, *, root: Path = ROOT) -> "ContainerGroup | None":
        """Return the group of this process; None where it cannot be seen."""
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        places = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
        if "memory" in places and "pids" in places:
            names = ("memory", "pids", *(["cpu"] if "cpu" in places else []))
            folders = {name: root / name / places[name].lstrip("/") for name in names}
            group = cls(folders=folders, version=1, api=api, container=container)
        else:
            folder = root / places.get("", "/").lstrip("/")
            group = cls(
                folders=dict.fromkeys(("memory", "pids", "cpu"), folder), version=2, api=api, container=container
            )
        return group if group.counters().tasks > 0 else None

    def limit(self, *, memory_bytes: int, processes: int, cpus: int | None) -> None:
        """Set the limits, by the engine where this user may not.

        Raises:
            OSError: Nobody can.
        """
        try:
            Cgroup.limit(self, memory_bytes=memory_bytes, processes=processes, cpus=cpus)
        except PermissionError:
            self._ask_the_engine(memory_bytes + self.base_bytes, processes, cpus)

    def _ask_the_engine(self, memory_bytes: int, processes: int, cpus: int | None) -> None:
        wanted = {"Memory": memory_bytes, "MemorySwap": memory_bytes, "PidsLimit": processes}
        if cpus is not None:
            wanted |= {"CpuPeriod": PERIOD_MICROSECONDS, "CpuQuota": cpus * PERIOD_MICROSECONDS}
        address = f"{self.api.base_url}/v{self.api.api_version}/containers/{self.container}/update"
        try:
            self.api.post(address, json=wanted, timeout=self.api.timeout).raise_for_status()
        except requests.RequestException as error:
            raise OSError(f"the engine does not change them: {error}") from error

    def remove(self) -> None:
        """Leave it to the engine, which removes the container once it is dead."""
