"""GPUs: who may use which, and that one which is not idle afterwards is used no more. No device is needed, but for the last tests."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from open_autoglm.errors import SandboxUnavailable, ScriptExhausted
from open_autoglm.sandbox.backends import bubblewrap
from open_autoglm.sandbox.backends import docker as docker_backend
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapLauncher, BubblewrapSandbox, Mounts
from open_autoglm.sandbox.backends.docker import DockerLauncher
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Job, Limits, Session
from open_autoglm.sandbox.choice import granted
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.devices import gpu as subject
from open_autoglm.sandbox.devices.gpu import Gpu, Gpus, Nvml, ScriptedDriver, Use
from open_autoglm.sandbox.devices.granting import GrantingSession, local_gpus
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSession
from open_autoglm.sandbox.supervision.session import SupervisedSession

FIRST = Gpu(uuid="GPU-1", name="One", minor=0, memory_bytes=8 << 30)
SECOND = Gpu(uuid="GPU-2", name="Two", minor=3, memory_bytes=8 << 30)
DEVICE = Path("/dev/fuse" if os.access("/dev/fuse", os.R_OK | os.W_OK) else "/dev/zero")
"""Anybody may open it, and it does nothing by itself; the second is shown in every sandbox."""
GROWN = Use(memory_bytes=512 << 20)


def job(folder: Path, device: str = "cuda") -> Job:
    limits = Limits(wall_seconds=1, memory_bytes=1)
    return Job(
        execution_id="e", phase="p", call="fit", code={}, context={}, inputs={}, limits=limits, collect=folder / "out",
        device=device,
    )  # fmt: skip


def pool(*devices: Gpu, **uses: list[Use]) -> Gpus:
    named = {f"GPU-{name[1:]}": answers for name, answers in uses.items()}
    return Gpus(ScriptedDriver(devices=list(devices), uses=named), settle_seconds=0.0)


class Slot:
    """A granting session over scripted ones, which remembers what was opened."""

    def __init__(self, gpus: Gpus | None) -> None:
        self.plain = ScriptedSession(lambda _: ExecutionReport(status=Status.STATUS_OK))
        self.opened: list[tuple[Gpu, ScriptedSession]] = []
        self.session = GrantingSession(plain=self.plain, open_with=self.open, find=lambda: gpus)

    def open(self, gpu: Gpu) -> Session:
        self.opened.append((gpu, ScriptedSession(lambda _: ExecutionReport(status=Status.STATUS_OK))))
        return self.opened[-1][1]


def test_slots_are_spread_over_devices() -> None:
    """Each keeps to one; a device that was left is free for the next."""
    gpus = pool(FIRST, SECOND)

    assert [gpus.assign() for _ in range(3)] == [FIRST, SECOND, FIRST]
    gpus.leave(FIRST)
    gpus.leave(FIRST)
    assert gpus.assign() == FIRST
    assert len(gpus) == 2


def test_a_device_that_is_not_idle_is_used_no_more(tmp_path: Path) -> None:
    """The report and everybody who asks for it are told; the slot moves on to another device."""
    slot = Slot(gpus := pool(FIRST, SECOND, _1=[Use(), Use(processes=(7, 9), memory_bytes=1 << 30)]))

    report = slot.session.run(job(tmp_path))

    assert [(found.kind, found.subject) for found in report.violations] == [("gpu", "GPU-1")]
    assert "process 7, 9, 1024 MiB more than before. It is not used again" in report.violations[0].detail
    assert slot.opened[0][1].closed
    assert not slot.session.run(job(tmp_path)).violations
    assert [gpu for gpu, _ in slot.opened] == [FIRST, SECOND]
    assert gpus.assign() == SECOND


def test_memory_that_stays_is_enough_to_refuse_a_device(tmp_path: Path) -> None:
    """In a container the driver tells of no processes. With no device left the reason is told."""
    slot = Slot(gpus := pool(FIRST, _1=[Use(memory_bytes=1 << 20), GROWN]))
    slot.session.run(job(tmp_path))

    assert "no process that can be seen, 511 MiB" in (gpus.refusal(FIRST) or "")
    with pytest.raises(SandboxUnavailable, match="was not idle after an execution"):
        slot.session.run(job(tmp_path))


def test_the_driver_has_time_to_free_what_the_dead_held(tmp_path: Path) -> None:
    """A device that is idle a moment later is idle."""
    gpus = Gpus(ScriptedDriver(devices=[FIRST], uses={"GPU-1": [Use(), GROWN, GROWN, Use()]}))
    slot = Slot(gpus)

    assert not slot.session.run(job(tmp_path)).violations
    assert gpus.refusal(FIRST) is None


def test_a_device_that_others_use_is_not_taken(tmp_path: Path) -> None:
    """Nothing runs; once they are gone it can be had."""
    slot = Slot(pool(FIRST, _1=[Use(processes=(7,)), Use()]))

    with pytest.raises(SandboxUnavailable, match="is in use by process 7"):
        slot.session.run(job(tmp_path))
    assert not slot.opened[0][1].jobs
    assert slot.session.run(job(tmp_path)).status == Status.STATUS_OK


def test_a_device_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    """It fell off the bus, say."""

    class Silent(ScriptedDriver):
        def use(self, gpu: Gpu) -> Use:
            if self.uses.pop("once", None) is None:
                raise SandboxUnavailable("it does not answer")
            return Use()

    slot = Slot(gpus := Gpus(Silent(devices=[FIRST], uses={"once": []})))
    assert slot.session.run(job(tmp_path)).violations[0].detail == "it does not answer"
    assert gpus.refusal(FIRST) == "it does not answer"


def test_only_jobs_that_ask_for_a_gpu_see_one(tmp_path: Path) -> None:
    """The rest run as on any machine; what runs on a device is told which."""
    slot = Slot(pool(FIRST))
    slot.session.run(job(tmp_path, "cpu"))
    assert not slot.opened
    slot.session.run(job(tmp_path))
    slot.session.run(job(tmp_path))

    assert [one.gpu for one in slot.plain.jobs] == [""]
    assert [one.gpu for one in slot.opened[0][1].jobs] == ["GPU-1", "GPU-1"]
    slot.session.close()
    slot.session.close()
    assert (slot.plain.closed, slot.opened[0][1].closed) == (True, True)


def test_without_a_driver_everything_runs_as_before(tmp_path: Path) -> None:
    """Also a job that asks: its code finds no GPU and says so."""
    slot = Slot(None)
    assert slot.session.run(job(tmp_path)).status == Status.STATUS_OK
    assert len(slot.plain.jobs) == 1


def test_a_backend_that_shows_no_gpu_keeps_none(tmp_path: Path) -> None:
    """The device is free for another slot."""
    gpus = pool(FIRST, SECOND)
    slot = Slot(gpus)
    session = GrantingSession(
        plain=slot.plain, open_with=lambda gpu: granted("landlock", gpu).open(), find=lambda: gpus
    )
    with pytest.raises(SandboxUnavailable, match="'landlock' shows no GPU"):
        session.run(job(tmp_path))
    assert gpus.assign() == FIRST
    assert [granted(name, FIRST).name for name in ("docker", "bubblewrap", "process")] == [
        "docker",
        "bubblewrap",
        "process",
    ]


def test_executions_on_one_device_wait_for_one_another(tmp_path: Path) -> None:
    """And one that waits can be cancelled."""
    gpus = pool(FIRST)
    waiting, slot = threading.Event(), Slot(gpus)

    def cancel() -> None:
        waiting.wait(5)
        slot.session.cancel()

    thread = threading.Thread(target=cancel)
    with gpus.held(FIRST, unwanted=lambda: False) as held:
        assert held
        thread.start()
        waiting.set()
        report = slot.session.run(job(tmp_path))
        thread.join()

    assert (report.status, report.execution_id) == (Status.STATUS_CANCELLED, "e")
    assert (tmp_path / "out").is_dir()
    assert not slot.opened[0][1].jobs


class Library(SimpleNamespace):
    """What of `pynvml` is used, with one device."""

    class NVMLError(Exception):
        """As there."""

    def __init__(self, *, broken: str = "") -> None:
        super().__init__()
        for name, answer in {
            "Init": None, "DeviceGetCount": 1, "DeviceGetHandleByIndex": "h", "DeviceGetHandleByUUID": "h", "DeviceGetUUID": b"GPU-1",
            "DeviceGetName": "One", "DeviceGetMinorNumber": 0, "DeviceGetMemoryInfo": SimpleNamespace(total=8 << 30, used=5),
            "DeviceGetComputeRunningProcesses": [SimpleNamespace(pid=7), SimpleNamespace(pid=9)],
            "DeviceGetGraphicsRunningProcesses": [SimpleNamespace(pid=7)],
        }.items():  # fmt: skip
            setattr(self, f"nvml{name}", self._answering(answer, fails=name == broken))

    def _answering(self, answer: Any, *, fails: bool) -> Any:
        def call(*_: object) -> Any:
            if fails:
                raise self.NVMLError("Driver Not Loaded")
            return answer

        return call


@pytest.fixture
def no_devices_yet() -> Iterator[None]:
    local_gpus.cache_clear()
    yield
    local_gpus.cache_clear()


@pytest.mark.usefixtures("no_devices_yet")
def test_the_driver_is_asked_by_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which devices there are, and what computes on them: a desktop that draws is no reason not to use one."""
    monkeypatch.setitem(sys.modules, "pynvml", Library())  # type: ignore[arg-type]  # as good as a module
    driver = Nvml.find()

    assert driver is not None
    assert driver.gpus() == [FIRST]
    assert driver.use(FIRST) == Use(processes=(9,), memory_bytes=5)
    gpus = local_gpus()
    assert gpus is not None
    assert gpus is local_gpus()


