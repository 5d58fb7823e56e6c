"""Inside the sandbox: imports the heavy libraries once, never computes, and forks one process for each execution.

Run as a program by the host; knows only the standard library and the modules beside it. The cell is where untrusted code runs; it has
only its three standard streams and the pipe for claims. With namespaces it is the first process in them, and has a keeper that makes
them, outlives the cell and tells how it ended; without them this program is the keeper, since a second copy of all that was imported
costs as much as the first. They are forked ahead, and wait for their order. A keeper and the host say over `channel`: born, go, ending.

A host in a hurry does not wait for the imports: what is not imported yet, the first cell imports by itself, and this program afterwards.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import faulthandler
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

SET_DEATH_SIGNAL, SET_DUMPABLE, SET_CHILD_SUBREAPER = 1, 4, 36
LINUX = sys.platform == "linux"
MESSAGE_BYTES = 1 << 16
NEVER_REACHED = 70


class Parts(NamedTuple):
    """The modules beside this one."""

    driver: Any
    namespaces: Any
    confine: Any


class Keeper(NamedTuple):
    """One that waits for its order; without namespaces, the cell itself."""

    pid: int
    space: Mapping[str, Any]
    order: socket.socket
    held: list[int]
    """Handles on entries of /proc that its rules name: the rules hold for as long as the kernel remembers these."""


class Said(NamedTuple):
    """A message, and the descriptors that came with it."""

    words: Mapping[str, Any]
    descriptors: list[int]


def main(control: socket.socket) -> None:
    """Import what the host asks for, say that all is ready, then fork once for each request until the host goes."""
    options = _receive(control)[0]
    if LINUX:
        libc = ctypes.CDLL(None)
        libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)  # a cell of the same user may not read or trace this process
        libc.prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # nothing runs on when the host was killed
        libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what a cell left behind comes back here to be reaped
    parts = _parts()
    names, missing = list[str](options["imports"]), list[str]()
    _import(list(options.get("first", [])), missing, until=lambda: False)  # without these no execution begins
    _import(names, missing, until=lambda: bool(select.select([control], [], [], 0)[0]))
    _send(control, _facts(names, missing), _ring(options["writable"]) if options["ring"] else [])
    ahead: Keeper | None = None
    while True:
        request, descriptors = _receive(control)
        if not request:
            return
        space = request.get("space")
        if space is None:  # the host was in a hurry
            continue
        if ahead is not None and (ahead.space != space or names):
            _discard(ahead)
            ahead = None
        if not descriptors:  # only to have a keeper ready
            if names:
                _import(names, missing, until=lambda: False)
                _send(control, _facts(names, missing), [])
            # One that waits could be ended by others of the same user, where no namespaces keep them apart.
            ahead = ahead or (None if space["confine"] else _fork_keeper(space, control, parts))
            continue
        keeper = ahead or _fork_keeper(space, control, parts)
        said = _said(keeper)
        if ahead is not None and "ready" not in said.words:
            _discard(keeper)  # forked ahead, it met the limits of the last execution
            keeper = _fork_keeper(space, control, parts)
            said = _said(keeper)
        channel = _hand_over(keeper, said, request, descriptors)
        ahead = None
        if space["namespaces"] and not names:  # while this one runs: nothing of it can reach the next
            with contextlib.suppress(OSError):  # its processes took all the room: one is forked when it is asked for
                ahead = _fork_keeper(space, control, parts)
        _see_off(keeper, channel)


def _facts(names: Sequence[str], missing: Sequence[str]) -> dict[str, Any]:
    """Return what the host may want to know once this program takes requests."""
    return {
        "left": len(names),
        "missing": missing,
        "python": sys.version.split()[0],
        "threads": threading.active_count(),  # a fork takes one along, and locks that others held stay locked
    }


def _parts() -> Parts:
    """Import what is beside this program."""
    here = Path(__file__).parent
    sys.path[:0] = [str(here / "runtime"), str(here)]
    names = ("kernel_app", "driver", "namespaces", "confine") if LINUX else ("kernel_app", "driver")
    _, *parts = map(importlib.import_module, names)  # the driver asks for the first by its name
    del sys.path[:2]  # what is imported now, and by executed code, is installed, of the standard library, or its own
    return Parts(*parts, *[None] * (3 - len(parts)))


def _import(names: list[str], missing: list[str], *, until: Callable[[], bool]) -> None:
    """Import libraries, taken from `names`, `until` somebody waits; note those that are not installed."""
    gc.disable()  # what modules make stays, and searching it again and again takes a tenth of the time
    while names and not until():
        name = names.pop(0)
        try:
            importlib.import_module(name)
        except ImportError:  # an optional library; a solution that needs it will say so itself
            missing.append(name)
    gc.enable()
    if not names:
        if "pandas" in sys.modules:
            sys.path.insert(0, str(Path(__file__).parent / "runtime"))
            importlib.import_module("runtime")
            del sys.path[0]
        gc.collect()
    gc.freeze()  # children touch the pages of these objects less


def _ring(writable: Sequence[str]) -> list[int]:
    """Return a handle on the first process of this namespace (its end is the end of everything), and on the folders."""
    return [os.pidfd_open(1), *(os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in writable)]


def _fork_keeper(space: Mapping[str, Any], control: socket.socket, parts: Parts) -> Keeper:
    _reap_orphans(space)
    order, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid == 0:
        control.close()
        order.close()
        (_keep if space["namespaces"] else _be_cell)(space, other_end, parts)
    other_end.close()
    return Keeper(pid, space, order, parts.confine.hold(pid) if space["confine"] else [])


def _hand_over(
    keeper: Keeper, said: Said, request: Mapping[str, Any], descriptors: Sequence[int]
) -> socket.socket | None:
    """Give a keeper that is ready its order, else tell the host why there is none.

    Returns the channel to the host where the cell has no other keeper than this program.
    """
    channel = socket.socket(fileno=os.dup(descriptors[3]))
    direct = "ready" in said.words and not keeper.space["namespaces"]
    with contextlib.suppress(OSError):  # the keeper died, or the host is gone: it sees that nothing was born
        if "ready" in said.words:
            _send(keeper.order, request, descriptors)
        else:
            _send(channel, {"failed": said.words.get("failed", "its keeper died")}, [])
        if direct:
            _announce(channel, keeper.pid, dict(zip(["listener"], said.descriptors, strict=False)))
    keeper.order.close()
    for descriptor in descriptors:
        os.close(descriptor)
    if direct:
        return channel
    channel.close()
    return None


def _announce(channel: socket.socket, cell: int, handles: dict[str, int]) -> None:
    """Tell the host of a cell that waits for its word, with a handle on it and those that come with it."""
    if LINUX:
        handles["cell"] = os.pidfd_open(cell)
    _send(channel, {"born": cell, "handles": list(handles)}, list(handles.values()))
    for handle in handles.values():
        os.close(handle)


def _see_off(keeper: Keeper, channel: socket.socket | None) -> None:
    """Wait for the end of an execution; tell the host of it where the cell has no other keeper."""
    if channel is not None:
        with channel, contextlib.suppress(OSError, ChildProcessError):  # the host is gone, or never heard of the cell
            _send(channel, _ending(keeper.pid), [])
    _reap(keeper)


def _said(keeper: Keeper) -> Said:
    """Wait until the keeper says that it is ready, or what went wrong."""
    return Said(*_receive(keeper.order))


def _discard(keeper: Keeper) -> None:
    keeper.order.close()  # at the end of its orders it ends
    _reap(keeper)


def _reap(keeper: Keeper) -> None:
    """Wait for the keeper."""
    for handle in keeper.held:
        os.close(handle)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(keeper.pid, 0)


def _reap_orphans(space: Mapping[str, Any]) -> None:
    """Reap what came back here because its parent died, as it does without namespaces: the dead count against the limit of the next."""
    with contextlib.suppress(ChildProcessError):
        while not space["namespaces"] and os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(space: Mapping[str, Any], order: socket.socket, parts: Parts) -> NoReturn:
    """Be the keeper of one execution: make ready what needs no knowledge of it, then wait for the order."""
    channel = order  # who hears of a failure
    try:
        os.setsid()
        _die_with_parent()
        sizes = space["disk_bytes"], space["inodes"]
        handles = {"out": parts.namespaces.prepare(*sizes, space["devices"], space["keep"])}
        handles.update({"proxy": parts.namespaces.listen(space["proxy"])} if space["proxy"] else {})
        cells_order, to_cell = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        cell = os.fork()
        if cell == 0:
            order.close()
            to_cell.close()
            _be_cell(space, cells_order, parts)
        cells_order.close()
        settled, listeners = _receive(to_cell)
        handles.update(zip(["listener"], listeners, strict=False))
        _send(order, settled or {"failed": "its first process died"}, [])
        request, descriptors = _receive(order)
        if request:
            channel = socket.socket(fileno=descriptors[3])
            _send(to_cell, request, descriptors)
            to_cell.close()
            for descriptor in descriptors[:3]:
                os.close(descriptor)
            _announce(channel, cell, handles)
            _send(channel, _ending(cell), [])
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - nothing may run on as a second fork server; the host sees no ending
        with contextlib.suppress(OSError):
            _send(channel, {"failed": f"{type(error).__name__}: {error}"}, [])
    finally:
        os._exit(NEVER_REACHED)


def _die_with_parent() -> None:
    if LINUX:
        ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _ending(cell: int) -> dict[str, Any]:
    """Reap until the cell has ended, and tell how."""
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == cell:
            code = os.waitstatus_to_exitcode(status)
            return {
                "exit": max(code, 0),
                "signal": max(-code, 0),
                "user": usage.ru_utime,
                "system": usage.ru_stime,
                "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            }


def _be_cell(space: Mapping[str, Any], order: socket.socket, parts: Parts) -> NoReturn:
    """Become the process in which untrusted code runs, once there is an order and the host says go."""
    code = NEVER_REACHED
    try:
        _die_with_parent()
        os.setpgid(0, 0)  # a signal to its own group reaches no keeper; without /proc the host kills by that group
        if space["namespaces"]:
            parts.namespaces.settle()
        elif LINUX:  # its own /proc/self is readable again, as libraries expect
            ctypes.CDLL(None).prctl(SET_DUMPABLE, 1, 0, 0, 0)
        _limit({"CORE": 0, "FSIZE": space["disk_bytes"]})  # before the host is asked about every such call
        with contextlib.suppress(OSError):  # when memory ends, this process goes first
            Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")
        if space["confine"]:
            parts.confine.become(space["confine"]["user"])
            parts.namespaces.give_up_rights()
            _die_with_parent()  # forgotten by the change of user
        _send(order, {"ready": True}, _watched(space["calls"], parts))
        request, descriptors = _receive(order)
        if not request or not _receive(socket.socket(fileno=descriptors[3]))[0]:
            os._exit(NEVER_REACHED)
        if space["confine"]:
            parts.confine.restrict(space["confine"])  # now that the folders are there
        claims = _take_streams([*descriptors[:3], *descriptors[4:]])
        _limit(request["rlimits"])
        paths = {name: Path(folder) for name, folder in request["paths"].items()}
        job = json.loads((paths["job"] / "job.json").read_text(encoding="utf-8"))
        _settle(paths, request["cpus"])
        place = parts.driver.Place.of(paths, request.get("wires"), len(descriptors))
        code = parts.driver.run(job["call"], job["context"], place, parts.driver.Claims(claims))
    except BaseException:  # noqa: BLE001 - nothing may run on as a second fork server
        os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
    finally:
        os._exit(code)


def _watched(calls: Mapping[str, Any] | None, parts: Parts) -> list[int]:
    """Filter this process's system calls; return the descriptor by which the host is asked about them, where there is one."""
    if calls is None:
        return []
    programs = [base64.b64decode(calls[name]) for name in ("watched", "plain")]
    listener = parts.namespaces.filter_calls(calls["seccomp"], *programs)
    return [] if listener is None else [listener]


