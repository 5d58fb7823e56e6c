"""Docker: a hardened container with a fork server, and namespaces of its own in there for every execution.

Covered: no network but an empty loopback; a read-only file system with the image's Python, the job's code and its inputs; PID, IPC,
UTS and mount namespaces, no capabilities, no way to new rights, another user id where the host's user is root; system calls fail that
are not on a list (`images/seccomp.json`), or that the policy refuses and reports: user namespaces, mounts, io_uring, keys, BPF,
sockets that leave a network namespace; an emptied environment; writable are only folders in memory with limits on size and
files; limits on memory without swap, processes and processors, kept and counted by the kernel. The verdict comes from the
container's control group and from the wait status, never from the engine or the code. Every execution has namespaces and files of its
own, made after the fork from a fork server that has imported and never computed; where the kernel or a security module refuses
them inside a container, every execution has a container of its own. The kernel kills the whole tree.

Why it counts as stronger than bubblewrap: the same namespaces for every execution, and around them a file system that holds nothing of the
host's but what this package shows, the engine's rules on devices, and a list of the system calls that are allowed where
bubblewrap has one of those that are refused. `auto` takes it only where its image was built on purpose.

What nested namespaces cost: the fork server itself may make namespaces and mounts, and /proc is not masked around it (else the kernel lets
nobody mount another); the policy's filter takes both from an execution before its code runs, as in bubblewrap.

Not covered: holes of the kernel, of the engine and of runc, side channels of processor and caches, GPUs (one is passed in where a job asks for it; the driver is a large part of the kernel, and the engine's hook for it runs as root). Engines in a
virtual machine of their own (Docker Desktop) or on another machine cannot be used: descriptors are passed to and fro. `DOCKER_HOST` may name another socket of this one.
"""

import json
import os
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends.elsewhere import elsewhere
from open_autoglm.sandbox.backends.engine import engine, missing_engine, status_of, versions
from open_autoglm.sandbox.backends.sealed import Found, SealedSandbox
from open_autoglm.sandbox.backends.trial import problem_with
from open_autoglm.sandbox.devices.gpu import Gpu
from open_autoglm.sandbox.launch import INSIDE, PACKAGE, Contained, Inside, Seclusion
from open_autoglm.sandbox.policy import Policy, default_policy
from open_autoglm.sandbox.policy.syscalls import filters
from open_autoglm.sandbox.supervision.cgroup import PERIOD_MICROSECONDS
from open_autoglm.sandbox.supervision.owner import owner

HOME = "/autoglm"
PYTHON = "/opt/python/bin/python"
FOLDERS = (f"{HOME}/out", f"{HOME}/work", "/tmp")  # noqa: S108 - mount points
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a mount point
HELPERS = (
    "dial.py", "forkserver.py", "namespaces.py", "confine.py", "runtime/__init__.py", "runtime/driver.py",
    "runtime/kernel_app.py", "runtime/runtime.py",
)  # fmt: skip
SECCOMP = PACKAGE / "images" / "seccomp.json"
FOLDER_BYTES = 4 << 30
"""More than any limit on disk: the supervisor holds the folders together to that."""
START_BYTES = 2 << 30
START_PROCESSES = 256
"""Limits while nothing but the fork server runs; an execution sets its own before it begins."""
MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi",
    "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats", "/proc/sysrq-trigger",
)  # fmt: skip
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys")
USERS = (1 << 20, 1 << 30)
GVISOR = "runsc"
BUILD = "Build it: autoglm sandbox build (or, without a registry, autoglm sandbox build --debootstrap)."


