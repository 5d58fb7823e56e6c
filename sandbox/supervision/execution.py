"""Supervises one execution from outside: streams, deadline, limits, cancellation, and the death of the whole tree."""

import os
import selectors
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Limits
from open_autoglm.sandbox.kernels.errand import Errand
from open_autoglm.sandbox.kernels.wires import Wires
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.policy import Policy
from open_autoglm.sandbox.report_pb2 import Status, Violation
from open_autoglm.sandbox.supervision import tree
from open_autoglm.sandbox.supervision.cancellation import Cancellation
from open_autoglm.sandbox.supervision.cgroup import Cgroup, Counters
from open_autoglm.sandbox.supervision.claims import ClaimReader
from open_autoglm.sandbox.supervision.disk import is_out_of_names, size_of, used
from open_autoglm.sandbox.supervision.proxy import Proxy
from open_autoglm.sandbox.supervision.server import ForkServer, receive, send
from open_autoglm.sandbox.supervision.stall import StallWatch
from open_autoglm.sandbox.supervision.streams import BoundedStream
from open_autoglm.sandbox.supervision.watch import Watch

TICK_SECONDS = 0.1
NOT_ITS_OWN = 3
"""Processes that the fork server makes during an execution with namespaces: its keeper, the next keeper and its cell."""
BIRTH_SECONDS = 20.0
DRAIN_SECONDS = 0.5
READ_BYTES = 1 << 16
PAGE_BYTES = 4096
TELL_STACKS = signal.SIGUSR2
"""Makes an executed process write the stacks of its threads to stderr (see `forkserver`)."""
STACKS_SECONDS = 0.3


@dataclass(slots=True)
class Verdict:
    """How it ended, as far as the host knows."""

    status: Status = Status.STATUS_UNSPECIFIED
    detail: str = ""
    exit_code: int = 0
    signal: int = 0
    started_at: float = 0.0
    wall_seconds: float = 0.0
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    peak_bytes: int = 0
    peak_processes: int = 0
    throttled_seconds: float = 0.0
    oom_kills: int = 0
    process_limit_hits: int = 0
    violations: list[Violation] = field(default_factory=list)