def _take_streams(streams: Sequence[int]) -> int:
    """Put the streams on 0 to 2, the claims on 3, what a kernel listens at on 4 and after, close everything else."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    high = [os.dup2(descriptor, 100 + i) for i, descriptor in enumerate([nothing, *streams])]
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, number, inheritable=number < 3)
    os.closerange(len(high), os.sysconf("SC_OPEN_MAX"))
    # New objects: those of the fork server believe that they write to its log file.
    sys.stdout, sys.stderr = (
        open(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        for number in (1, 2)
    )
    return 3


def _limit(rlimits: Mapping[str, int]) -> None:
    for name, value in rlimits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _settle(paths: Mapping[str, Path], cpus: int | None) -> None:
    """Make the work folder this process's home."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.register(signal.SIGUSR2, file=2, all_threads=True)  # how the supervisor asks where it stands
    if cpus is not None:  # other than what the libraries were told when they were loaded
        os.environ.update({name: str(cpus) for name in os.environ if name.endswith(("_NUM_THREADS", "_MAX_CPU_COUNT"))})
        if "threadpoolctl" in sys.modules:
            sys.modules["threadpoolctl"].threadpool_limits(cpus)
    tempfile.tempdir = None
    sys.argv = ["solution.py"]
    sys.path[:0] = [str(paths["job"] / "code")]
    packages = paths["job"] / "packages"
    if packages.is_dir():  # resolved for this code: last, so that nothing in there takes the place of what is installed
        sys.path.append(str(packages))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(packages))))
    os.chdir(paths["work"])


def _receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return one line of JSON and the descriptors that came with it; an empty object at the end."""
    data = b""
    descriptors: list[int] = []
    while not data.endswith(b"\n"):
        seen = channel.recv(MESSAGE_BYTES, socket.MSG_PEEK)
        line = seen.find(b"\n") + 1 or max(1, len(seen))  # the next message may be waiting behind this one
        part, more, _, _ = socket.recv_fds(channel, line, 16)
        if not part:
            return {}, descriptors
        data += part
        descriptors += more
    return json.loads(data), descriptors


def _send(channel: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    line = json.dumps(message).encode() + b"\n"
    if descriptors:
        socket.send_fds(channel, [line], list(descriptors))
    else:
        channel.sendall(line)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
