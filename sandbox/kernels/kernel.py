"""A stateful kernel, as the host sees it: one long execution of a session, spoken with by wires that the host laid.

What it says is claimed. Its end, its usage and what it tried are seen from outside, as of every execution. A kernel that forges, floods,
ignores interrupts or dies costs its own state and nothing else: messages are bounded before they are read, and the whole tree can be
killed at any time.
"""

import math
import select
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import CellEnd, CellResult, Job, Limits
from open_autoglm.sandbox.kernels.cells import Outputs
from open_autoglm.sandbox.kernels.messages import Message, Messages
from open_autoglm.sandbox.kernels.wires import Wires
from open_autoglm.sandbox.kernels.zmtp import Connection, ProtocolBroken
from open_autoglm.sandbox.report import ExecutionReport, failure_line
from open_autoglm.sandbox.supervision.folders import remove

START_SECONDS = 120.0
ASK_SECONDS = 0.2
LOOK_SECONDS = 0.1
INTERRUPT_SECONDS = 3.0
"""How long a cell may take to stop after the first interrupt; it gets another every half second."""
AGAIN_SECONDS = 0.5
FAREWELL_SECONDS = 2.0
IDLE_SECONDS = 1.0
"""How long the word that a cell has put out everything may come after its reply."""
MEMORY_BYTES = 4 << 30


class Attending(Protocol):
    """A session that runs a job as a kernel, and interrupts it."""

    def attend(self, job: Job, wires: Wires | None) -> ExecutionReport:
        """Run the job to its end."""
        ...

    def interrupt(self) -> None:
        """Send it the signal of Ctrl-C."""
        ...

    def cancel(self) -> None:
        """Kill it, and return when it is dead."""
        ...


def kernel_limits() -> Limits:
    """Return the limits of a kernel that nobody set any for: it may live and wait as long as it likes."""
    return Limits(wall_seconds=math.inf, stall_seconds=math.inf, memory_bytes=MEMORY_BYTES)