class DockerLauncher:
    """Starts the fork server in a container."""

    backend = "docker"
    isolating = True
    in_kernel = False

    def __init__(
        self,
        image: str,
        seclusion: Seclusion,
        *,
        cpus: int = 2,
        policy: Policy | None = None,
        gpu: Gpu | None = None,
        runtime: str | None = None,
    ) -> None:
        self.image = image
        self.gpu = gpu
        self.seclusion = seclusion
        self.runtime = runtime
        self.tier = f"docker/{'gvisor' if runtime == GVISOR else runtime or seclusion.value}"
        self.cpus = cpus
        self.policy = policy or default_policy()

    def inside(self, base: Path) -> Inside:
        """Return the fixed paths; they tell nothing of the host."""
        del base
        return Inside(
            job=f"{HOME}/job",
            out=FOLDERS[0],
            work=FOLDERS[1],
            tmp=FOLDERS[2],
            writable=(*FOLDERS, SHARED_MEMORY),
        )

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> Contained:
        """Start it; returns before the container is up."""
        from open_autoglm.sandbox.backends.container import Container, Line  # noqa: PLC0415 - loads the SDK

        line = Line(base)
        user = random.SystemRandom().randrange(*USERS) if os.geteuid() == 0 else os.geteuid()
        passwd = f"sandbox:x:{user}:{user}::{FOLDERS[1]}:/bin/sh\n"
        for name, text in (("passwd", passwd), ("hosts", "127.0.0.1 localhost\n")):
            (line.folder / name).write_text(text, encoding="ascii")
            (line.folder / name).chmod(0o644)
        _copy_helpers(line.folder)
        return Container(engine(), self.config(base, line.folder, environment, user), line, control, log)

    def config(self, base: Path, line: Path, environment: Mapping[str, str], user: int) -> dict[str, Any]:
        """Return what the engine is asked for: the body of its call `POST /containers/create`."""
        from open_autoglm.sandbox.backends.janitor import LABEL  # noqa: PLC0415 - see above

        variables = {**environment, "PATH": f"{Path(PYTHON).parent}:/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": ""}
        if self.gpu is not None:
            variables["CUDA_VISIBLE_DEVICES"] = self.gpu.uuid
        return {
            "Image": self.image,
            "Entrypoint": [PYTHON],
            "Cmd": ["-I", "-S", f"{HOME}/dial.py", f"{HOME}/line/s", f"{HOME}/forkserver.py"],
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "User": f"{user}:{user}",
            "WorkingDir": "/",
            "Hostname": "sandbox",
            "NetworkDisabled": True,
            "Labels": {LABEL: owner()},
            "HostConfig": self._host_config(base, line, user),
        }

    def _host_config(self, base: Path, line: Path, user: int) -> dict[str, Any]:
        options = f"rw,exec,nosuid,nodev,size={FOLDER_BYTES},nr_inodes={self.policy.filesystem.inodes}"
        options += f",mode=0700,uid={user},gid={user}"
        single = self.seclusion is Seclusion.SINGLE_USE
        shown = {
            base / "job": f"{HOME}/job",
            line: f"{HOME}/line",
            line / "passwd": "/etc/passwd",
            line / "hosts": "/etc/hosts",
            **{line / name: f"{HOME}/{name}" for name in HELPERS},
        }
        return {
            "NetworkMode": "none",
            "IpcMode": "private",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={json.dumps(seccomp_profile(self.policy))}"],
            "MaskedPaths": ["/sys", "/dev/mqueue", *(MASKED if single else ())],
            "ReadonlyPaths": list(READ_ONLY if single else ()),
            "Binds": [f"{source}:{target}:ro" for source, target in shown.items()],
            "Tmpfs": dict.fromkeys(FOLDERS, options),
            "ShmSize": FOLDER_BYTES,
            "Memory": START_BYTES,
            "MemorySwap": START_BYTES,
            "PidsLimit": START_PROCESSES,
            "CpuPeriod": PERIOD_MICROSECONDS,
            "CpuQuota": self.cpus * PERIOD_MICROSECONDS,
            "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
            "LogConfig": {"Type": "none"},
            "AutoRemove": True,
            **({} if self.runtime is None else {"Runtime": self.runtime}),
            **({} if self.gpu is None else {"DeviceRequests": [_device_request(self.gpu)]}),
        }


def _copy_helpers(folder: Path) -> None:
    """Put what runs inside beside the socket: code inside can read where a mount comes from, and so where this package is installed."""
    for name in HELPERS:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(INSIDE / name, folder / name)
        (folder / name).chmod(0o644)


def _device_request(gpu: Gpu) -> dict[str, Any]:
    """Return what has the engine show one device, and with it the driver's libraries of the host."""
    return {"Driver": "nvidia", "DeviceIDs": [gpu.uuid], "Capabilities": [["gpu", "compute", "utility"]]}


