"""A model server as our child: started, watched until it answers, ended with everything it started."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import requests

from open_autoglm.agents.glm.serving.diagnosis import advice, last_lines, reasons
from open_autoglm.agents.glm.serving.launching import Launch
from open_autoglm.errors import ServerFailed

END_SECONDS = 30.0
"""To end by itself before it is killed."""
TOLD_EVERY_SECONDS = 10.0
PATIENCE_SECONDS = 1800.0
"""Without a new line in its log before it answers: fetching a large model says nothing for long."""
LOOK_SECONDS = 0.25
ANSWER_SECONDS = 5.0
LOG_BYTES = 1 << 16
"""Of the log's end, for progress and reasons."""
SET_DEATH_SIGNAL = 1
NOT_FOR_IT: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would have its Python take packages of ours."""


def _never() -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class Server:
    """A running server. Nothing of it outlives `end`, nor this process."""

    launch: Launch
    log: Path
    process: "subprocess.Popen[bytes]"
    end_seconds: float = END_SECONDS
    began: float = field(default_factory=time.monotonic)

    @property
    def log_end(self) -> str:
        """The last part of what it printed."""
        with self.log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - LOG_BYTES, 0))
            return file.read().decode("utf-8", errors="replace")

    @property
    def answers(self) -> bool:
        """Whether it takes requests."""
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business with loopback
            try:
                return session.get(f"{self.launch.root_url}/health", timeout=ANSWER_SECONDS).ok
            except requests.RequestException:
                return False

    def await_ready(
        self,
        tell: Callable[[str], None],
        *,
        stopped: Callable[[], bool] = _never,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> bool:
        """Return True once it answers, False if `stopped` says so before.

        Raises:
            ServerFailed: It ended, or printed nothing for so long.
        """
        told, seen, size = time.monotonic(), time.monotonic(), -1
        while not self.answers:
            if stopped():
                return False
            self.check()
            now, grown = time.monotonic(), self.log.stat().st_size
            if grown != size:
                seen, size = now, grown
            if now - seen > patience_seconds:
                raise self._failed(f"printed nothing for {patience_seconds:.0f} s and does not answer")
            if now - told > TOLD_EVERY_SECONDS:
                told = now
                tell(self._progress())
            time.sleep(LOOK_SECONDS)
        return True

    def check(self) -> None:
        """Do nothing while it runs.

        Raises:
            ServerFailed: It ended.
        """
        status = self.process.poll()
        if status is not None:
            how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            raise self._failed(f"{how} after {time.monotonic() - self.began:.0f} s")

    def end(self) -> None:
        """Have it end by itself, kill what is left, and return when all of it is gone. Idempotent."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(self.end_seconds)
            except subprocess.TimeoutExpired:
                self._kill()
        if _members(self.process.pid):
            self._kill()
        self.process.wait()

    def _kill(self) -> None:
        if self.launch.container is not None:  # the group is that of docker's client, the server is not in it
            command = [self.launch.argv[0], "kill", self.launch.container]
            subprocess.run(command, capture_output=True, timeout=self.end_seconds, check=False)
        with suppress(ProcessLookupError):  # gone by itself meanwhile
            os.killpg(self.process.pid, signal.SIGKILL)
        until = time.monotonic() + self.end_seconds
        while _members(self.process.pid) and time.monotonic() < until:
            self.process.poll()
            time.sleep(LOOK_SECONDS / 10)

    def _progress(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        lines = last_lines(self.log_end)
        return f"{minutes}:{seconds:02d}  {lines[-1] if lines else 'starting'}"

    def _failed(self, what: str) -> ServerFailed:
        text = self.log_end
        message = f"The server {what}. {advice(text)} Its log: {self.log}"
        return ServerFailed(message, tail=reasons(text))


def _members(group: int) -> list[psutil.Process]:
    """Return the processes of a group that still do anything."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.Error):
            continue  # ended while we looked, or not ours
    return found


@contextmanager
def serving(
    launch: Launch, log: Path, *, environment: Mapping[str, str], end_seconds: float = END_SECONDS
) -> Iterator[Server]:
    """Start a server, and end it when the block is left, however that happens.

    Args:
        launch: What to start.
        log: File that takes what it prints; what was in it is lost.
        environment: The variables of this process.
        end_seconds: How long it may take to end by itself.

    Raises:
        ServerFailed: It cannot be started at all.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in environment.items() if name not in NOT_FOR_IT}
    with log.open("wb") as file:
        try:
            process = subprocess.Popen(
                launch.argv,
                env={**inherited, **launch.environment, **launch.secrets},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one call of the kernel, and no thread of ours runs yet
            )
        except OSError as error:
            raise ServerFailed(f"{launch.argv[0]} cannot be started: {error.strerror}.", tail=()) from None
    server = Server(launch=launch, log=log, process=process, end_seconds=end_seconds)
    try:
        yield server
    finally:
        server.end()


def _die_with_parent() -> Callable[[], None] | None:
    """Return what has the kernel end a child whose parent was killed."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)

    return ask
