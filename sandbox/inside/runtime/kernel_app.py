"""Inside the sandbox: the Jupyter kernel. Its sockets were made by the host, and are handed over listening.

Knows ipykernel, which is imported when a kernel is asked for: a fork server for kernels has imported it before.
"""

from __future__ import annotations

import asyncio
import builtins
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def serve(wires: Mapping[str, Any], folders: tuple[Path, ...], work: Path) -> None:
    """Be a kernel that executes cells until it is told to end. What lies in `folders` is also seen in `work`, its home."""
    for folder in folders:
        for path in folder.iterdir():
            if not (work / path.name).exists():
                (work / path.name).symlink_to(path)
    app = _app(wires, capture=True)
    app.initialize([])
    app.start()


def once(wires: Mapping[str, Any], job: Callable[[], int], first: int) -> int:
    """Be a kernel that executes one request and ends with it: the host asks for the job, and reads no reply.

    The job has the process for itself: the kernel's threads have ended and its descriptors, from `first` on, are closed when it begins. What it prints goes to
    the process's own streams, where the supervisor sees it.
    """
    from IPython.core.displaypub import DisplayPublisher  # noqa: PLC0415 - see the module's docstring

    before = _Surroundings()
    app = _app(wires, capture=False)

    def run() -> None:
        app.close()
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))  # those of the event loop, which goes on no more
        before.restore()
        app.shell.display_pub = DisplayPublisher(shell=app.shell)  # shows the plain text
        code = job()
        os._exit(code)

    app.user_ns = {"run": run}
    app.initialize([])
    app.start()
    return 1  # pragma: no cover - it was told to end before it was asked for anything, which its host does not do


class _Surroundings:
    """What a kernel changes of the process it starts in, so that a job finds it as in any other sandbox."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self.path = list(sys.path)
        self.hooks = sys.excepthook, sys.displayhook, builtins.input
        self.streams = sys.stdout, sys.stderr
        self.main = sys.modules["__main__"]

    def restore(self) -> None:
        """Put it back, also where an event loop is running: a job may start its own."""
        os.environ.clear()
        os.environ.update(self.environment)
        sys.path[:] = self.path
        sys.excepthook, sys.displayhook, builtins.input = self.hooks
        sys.stdout, sys.stderr = self.streams
        sys.modules["__main__"] = self.main
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asyncio._set_running_loop(None)  # noqa: SLF001 - named so, and documented for those who bring a loop of their own
        asyncio.set_event_loop_policy(None)


def _leave_out_the_debugger() -> None:
    """Have ipykernel find none: it would trace every line, and listen on a port that nobody can reach."""
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # how Python is told that there is no such module
    importlib.import_module("ipykernel.debugger")
    del sys.modules["debugpy"]


def _app(wires: Mapping[str, Any], *, capture: bool) -> Any:
    """Return a kernel application that listens at the sockets it was given."""
    _leave_out_the_debugger()
    import zmq  # noqa: PLC0415 - see the module's docstring
    from ipykernel.heartbeat import Heartbeat  # noqa: PLC0415 - as above
    from ipykernel.iostream import IOPubThread  # noqa: PLC0415 - as above
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 - as above

    def bind(socket: Any, port: int) -> None:
        socket.setsockopt(zmq.USE_FD, wires["descriptors"][port - 1])
        socket.bind(f"ipc://{port}")

    class Beat(Heartbeat):
        """Answers by the socket it was given."""

        def _try_bind_socket(self) -> None:
            bind(self.socket, self.port)

    class App(IPKernelApp):
        """Has neither a connection file nor paths."""

        def init_connection_file(self) -> None:
            """Need none: the host has it."""

        def write_connection_file(self, **_: Any) -> None:
            """Write none."""

        def init_control(self, context: Any) -> None:
            """Leave out the debugger's own connection: it goes by a path."""
            super().init_control(context)
            self.debug_shell_socket.disconnect(self.shell_socket.getsockopt(zmq.LAST_ENDPOINT))

        def init_iopub(self, context: Any) -> None:
            """Open the port by which forked processes print only where prints are captured."""
            socket = context.socket(zmq.XPUB)
            socket.linger = 1000
            bind(socket, self.iopub_port)
            self.iopub_thread = IOPubThread(socket, pipe=capture, session=self.session)
            self.iopub_thread.start()
            self.iopub_socket = self.iopub_thread.background_socket

        def init_heartbeat(self) -> None:
            """Start the heart beating."""
            self.heartbeat = Beat(zmq.Context(), (self.transport, self.ip, self.hb_port))
            self.heartbeat.start()

        def _try_bind_socket(self, socket: Any, port: int) -> int:
            bind(socket, port)
            return port

    app = App.instance(log_level=logging.CRITICAL)
    app.transport, app.ip = "ipc", "k"
    app.shell_port, app.iopub_port, app.stdin_port, app.control_port, app.hb_port = range(1, 6)
    app.session.key = wires["key"].encode()
    app.config.HistoryManager.enabled = False  # a database on disk that nobody reads
    app.quiet = True
    if not capture:
        app.set_trait("outstream_class", None)
    return app