@pytest.mark.usefixtures("no_devices_yet")
def test_a_machine_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one where the library is missing."""
    monkeypatch.setitem(sys.modules, "pynvml", Library(broken="Init"))  # type: ignore[arg-type]  # as above
    assert local_gpus() is None
    monkeypatch.setitem(sys.modules, "pynvml", None)  # type: ignore[arg-type]  # importing it fails
    assert Nvml.find() is None


def test_a_driver_that_fails_is_told() -> None:
    """With the device, and where to look."""
    with pytest.raises(SandboxUnavailable, match=r"One \(GPU-1\) does not answer: Driver Not Loaded.*nvidia-smi"):
        Nvml(Library(broken="DeviceGetMemoryInfo")).use(FIRST)
    with pytest.raises(SandboxUnavailable, match="does not tell of its GPUs: Driver Not Loaded"):
        Nvml(Library(broken="DeviceGetMinorNumber")).gpus()


def test_the_fake_fails_loudly() -> None:
    """Where its script says nothing of a device; a machine without any has none to assign."""
    with pytest.raises(ScriptExhausted):
        ScriptedDriver(devices=[FIRST], uses={"GPU-1": []}).use(FIRST)
    with pytest.raises(SandboxUnavailable, match="no GPU on this machine"):
        pool().assign()


def test_docker_asks_the_engine_for_one_device(tmp_path: Path) -> None:
    """By its unique name; without a grant it asks for none."""
    configs = [
        DockerLauncher("i", Seclusion.SINGLE_USE, cpus=1, gpu=gpu).config(tmp_path, tmp_path, {}, 1)
        for gpu in (FIRST, None)
    ]

    assert configs[0]["HostConfig"]["DeviceRequests"] == [
        {"Driver": "nvidia", "DeviceIDs": ["GPU-1"], "Capabilities": [["gpu", "compute", "utility"]]}
    ]
    assert "CUDA_VISIBLE_DEVICES=GPU-1" in configs[0]["Env"]
    assert "DeviceRequests" not in configs[1]["HostConfig"]


def test_docker_without_an_image_for_gpus_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to run in one without the libraries."""
    monkeypatch.setattr(docker_backend, "status_of", lambda path: 404)
    with pytest.raises(SandboxUnavailable, match="autoglm sandbox build --gpu"):
        docker_backend._image_for_gpus()


