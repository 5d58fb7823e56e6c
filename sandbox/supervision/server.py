"""The host's handle on one fork server."""

import json
import os
import select
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.launch import Contained, Inside, Launcher, Seclusion, environment
from open_autoglm.sandbox.supervision import proxy, tree
from open_autoglm.sandbox.supervision.cgroup import Cgroup
from open_autoglm.sandbox.supervision.folders import mark_in
from open_autoglm.sandbox.supervision.streams import sanitise

MESSAGE_BYTES = 1 << 16
START_SECONDS = 120.0
LOG_BYTES = 2_000
IMPORT_BYTES, IMPORT_PROCESSES = 8 << 30, 1 << 12
"""Limits of a control group while nothing but imports happens in it."""


@dataclass(slots=True)
class ForkServer:
    """A started fork server, perhaps still importing."""

    process: subprocess.Popen[bytes] | Contained
    control: socket.socket
    mark: str
    inside: Inside
    log: Any
    plain: bool
    """Whether nothing but this program kills what the executions leave."""
    ring: int | None = None
    """Handle on the first process of the sandbox: its death is the death of everything in there."""
    writable: list[int] = field(default_factory=list)
    """Handles on its writable folders, the one for output first, where the sandbox is used once."""
    group: Cgroup | None = None
    """Control group of everything in the sandbox, where one can be made."""
    ready: bool = False
    hurried: bool = False
    """Whether it was asked to leave imports for later."""
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(
        cls, launcher: Launcher, base: Path, *, cpus: int, imports: Sequence[str], first: Sequence[str] = ()
    ) -> "ForkServer":
        """Start one; returns before its imports are done. Those that come `first` are not left for later when the host is in a hurry.

        Raises:
            SandboxUnavailable: The program cannot be started.
        """
        host, guest = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        mark, inside = uuid.uuid4().hex, launcher.inside(base)
        log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        try:
            variables = environment(home=inside.work, tmp=inside.tmp, cpus=cpus, mark=mark)
            if launcher.policy.network.access == "proxy":
                variables |= proxy.variables()
            process = _starter().submit(launcher.start, base, guest.fileno(), variables, log.fileno()).result()
        except OSError as error:
            host.close()
            log.close()
            raise SandboxUnavailable(f"The {launcher.backend} sandbox cannot be started: {error}") from error
        finally:
            guest.close()
        single = launcher.seclusion is Seclusion.SINGLE_USE
        plain = not launcher.seclusion.by_namespaces
        if plain:
            mark_in(base, mark)
        server = cls(process=process, control=host, mark=mark, inside=inside, log=log, plain=plain)
        try:
            folders = inside.writable if single else ()
            send(host, {"first": list(first), "imports": list(imports), "ring": not plain, "writable": folders}, [])
        except OSError:  # it is dead already: found when somebody waits for it
            return server
        return server

    def wait(self, interrupted: Callable[[], bool], seconds: float = START_SECONDS) -> bool:
        """Wait until it takes requests, which ends its imports for now; False where it was interrupted first.

        Raises:
            SandboxUnavailable: It died or took too long; the message holds what it said last.
        """
        end = time.monotonic() + seconds
        if not self.hurried:
            self.hurried = True
            with suppress(OSError):  # it is dead: seen below
                send(self.control, {"hurry": True}, [])
        while not self.ready:
            if interrupted():
                return False
            if time.monotonic() > end:
                raise SandboxUnavailable(f"The sandbox was not ready after {seconds:.0f} seconds. {self.last_words()}")
            if select.select([self.control], [], [], 0.05)[0]:
                self.facts, descriptors = receive(self.control)
                if not self.facts:
                    with suppress(subprocess.TimeoutExpired):
                        self.process.wait(1)  # so that it has said what it has to say
                    raise SandboxUnavailable(f"The sandbox ended while it started. {self.last_words()}")
                if descriptors:
                    self.ring, *self.writable = descriptors
                if self.group is None:
                    self._join_group()
                self.ready = True
        return True

    def _join_group(self) -> None:
        """Put the fork server into a control group; what it imported stays charged to the host's own."""
        if isinstance(self.process, Contained):
            self.group = self.process.group()
            return
        self.group = Cgroup.make()
        try:
            for pid in [self.process.pid, *tree.descendants(self.process.pid)] if self.group else ():
                assert self.group is not None
                self.group.add(pid)
        except OSError as error:
            raise SandboxUnavailable(f"The sandbox could not be put under its limits: {error}") from error

    def is_alive(self) -> bool:
        """Whether it can still take requests."""
        if self.process.poll() is not None:
            return False
        return not select.select([self.control], [], [], 0)[0]  # it says nothing unasked: readable means it hung up

    def submit(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        """Ask for one execution.

        Raises:
            OSError: It is gone.
        """
        send(self.control, request, descriptors)

    def members(self) -> list[int]:
        """Return the processes known to belong to it by its control group or by a user of its own; it itself may be among them."""
        grouped = self.group.members() if self.group is not None else []
        return grouped if self.inside.user is None else [*grouped, *tree.owned_by(self.inside.user)]

    def prepare(self, request: Mapping[str, Any]) -> None:
        """Have imports that were left finished, and the processes for a request like this one forked; nothing untrusted may be alive."""
        with suppress(OSError):  # it is gone: found by who needs it next
            if self.facts.get("left"):
                self.ready = False  # until it has said so: what it imports must not be charged to an execution
                if self.group is not None:
                    self.group.limit(memory_bytes=IMPORT_BYTES, processes=IMPORT_PROCESSES, cpus=None)
            send(self.control, {"space": request["space"]}, [])

    def last_words(self) -> str:
        """Return the end of what it wrote to stderr, in one line."""
        self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, self.log.tell() - LOG_BYTES))
        return " ".join(sanitise(self.log.read().decode("utf-8", "replace")).split())

    def end(self) -> None:
        """Kill everything in its sandbox and return when it is dead.

        Raises:
            SandboxError: Something of it does not die.
        """
        if self.ring is not None:
            tree.kill_and_wait(self.ring, ask=self.process.kill if isinstance(self.process, Contained) else None)

    def stop(self) -> None:
        """Kill it, and with it what its sandbox holds; return when all is dead. Idempotent.

        Raises:
            SandboxError: Something of it does not die.
        """
        self.control.close()
        try:
            if self.process.poll() is None and not (self.plain or isinstance(self.process, Contained)):
                tree.kill_below(self.process.pid)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        try:
            self.end()
            if self.plain and tree.HAS_PROC:
                tree.kill_marked(self.mark, spare=self.process.pid, members=self.members)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        for descriptor in [*self.writable, *([] if self.ring is None else [self.ring])]:
            os.close(descriptor)
        self.ring, self.writable = None, []
        if self.group is not None:
            self.group.remove()
        self.log.close()


@cache
def _starter() -> ThreadPoolExecutor:
    """Return the one thread that starts fork servers: they are killed with the thread that started them."""
    return ThreadPoolExecutor(1, thread_name_prefix="sandbox-starter")


def send(channel: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Send one line of JSON, with descriptors."""
    line = json.dumps(message).encode() + b"\n"
    if descriptors:
        socket.send_fds(channel, [line], list(descriptors))
    else:
        channel.sendall(line)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return one line of JSON and the descriptors that came with it; an empty object at the end or on nonsense."""
    data = b""
    descriptors: list[int] = []
    while not data.endswith(b"\n") and len(data) < MESSAGE_BYTES:
        try:
            part, more, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 8)
        except OSError:
            part, more = b"", []
        if not part:
            return {}, descriptors
        data += part
        descriptors += more
    try:
        message = json.loads(data)
    except ValueError:
        return {}, descriptors
    return (message if isinstance(message, dict) else {}), descriptors