class KernelRun:
    """The execution of a kernel, in a thread of its own."""

    def __init__(
        self, session: Attending, wires: Wires, *, inputs: Mapping[str, Path], limits: Limits, collect: Path
    ) -> None:
        self._job = Job(
            execution_id=uuid.uuid4().hex, phase="kernel", call="kernel", code={}, context={}, inputs=inputs, limits=limits, collect=collect
        )  # fmt: skip
        self._session, self._wires = session, wires
        self._report: ExecutionReport | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._attend, name="sandbox-kernel", daemon=True)
        self._thread.start()

    def _attend(self) -> None:
        try:
            self._report = self._session.attend(self._job, self._wires)
        except BaseException as error:  # noqa: BLE001 - raised again by `report`, in the thread that asks
            self._error = error
        finally:
            self._wires.hand_over()

    def is_over(self) -> bool:
        """Whether nothing of it is alive."""
        return not self._thread.is_alive()

    def wait(self, seconds: float | None) -> bool:
        """Wait for its end; return whether it came."""
        self._thread.join(seconds)
        return self.is_over()

    def end(self) -> None:
        """Kill it, and return when it is dead."""
        while not self.is_over():
            self._session.cancel()  # without effect where the thread has not begun
            self._thread.join(LOOK_SECONDS)

    def report(self) -> ExecutionReport:
        """Return what was seen of it.

        Raises:
            SandboxError: The sandbox failed.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._report is not None, "an execution ends with a report or an error"
        return self._report


class SupervisedKernel:
    """See `Kernel`; made by a session."""

    def __init__(
        self, session: Attending, *, inputs: Mapping[str, Path], limits: Limits | None, collect: Path | None
    ) -> None:
        self._session, self._inputs, self._collect = session, dict(inputs), collect
        self._limits = limits or kernel_limits()
        self._busy = threading.RLock()
        self._stopped = threading.Event()
        self._closed = False
        self._lost = ""
        self._start()

    def _start(self) -> None:
        if self._collect is not None:
            remove(self._collect)
        self._wires = Wires.make()
        self._messages = Messages(self._wires.key)
        self._lines = {"shell": self._wires.connect("shell"), "iopub": self._wires.connect("iopub")}
        self._run = KernelRun(
            self._session,
            self._wires,
            inputs=self._inputs,
            limits=self._limits,
            collect=self._collect or self._wires.folder / "left",
        )
        self._lost = ""
        try:
            self._await_start()
        except BaseException:
            self._end()
            raise

    def _await_start(self) -> None:
        """Wait until its outputs reach this process: those of a cell that began earlier would be lost."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                self._lines["shell"].send(self._messages.write("kernel_info_request", {})[1])
                if any(name == "iopub" for name, _ in self._receive(ASK_SECONDS)):
                    return
                if self._received() > self._limits.output_bytes:
                    break
            except (OSError, ProtocolBroken):
                self._run.wait(FAREWELL_SECONDS)  # so that it has told why
                break
        self._end()
        report = self._run.report()
        words = " ".join(report.stderr.head.split())[-200:]
        raise SandboxError(f"The kernel did not start: {failure_line(report)}. {words}".strip())

    def execute(self, code: str, *, timeout_seconds: float = 60.0) -> CellResult:
        """Run a cell; see `Kernel.execute`."""
        with self._busy:
            if self._closed or self._lost:
                raise SandboxError("The kernel is closed." if self._closed else f"{self._lost} Restart it.")
            self._stopped.clear()
            started, outputs, dropped = time.monotonic(), Outputs(), self._dropped()
            cell = _Cell(outputs)
            try:
                cell.identity, parts = self._messages.execute(code)
                self._lines["shell"].send(parts)
                detail = self._follow(cell, started + timeout_seconds)
            except (OSError, ProtocolBroken) as error:
                self._run.wait(FAREWELL_SECONDS)  # so that it has told how it ended
                self._end()
                self._lost = f"The kernel ended: {failure_line(self._run.report())} ({error})."
                detail = self._lost
            end = CellEnd.LOST if self._lost else CellEnd.INTERRUPTED if self._stopped.is_set() else CellEnd.ANSWERED
            return CellResult(
                end=end,
                detail=detail,
                wall_seconds=time.monotonic() - started,
                claimed_ok=cell.claimed_ok and end is CellEnd.ANSWERED,
                claimed_outputs=outputs.all(),
                left_out=outputs.left_out + self._dropped() - dropped,
            )

    def _follow(self, cell: "_Cell", deadline: float) -> str:
        """Read until the cell is over, or has to be ended; return a sentence on an end that needs it."""
        detail, given_up, before = "", math.inf, self._received()
        while not cell.is_over(time.monotonic()):
            now = time.monotonic()
            if now >= given_up:
                return self._give_up(
                    "The cell was not stopped by an interrupt, and everything in the sandbox was killed."
                )
            if now >= deadline:
                given_up = min(given_up, now + INTERRUPT_SECONDS)
                deadline = now + AGAIN_SECONDS
                detail = "Time was up, and the cell was stopped."
                self.interrupt()
            for name, message in self._receive(max(0.0, min(deadline - now, LOOK_SECONDS))):
                cell.take(name, message)
            if self._received() - before > self._limits.output_bytes:
                return self._give_up(f"The kernel sent more than {self._limits.output_bytes:,} bytes, and was killed.")
        return detail

    def _give_up(self, reason: str) -> str:
        self._end()
        self._lost = reason
        return reason

    def _receive(self, seconds: float) -> list[tuple[str, Message]]:
        """Wait for messages for so long, and return those that came."""
        ready = select.select([line.socket for line in self._lines.values()], [], [], seconds)[0]
        found = []
        for name, line in self._lines.items():
            if line.socket in ready:
                found += [(name, message) for parts in line.receive() if (message := self._messages.read(parts))]
        return found

    def _received(self) -> int:
        return sum(line.total_bytes for line in self._lines.values())

    def _dropped(self) -> int:
        return sum(line.peer.dropped for line in self._lines.values())

    def interrupt(self) -> None:
        """Stop the cell that runs; see `Kernel.interrupt`."""
        self._stopped.set()
        self._session.interrupt()

    def restart(self) -> None:
        """End it, and start another; see `Kernel.restart`."""
        with self._busy:
            if self._closed:
                raise SandboxError("The kernel is closed.")
            self._end()
            self._start()

    def _end(self) -> None:
        """Kill it, and leave nothing of it. Idempotent."""
        self._run.end()
        for line in self._lines.values():
            line.close()
        self._wires.close()

    def close(self) -> ExecutionReport:
        """Ask it to end, and see to it; see `Kernel.close`."""
        with self._busy:
            if not self._closed:
                self._closed = True
                self._say_farewell()
                self._end()
            return self._run.report()

    def _say_farewell(self) -> None:
        if self._run.is_over():
            return
        with suppress(OSError, ProtocolBroken):  # it is gone, or does not listen: it is killed
            control: Connection = self._wires.connect("control")
            try:
                control.send(self._messages.write("shutdown_request", {"restart": False})[1])
                end = time.monotonic() + FAREWELL_SECONDS
                while not self._run.is_over() and time.monotonic() < end:
                    if select.select([control.socket], [], [], LOOK_SECONDS)[0]:
                        control.receive()
            finally:
                control.close()
        self._run.wait(FAREWELL_SECONDS)


class _Cell:
    """What has been heard of one cell."""

    def __init__(self, outputs: Outputs) -> None:
        self.identity = ""
        self.claimed_ok = False
        self._outputs = outputs
        self._idle = False
        self._replied_at = math.inf

    def take(self, channel: str, message: Message) -> None:
        """Take what came by a channel; what answers other requests is dropped."""
        if message.parent != self.identity:
            return
        if channel == "iopub":
            self._outputs.take(message)
            self._idle |= message.kind == "status" and message.content.get("execution_state") == "idle"
        elif message.kind == "execute_reply":
            self._replied_at = min(self._replied_at, time.monotonic())
            self.claimed_ok = message.content.get("status") == "ok"

    def is_over(self, now: float) -> bool:
        """Whether it has replied, and its outputs have come."""
        return now > self._replied_at and (self._idle or now - self._replied_at > IDLE_SECONDS)