def test_bubblewrap_shows_the_files_of_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own and the driver's two, and the driver's libraries where they lie elsewhere; without a grant none of them."""
    (tmp_path / "driver" / "lib64").mkdir(parents=True)
    monkeypatch.setattr(subject, "DRIVER_FOLDERS", (str(tmp_path / "driver"),))
    monkeypatch.setattr(bubblewrap, "DRIVER_FOLDERS", (str(tmp_path / "driver"), "/usr"))
    launchers = [BubblewrapLauncher(Path("/bwrap"), Seclusion.NAMESPACES, gpu=gpu) for gpu in (SECOND, None)]
    with Mounts(as_root=False) as mounts:
        shown, bare = (" ".join(launcher.command(mounts, tmp_path, 0, {})) for launcher in launchers)

    for name in ("nvidia3", "nvidiactl", "nvidia-uvm"):
        assert f"--dev-bind /dev/{name} /dev/{name} " in shown
    assert f"--ro-bind {tmp_path}/driver {tmp_path}/driver" in shown
    assert f"--setenv CUDA_VISIBLE_DEVICES GPU-2 --setenv LD_LIBRARY_PATH {tmp_path}/driver/lib64" in shown
    assert "nvidia" not in bare
    assert shown.index("--dev /dev") < shown.index("/dev/nvidia3") < shown.index("--remount-ro /dev")


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has a driver")
def test_bubblewrap_says_which_device_file_is_missing() -> None:
    """And what makes them."""
    with pytest.raises(SandboxUnavailable, match=r"/dev/nvidiactl.*nvidia-modprobe"):
        BubblewrapSandbox(gpu=FIRST).open(cpus=1)


def test_a_device_that_bubblewrap_shows_can_be_opened(tmp_path: Path) -> None:
    """With one that is harmless in place of a GPU; other code of the same kind does not see it."""

    class Harmless(Gpu):
        files = (DEVICE,)

    code = f"print(os.path.exists('{DEVICE}') and os.close(os.open('{DEVICE}', os.O_RDWR)))"
    gpu = Harmless(uuid="GPU-3", name="Three", minor=0, memory_bytes=1)
    said = []
    for sandbox in (BubblewrapSandbox(imports=(), gpu=gpu), BubblewrapSandbox(imports=())):
        with closing(sandbox.open(cpus=1)) as session:
            said.append(Bench(session, tmp_path).run(code))

    assert said[0].stdout.head == "None\n", said[0].stderr.head
    assert said[1].stdout.head == ("None\n" if DEVICE.name == "zero" else "False\n")


def test_a_process_is_told_of_its_device_alone(tmp_path: Path) -> None:
    """Nothing keeps it from others, but libraries heed what they are told; the report names the device."""
    for gpu, told in ((FIRST, "GPU-1"), (None, "")):
        with closing(ProcessSandbox(imports=(), gpu=gpu).open(cpus=1)) as session:
            bench = Bench(session, tmp_path)
            work = bench.job("print(os.environ['CUDA_VISIBLE_DEVICES'])")
            report = session.run(replace(work, gpu=told))
        assert report.stdout.head == f"{told}\n"
        assert report.isolation.device == told


COUNT = """
import ctypes
cuda = ctypes.CDLL('libcuda.so.1')
count, memory = ctypes.c_int(), ctypes.c_size_t()
print(cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count)), count.value)
"""


@pytest.mark.gpu
def test_code_sees_the_one_device_that_it_was_granted(tmp_path: Path) -> None:
    """In bubblewrap: the driver starts, counts one device, and is idle afterwards."""
    gpus = local_gpus()
    assert gpus is not None, "no GPU, or nvidia-ml-py is not installed"
    plain = BubblewrapSandbox(imports=()).open(cpus=1)
    session = GrantingSession(plain=plain, open_with=lambda gpu: granted("bubblewrap", gpu).open(cpus=1))
    with closing(session):
        bench = Bench(session, tmp_path)
        work = bench.job(COUNT)
        report = session.run(replace(work, device="cuda"))
        blind = session.run(bench.job("print(os.path.exists('/dev/nvidiactl'))"))

    assert report.stdout.head == "0 0 1\n", report.stderr.head
    assert report.isolation.device.startswith("GPU-")
    assert not report.violations
    assert blind.stdout.head == "False\n"


def test_memory_is_not_bounded_by_addresses_on_a_gpu(tmp_path: Path) -> None:
    """CUDA maps far more than it uses; on a processor alone the bound is what holds where nothing else can."""
    session = ProcessSandbox(imports=()).open(cpus=1)
    assert isinstance(session, SupervisedSession)
    with closing(session):
        server: Any = SimpleNamespace(inside=session._launcher.inside(tmp_path), group=None)
        work = job(tmp_path, "cpu")
        bounded = session._request(server, work)["rlimits"]
        free = session._request(server, replace(work, gpu="G"))["rlimits"]
    assert "DATA" in bounded
    assert "DATA" not in free