class DockerSandbox(SealedSandbox[DockerLauncher]):
    """Runs code in containers of the Docker engine."""

    name = "docker"

    def __init__(
        self,
        *,
        imports: Sequence[str] | None = None,
        seclusion: Seclusion | None = None,
        gpu: Gpu | None = None,
        policy: Policy | None = None,
        runtime: str | None = None,
    ) -> None:
        self.imports = imports
        self._policy = policy or default_policy()
        self._runtime = runtime
        """Runtime of the engine's that starts the containers, such as gVisor's `runsc`; None is the engine's own choice."""
        self._gpu = gpu
        self._seclusion = seclusion
        """Where None, the faster that works is found by trying."""

    def found(self) -> Found[DockerLauncher]:
        """Look for engine and image, then try every way that may work."""
        return _working(self._seclusion, self._policy, self._runtime)

    def start_by(self, way: DockerLauncher, *, cpus: int) -> DockerLauncher:
        """Return it for so many processors, with the image for GPUs where one is shown."""
        image = way.image if self._gpu is None else _image_for_gpus()
        return DockerLauncher(
            image, way.seclusion, cpus=cpus, gpu=self._gpu, policy=self._policy, runtime=self._runtime
        )


def seccomp_profile(policy: Policy) -> dict[str, Any]:
    """Return the engine's profile of system calls: nothing but what is listed, and what the policy has reported when it is tried.

    An engine's refusal is silent and comes before any other. So where an execution lays the policy's own filter before its code
    runs (see `syscalls`), the calls that this one refuses and reports pass the engine's.
    """
    profile: dict[str, Any] = json.loads(SECCOMP.read_text(encoding="utf-8"))
    if filters(policy) is None:
        return profile
    reported = {name for refusal in policy.system_calls.refused for name in refusal.calls} | {"clone", "socket"}
    rules = [{**rule, "names": [n for n in rule["names"] if n not in reported]} for rule in profile["syscalls"]]
    passed = {"names": sorted(reported), "action": "SCMP_ACT_ALLOW"}
    return {**profile, "syscalls": [*(rule for rule in rules if rule["names"]), passed]}


@cache
def _working(only: Seclusion | None, policy: Policy, runtime: str | None) -> Found[DockerLauncher]:
    """Find out whether containers can be used, by trying; once in a process. Costs nothing where there is no engine."""
    if (advice := elsewhere("docker", sys.platform)) is not None:
        return Found(reason=advice, details={"platform": sys.platform})
    reason = missing_engine()
    if reason:
        return Found(reason=reason)
    from open_autoglm.sandbox.backends.image import image_name  # noqa: PLC0415 - reads the metadata of installed packages
    from open_autoglm.sandbox.backends.janitor import tidy  # noqa: PLC0415 - loads the SDK

    image = image_name()
    if status_of(f"/images/{image}/json") != 200:
        return Found(reason=f"The engine runs, but there is no image {image!r}. {BUILD}", details={"image": image})
    digest = str(engine().inspect_image(image)["Id"])  # what is started is what was looked at
    details = {"image": image, "digest": digest, **versions()}
    tidy(engine())  # what owners that were killed left behind
    if runtime is not None:
        only = Seclusion.SINGLE_USE  # a kernel of its own for each execution
        if runtime not in details["runtimes"].split():
            return Found(reason=missing_runtime(runtime, details["runtimes"]), details=details)
    problems = []
    for seclusion in [only] if only else _REASONS:
        launcher = DockerLauncher(digest, seclusion, cpus=1, policy=policy, runtime=runtime)
        problem = problem_with(launcher)
        if problem is None:
            details["between_executions"] = seclusion.value
            return Found(way=launcher, tier=launcher.tier, reason=_REASONS[seclusion], details=details)
        problems.append(f"({seclusion.value}) {problem}")
    return Found(reason=f"A container does not work here. {' '.join(problems)[:600]}", details=details)


def missing_runtime(runtime: str, known: str) -> str:
    """Return what to do where the engine does not know a runtime."""
    install = (
        " Install gVisor (https://gvisor.dev/docs/user_guide/install), then: runsc install, and restart the engine."
    )
    return f"The engine has no runtime {runtime!r}; it has: {known}.{install if runtime == GVISOR else ''}"


def _image_for_gpus() -> str:
    """Return the image that holds what code on a GPU needs, by the hash of its content.

    Raises:
        SandboxUnavailable: It was not built.
    """
    from open_autoglm.sandbox.backends.image import image_name  # noqa: PLC0415 - see above

    name = image_name("gpu")
    if status_of(f"/images/{name}/json") != 200:
        raise SandboxUnavailable(f"There is no image {name!r} for GPUs. Build it: autoglm sandbox build --gpu")
    return str(engine().inspect_image(name)["Id"])


_REASONS = {
    Seclusion.NAMESPACES: "Works, with namespaces of its own for every execution inside a hardened container.",
    Seclusion.SINGLE_USE: "Works, with a container of its own for every execution (nested namespaces are refused here).",
}
