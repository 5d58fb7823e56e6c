"""GPUs: which there are, who may use which, and whether one is idle again. All of it is asked of the driver, from outside the sandbox.

A slot (a session) keeps to one device, and executions on one device wait for one another. After each the device must be idle: no process
on it, and no more memory taken than before. One that is not is used no more: something outlived its execution, and what it left may be
read by the next. Devices are named by their unique names (UUIDs); numbers change with the machine's configuration.

Source: the NVIDIA Management Library (NVML), by the package nvidia-ml-py (`pip install 'open-autoglm[gpu]'`).
"""

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from open_autoglm.errors import SandboxUnavailable, ScriptExhausted

SETTLE_SECONDS = 5.0
"""How long the driver may take to free what dead processes held."""
LOOK_SECONDS = 0.05
SLACK_BYTES = 64 << 20
"""By which the driver's own use of a device may have grown."""
DRIVER_FOLDERS = ("/usr/local/nvidia", "/run/opengl-driver")
"""Where some systems keep the driver's libraries, beside the system's own folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One device."""

    uuid: str
    name: str
    minor: int
    """Number of its device file."""
    memory_bytes: int

    @property
    def files(self) -> tuple[Path, ...]:
        """The device files without which it cannot be used: its own, and the driver's two."""
        return tuple(Path(f"/dev/nvidia{name}") for name in (self.minor, "ctl", "-uvm"))

    @property
    def variables(self) -> dict[str, str]:
        """What tells libraries which device to use."""
        libraries = [str(folder) for parent in DRIVER_FOLDERS for folder in sorted(Path(parent).glob("lib*"))]
        paths = {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {}
        return {"CUDA_VISIBLE_DEVICES": self.uuid, **paths}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is on a device at a moment."""

    processes: tuple[int, ...] = ()
    """As the driver numbers them; it tells of none where it runs outside this container."""
    memory_bytes: int = 0


class Driver(Protocol):
    """What is asked of a driver."""

    def gpus(self) -> list[Gpu]:
        """Return the devices of this machine.

        Raises:
            SandboxUnavailable: The driver does not answer.
        """
        ...

    def use(self, gpu: Gpu) -> Use:
        """Return what is on a device now.

        Raises:
            SandboxUnavailable: The device does not answer any more.
        """
        ...


class Nvml:
    """The driver of NVIDIA's devices."""

    def __init__(self, library: Any) -> None:
        """Take the module `pynvml`, initialised."""
        self._library = library

    @classmethod
    def find(cls) -> "Nvml | None":
        """Return it, or None where there is no such driver, or the package to ask it is not installed."""
        try:
            library = importlib.import_module("pynvml")
        except ImportError:
            return None
        try:
            library.nvmlInit()
        except library.NVMLError:
            return None
        return cls(library)

    def gpus(self) -> list[Gpu]:
        """Return the devices, as the driver numbers them; see `Driver.gpus`."""
        library = self._library
        try:
            return [
                self._gpu(library.nvmlDeviceGetHandleByIndex(number)) for number in range(library.nvmlDeviceGetCount())
            ]
        except library.NVMLError as error:
            raise SandboxUnavailable(f"The driver does not tell of its GPUs: {error}. Look at nvidia-smi.") from error

    def _gpu(self, handle: Any) -> Gpu:
        library = self._library
        return Gpu(
            uuid=_text(library.nvmlDeviceGetUUID(handle)),
            name=_text(library.nvmlDeviceGetName(handle)),
            minor=int(library.nvmlDeviceGetMinorNumber(handle)),
            memory_bytes=int(library.nvmlDeviceGetMemoryInfo(handle).total),
        )

    def use(self, gpu: Gpu) -> Use:
        """Return the processes that compute on it and draw nothing, which a desktop does, and the memory in use."""
        library = self._library
        try:
            handle = library.nvmlDeviceGetHandleByUUID(gpu.uuid)
            computing = library.nvmlDeviceGetComputeRunningProcesses(handle)
            drawing = library.nvmlDeviceGetGraphicsRunningProcesses(handle)
            memory = int(library.nvmlDeviceGetMemoryInfo(handle).used)
        except library.NVMLError as error:
            raise SandboxUnavailable(
                f"The GPU {gpu.name} ({gpu.uuid}) does not answer: {error}. Look at nvidia-smi."
            ) from error
        pids = {int(found.pid) for found in computing} - {int(found.pid) for found in drawing}
        return Use(processes=tuple(sorted(pids)), memory_bytes=memory)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value  # older versions of the package return bytes


@dataclass(slots=True, kw_only=True)
class ScriptedDriver:
    """The fake: devices that somebody made up, and what is on them, one answer after another; the last goes on."""

    devices: list[Gpu]
    uses: dict[str, list[Use]] = field(default_factory=dict)

    def gpus(self) -> list[Gpu]:
        """Return the made-up devices."""
        return self.devices

    def use(self, gpu: Gpu) -> Use:
        """Return the next answer.

        Raises:
            ScriptExhausted: There is none for this device.
        """
        answers = self.uses.get(gpu.uuid, [Use()])
        if not answers:
            raise ScriptExhausted(f"nothing is known of what is on {gpu.uuid}")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@dataclass(slots=True)
class Gpus:
    """The devices that slots share."""

    driver: Driver
    settle_seconds: float = SETTLE_SECONDS
    _gpus: list[Gpu] = field(init=False)
    _slots: dict[str, int] = field(init=False)
    _in_use: dict[str, threading.Lock] = field(init=False)
    _refused: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Ask the driver once which devices there are."""
        self._gpus = self.driver.gpus()
        self._slots = {gpu.uuid: 0 for gpu in self._gpus}
        self._in_use = {gpu.uuid: threading.Lock() for gpu in self._gpus}

    def __len__(self) -> int:
        return len(self._gpus)

    def assign(self) -> Gpu:
        """Return the device that the fewest slots keep to.

        Raises:
            SandboxUnavailable: All of them are refused; the message says why.
        """
        with self._lock:
            usable = [gpu for gpu in self._gpus if gpu.uuid not in self._refused]
            if not usable:
                raise SandboxUnavailable(" ".join(self._refused.values()) or "There is no GPU on this machine.")
            gpu = min(usable, key=lambda one: self._slots[one.uuid])
            self._slots[gpu.uuid] += 1
            return gpu

    def leave(self, gpu: Gpu) -> None:
        """End a slot's keeping to a device."""
        with self._lock:
            self._slots[gpu.uuid] -= 1

    @contextmanager
    def held(self, gpu: Gpu, *, unwanted: Callable[[], bool]) -> Iterator[bool]:
        """Have a device alone for one execution; yields whether it is to be had, which it is not where nobody wants it any more.

        Afterwards the device is looked at, and refused from now on where it is not idle; see `refusal`.

        Raises:
            SandboxUnavailable: Somebody else is on it, or it was refused meanwhile.
        """
        lock = self._in_use[gpu.uuid]
        while not lock.acquire(timeout=LOOK_SECONDS):
            if unwanted():
                yield False
                return
        try:
            before = self._idle(gpu)
            try:
                yield True
            finally:
                self._look_after(gpu, before)
        finally:
            lock.release()

    def refusal(self, gpu: Gpu) -> str | None:
        """Return why a device is used no more, or None."""
        return self._refused.get(gpu.uuid)

    def _idle(self, gpu: Gpu) -> Use:
        why = self.refusal(gpu)
        use = self.driver.use(gpu)
        if use.processes:
            why = (
                why
                or f"The GPU {gpu.name} ({gpu.uuid}) is in use by {_listed(use)}. Wait for it to end, or ask for no GPU."
            )
        if why:
            raise SandboxUnavailable(why)
        return use

    def _look_after(self, gpu: Gpu, before: Use) -> None:
        end = time.monotonic() + self.settle_seconds
        while True:
            try:
                left = self.driver.use(gpu)
            except SandboxUnavailable as error:
                self._refused[gpu.uuid] = str(error)
                return
            grown = left.memory_bytes - before.memory_bytes
            if not left.processes and grown <= SLACK_BYTES:
                return
            if time.monotonic() >= end:
                break
            time.sleep(LOOK_SECONDS)
        self._refused[gpu.uuid] = (
            f"The GPU {gpu.name} ({gpu.uuid}) was not idle after an execution: {_listed(left)}, {max(0, grown) >> 20} MiB more than before. "
            "It is not used again. Look at nvidia-smi, end what is on it, and start anew."
        )


def _listed(use: Use) -> str:
    if not use.processes:
        return "no process that can be seen"
    return f"process {', '.join(map(str, use.processes))}"