@dataclass(slots=True)
class Execution:
    """One execution. `supervise` blocks until nothing of it is alive; `cancel` may come from any thread."""

    server: ForkServer
    limits: Limits
    seclusion: Seclusion
    cgroup: Cgroup | None
    watched_folders: tuple[Path, ...]
    """Folders whose size the disk limit bounds, where the kernel does not do it."""
    cancelled: Cancellation
    policy: Policy
    wires: Wires | None = None
    """Of the Jupyter kernel that it is, if so."""
    verdict: Verdict = field(default_factory=Verdict)
    stdout: BoundedStream = field(default_factory=BoundedStream)
    stderr: BoundedStream = field(default_factory=BoundedStream)
    claims: ClaimReader = field(default_factory=ClaimReader)
    out: int | None = None
    """Descriptor of the output folder, once the keeper has sent it."""
    _before: Counters = field(default_factory=Counters)
    _counted: Counters = field(default_factory=Counters)
    reports_calls: bool = False
    """Whether refused system calls are among the violations."""
    proxy: Proxy | None = None
    _calls: Watch | None = None
    _cell: int | None = None
    _handles: threading.Lock = field(default_factory=threading.Lock)
    """Held where `_cell` is used by another thread, and where it is closed."""
    _errand: Errand | None = None
    _root: int = -1
    _stall: StallWatch = field(init=False)
    _group: int = 0
    _ending: dict[str, Any] | None = None
    _over: bool = False
    _next_walk: float = 0.0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        """Begin to look out for a standstill."""
        self._stall = StallWatch(self.limits.stall_seconds)

    def supervise(self, request: dict[str, Any]) -> None:
        """Run it to its end.

        Raises:
            SandboxError: It could not be started, or something of it could not be killed.
        """
        channel, guest = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._set_limits()
            self._submit(request, guest)
            self._await_birth(channel)
            started = time.monotonic()
            self.verdict.started_at = time.time()
            send(channel, {"go": 1}, [])
            self._watch(channel, started)
            self._end_tree()
            self.verdict.wall_seconds = time.monotonic() - started
            self._drain()
            self._next_walk = 0.0
            self._note_full_disk()
            self._note_calls()
        finally:
            channel.close()
            self._close()
        self.claims.read()

    def _note_full_disk(self) -> None:
        """Tell of a disk that is full now: the code may take the refusal quietly, too fast to be watched. Past the limit, end it."""
        own = [self.out] if self.out is not None and self.seclusion is Seclusion.NAMESPACES else []
        folders = self.server.writable or own
        written = self._written()
        if max(written, sum(map(used, folders))) + PAGE_BYTES > self.limits.disk_bytes:
            self.note_disk_limit()
        elif any(is_out_of_names(folder) for folder in folders):
            self.note_disk_limit(f"more than {self.policy.filesystem.inodes:,} files and folders")
        if written > self.limits.disk_bytes and not self._over:
            self._stop(Status.STATUS_VIOLATION, self.note_disk_limit())

    def note_disk_limit(self, detail: str = "") -> str:
        """Put the limit on disk among the violations, once; return what it is about."""
        detail = detail or f"more than {self.limits.disk_bytes:,} bytes written"
        told = any(violation.kind == "disk_limit" for violation in self.verdict.violations)
        self.verdict.violations += [] if told else [Violation(kind="disk_limit", detail=detail, count=1)]
        return detail

    def _note_calls(self) -> None:
        """Take over what the code tried and may not."""
        if self._calls is not None:
            self.verdict.violations += self._calls.violations()

    def _set_limits(self) -> None:
        if self.cgroup is not None:
            self._before = self.cgroup.counters()
            try:
                others = NOT_ITS_OWN if self.seclusion is Seclusion.NAMESPACES else 0
                dead = 0 if self.seclusion.by_namespaces else tree.unreaped(self.server.process.pid)
                room = self.limits.processes + self._before.tasks + others - dead
                self.cgroup.limit(memory_bytes=self.limits.memory_bytes, processes=room, cpus=self.limits.cpus)
            except OSError as error:
                raise SandboxError(f"The limits could not be set: {error}") from error

    def _submit(self, request: dict[str, Any], guest: socket.socket) -> None:
        writers = []
        try:
            for sink in (self.stdout.add, self.stderr.add, self.claims.add):
                reader, writer = os.pipe()
                writers.append(writer)
                self._selector.register(reader, selectors.EVENT_READ, sink)
            wires = self.wires.descriptors if self.wires else []
            self.server.submit(request, [*writers, guest.fileno(), *wires])
            if self.wires is not None:
                self._errand = Errand.give(self.wires) if self.wires.once else None
                self.wires.hand_over()
            if self._errand is not None:
                self._selector.register(self._errand.line, selectors.EVENT_READ, self._errand)
        except OSError as error:
            raise SandboxError(f"The sandbox is gone: {error}. {self.server.last_words()}") from error
        finally:
            guest.close()
            for writer in writers:
                os.close(writer)

    def interrupt(self) -> None:
        """Send its first process SIGINT. Thread-safe; no effect before it is born and after its end."""
        with self._handles, suppress(ProcessLookupError):
            if self._cell is not None:
                signal.pidfd_send_signal(self._cell, signal.SIGINT)

    def _await_birth(self, channel: socket.socket) -> None:
        channel.settimeout(BIRTH_SECONDS)
        message, descriptors = receive(channel)
        if "born" not in message:
            for descriptor in descriptors:
                os.close(descriptor)
            said = f"{message.get('failed', '')} {self.server.last_words()}"
            raise SandboxError(f"No process was started. {said}".strip())
        self._group = int(message["born"])
        handles = dict(zip(message["handles"], descriptors, strict=True))
        self.out = handles.get("out", self.out)
        self._cell = handles.get("cell")
        if self._cell is not None:
            self._root = tree.pid_of(self._cell)
        if "proxy" in handles:
            self.proxy = Proxy.start(handles["proxy"], self.policy.network.allow)
        if "listener" in handles:
            self._calls, self.reports_calls = self._listen(handles["listener"]), True
            self._selector.register(self._calls.listener, selectors.EVENT_READ, self._calls)

    def _listen(self, listener: int) -> Watch:
        inside = self.server.inside
        if inside.confine is None:
            return Watch(listener, self.policy)
        places = (*inside.confine["writable"], *inside.confine["devices"], "/proc/self/fd")
        return Watch(listener, self.policy, namespaces=False, writable=places)

    def _watch(self, channel: socket.socket, started: float) -> None:
        """Read until the keeper tells the end, or there is a reason to end it."""

        def listen(_: bytes) -> None:
            self._ending = receive(channel)[0]
            self._over = True

        deadline = started + self.limits.wall_seconds
        channel.settimeout(1.0)
        self._selector.register(channel, selectors.EVENT_READ, listen)
        self._selector.register(self.cancelled, selectors.EVENT_READ)
        next_check = started + TICK_SECONDS
        while not self._over:
            self._read(min(TICK_SECONDS, max(0.0, deadline - time.monotonic())))
            now = time.monotonic()
            if self.cancelled.is_set():
                self._stop(Status.STATUS_CANCELLED, "cancelled")
            elif now >= deadline:
                self._stop(Status.STATUS_TIMEOUT, f"still running after {self.limits.wall_seconds:g} seconds")
            elif self._said() > self.limits.output_bytes:
                self._violate("output_limit", f"more than {self.limits.output_bytes:,} bytes of output")
            elif now >= next_check:
                self._check_tree()
                next_check = time.monotonic() + TICK_SECONDS
        self._selector.unregister(channel)
        self._selector.unregister(self.cancelled)

    def _read(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Watch | Errand):
                self._note_full_disk()  # the call may be the one that makes room again, and is held until it is answered
                if not key.data.go_on():
                    self._selector.unregister(key.fileobj)
                continue
            if isinstance(key.fileobj, Cancellation):  # it only ends the wait
                continue
            if isinstance(key.fileobj, socket.socket):
                key.data(b"")
                continue
            data = os.read(key.fd, READ_BYTES)
            if data:
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)
                os.close(key.fd)

    def _said(self) -> int:
        """Return the bytes that came out of it by any way: the pipe for claims is no way round the limit."""
        replies = self._errand.line.total_bytes if self._errand else 0
        return self.stdout.total_bytes + self.stderr.total_bytes + self.claims.total_bytes + replies

    def _stop(self, status: Status, detail: str) -> None:
        if self.verdict.status == Status.STATUS_UNSPECIFIED:
            self.verdict.status, self.verdict.detail = status, detail
        self._over = True

    def _violate(self, kind: str, detail: str) -> None:
        self.verdict.violations.append(Violation(kind=kind, detail=detail, count=1))
        self._stop(Status.STATUS_VIOLATION, detail)

    def _check_tree(self) -> None:
        """Measure the tree, and hold it to the limits that no kernel feature keeps here."""
        if not tree.HAS_PROC:
            return
        usage = tree.measure(self._members())
        self._note(usage)
        used = usage.user_seconds + usage.system_seconds
        if self._stall.is_stalled(time.monotonic(), cpu_seconds=used, said_bytes=self._said()):
            self._stop_stalled()
        self._sample()
        if self.cgroup is None:
            most = self.limits.memory_bytes
            if usage.resident_bytes > most and tree.proportional_bytes(usage.pids) > most:
                self._stop(Status.STATUS_OUT_OF_MEMORY, f"more than {most:,} bytes of memory")
            if len(usage.pids) > self.limits.processes:
                self._violate("process_limit", f"more than {self.limits.processes} processes")
        self._note_full_disk()

    def _stop_stalled(self) -> None:
        """Have its threads say where they stand, which a process that is stuck in a call can still do, and end it."""
        self._stop(Status.STATUS_STALLED, f"neither output nor work for {self.limits.stall_seconds:g} seconds")
        if self._cell is not None:
            with suppress(OSError):  # by handle: its number may be another's by now
                signal.pidfd_send_signal(self._cell, TELL_STACKS)
        end = time.monotonic() + STACKS_SECONDS
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def _written(self) -> int:
        """Return the bytes written, as far as the kernel does not limit them; a walk takes a tenth of the time at most."""
        if time.monotonic() < self._next_walk:
            return 0
        started = time.thread_time()  # a busy machine makes no walk longer
        total = size_of(self.watched_folders, self.limits.disk_bytes) + sum(map(used, self.server.writable))
        self._next_walk = time.monotonic() + 10 * (time.thread_time() - started)
        return total

    def _note(self, usage: tree.TreeUsage) -> None:
        verdict = self.verdict
        verdict.peak_processes = max(verdict.peak_processes, len(usage.pids))
        verdict.user_seconds = max(verdict.user_seconds, usage.user_seconds)
        verdict.system_seconds = max(verdict.system_seconds, usage.system_seconds)
        if self.cgroup is None:
            verdict.peak_bytes = max(verdict.peak_bytes, usage.resident_bytes)

    def _members(self) -> list[int]:
        """Return the live processes of the execution, as the host numbers them."""
        if self.seclusion is Seclusion.NAMESPACES:
            return [self._root, *tree.descendants(self._root)]
        return tree.descendants(self.server.process.pid)  # what lost its parent comes back to the fork server

    def _end_tree(self) -> None:
        """Kill what is left and return when it is dead."""
        if self.seclusion is Seclusion.SINGLE_USE:
            self._sample()  # the group of a container goes with the container
        if self.seclusion is Seclusion.NAMESPACES and self._cell is not None:
            tree.kill_and_wait(self._cell)
        elif self.seclusion is Seclusion.SINGLE_USE and self.server.ring is not None:
            self.server.end()
        elif tree.HAS_PROC:
            if not tree.kill_marked(self.server.mark, spare=self.server.process.pid, members=self.server.members):
                raise SandboxError("Some processes of the execution could not be killed.")
        else:
            with suppress(OSError):
                os.killpg(self._group, signal.SIGKILL)
        if self.cgroup is not None:
            self._sample()
            self._count(self._counted)

    def _sample(self) -> None:
        if self.cgroup is not None:
            self._counted = self._counted.later(self.cgroup.counters())

    def _count(self, counters: Counters) -> None:
        self.verdict.peak_bytes = counters.peak_bytes
        self.verdict.throttled_seconds = max(0.0, counters.throttled_seconds - self._before.throttled_seconds)
        self.verdict.oom_kills = max(0, counters.oom_kills - self._before.oom_kills)
        if self.verdict.oom_kills:
            self.verdict.status = Status.STATUS_OUT_OF_MEMORY
            self.verdict.detail = f"more than {self.limits.memory_bytes:,} bytes of memory"
        hits = max(0, counters.process_limit_hits - self._before.process_limit_hits)
        self.verdict.process_limit_hits = hits
        if hits:
            detail = f"more than {self.limits.processes} processes"
            self.verdict.violations.append(Violation(kind="process_limit", detail=detail, count=hits))

    def _drain(self) -> None:
        """Read what is still in the pipes; nobody writes any more."""
        end = time.monotonic() + DRAIN_SECONDS
        while self._selector.get_map() and time.monotonic() < end:
            self._read(DRAIN_SECONDS)
        ending = self._ending or {}
        verdict = self.verdict
        if verdict.status == Status.STATUS_UNSPECIFIED and "exit" not in ending:
            self.verdict.status = Status.STATUS_SANDBOX_ERROR
            self.verdict.detail = "the sandbox was lost while the code ran"
        if "exit" in ending:
            verdict.exit_code, verdict.signal = int(ending["exit"]), int(ending["signal"])
            verdict.user_seconds = max(verdict.user_seconds, float(ending["user"]))
            verdict.system_seconds = max(verdict.system_seconds, float(ending["system"]))
            verdict.peak_bytes = max(verdict.peak_bytes, int(ending["peak"]) if self.cgroup is None else 0)
            verdict.peak_processes = max(verdict.peak_processes, 1)

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, int) and not isinstance(key.data, Watch):
                os.close(key.fileobj)
        if self.proxy is not None:
            self.proxy.stop()
        if self._calls is not None:
            os.close(self._calls.listener)
            self._calls = None
        self._selector.close()
        if self._errand is not None:
            self._errand.line.close()
        with self._handles:
            if self._cell is not None:
                os.close(self._cell)
                self._cell = None
