"""Docker: the shared contracts in real containers, and what is its own; the first part needs no engine."""

import hashlib
import importlib.metadata
import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.wheels import wheel

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends import docker as backend
from open_autoglm.sandbox.backends import engine as described
from open_autoglm.sandbox.backends import image as images
from open_autoglm.sandbox.backends import janitor
from open_autoglm.sandbox.backends.container import ContainerGroup
from open_autoglm.sandbox.backends.docker import DockerLauncher, DockerSandbox
from open_autoglm.sandbox.backends.image import image_name, locked
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import Bench, SandboxContract
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.contracts.isolation_contract import IsolationContract
from open_autoglm.sandbox.contracts.packages_contract import PackagesContract
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.packages.provisioned import installed_in
from open_autoglm.sandbox.policy import default_policy
from open_autoglm.sandbox.supervision.owner import is_gone, owner
from open_autoglm.sandbox.supervision.session import SupervisedSession


@pytest.fixture(scope="module")
def engine() -> Any:
    """The engine, once the backend is ready. Where CI runs, tests that are left out would prove nothing."""
    ready = DockerSandbox().probe()
    demand(there=ready.ready, reason=ready.reason)
    assert ready.ready, ready.reason
    return backend.engine()


class FakeEngine:
    """Answers what is asked before a container is started."""

    def __init__(self, *runtimes: str) -> None:
        self.runtimes = runtimes

    def inspect_image(self, _: str) -> dict[str, str]:
        return {"Id": "sha256:1"}

    def version(self) -> dict[str, Any]:
        return {"Components": [{"Name": "Engine", "Version": "28"}, {"Name": "runc", "Version": "1.3"}]}

    def info(self) -> dict[str, Any]:
        return {
            "Runtimes": {name: {} for name in self.runtimes},
            "CgroupVersion": "2",
            "CgroupDriver": "systemd",
            "Driver": "overlay2",
        }

    def containers(self, **_: object) -> list[Any]:
        return []


@pytest.mark.parametrize(("runtimes", "tier"), [(("runc", "runsc"), "docker/gvisor"), (("runc",), "none")])
def test_a_runtime_is_used_where_the_engine_has_it(
    monkeypatch: pytest.MonkeyPatch, runtimes: tuple[str, ...], tier: str
) -> None:
    """A container for each execution, tried as any other way; else the message says what there is and how to get it."""
    tried: list[DockerLauncher] = []
    monkeypatch.setattr(backend, "missing_engine", lambda: None)
    monkeypatch.setattr(backend, "status_of", lambda _: 200)
    monkeypatch.setattr(backend, "engine", lambda: FakeEngine(*runtimes))
    monkeypatch.setattr(described, "engine", lambda: FakeEngine(*runtimes))
    monkeypatch.setattr(backend, "problem_with", tried.append)
    backend._working.cache_clear()
    readiness = DockerSandbox(runtime="runsc").probe()
    backend._working.cache_clear()

    assert (readiness.ready, readiness.tier) == (tier != "none", tier)
    assert readiness.details["runtimes"] == " ".join(runtimes)
    if readiness.ready:
        assert [launcher.seclusion for launcher in tried] == [Seclusion.SINGLE_USE]
        assert tried[0].config(Path("/b"), Path("/l"), {}, 1)["HostConfig"]["Runtime"] == "runsc"
    else:
        assert "no runtime 'runsc'; it has: runc. Install gVisor" in readiness.reason


def test_the_container_is_asked_for_hardened(tmp_path: Path) -> None:
    """What the engine is told, in its own words."""
    config = DockerLauncher("image", Seclusion.SINGLE_USE, cpus=1).config(
        tmp_path, tmp_path / "line", {"PYTHONPATH": "/host", "A": "b"}, 4711
    )
    host = config["HostConfig"]

    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
    assert (host["IpcMode"], host["LogConfig"], host["AutoRemove"]) == ("private", {"Type": "none"}, True)
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] > 0
    assert host["CpuQuota"] == host["CpuPeriod"]
    assert config["User"] == "4711:4711"
    assert "A=b" in config["Env"]
    assert "PYTHONPATH=" in config["Env"]
    assert all(bind.endswith(":ro") for bind in host["Binds"])
    assert all("nosuid,nodev,size=" in options and "nr_inodes=" in options for options in host["Tmpfs"].values())
    assert "Privileged" not in host
    assert not is_gone(config["Labels"][janitor.LABEL])


def test_system_calls_are_refused_unless_listed() -> None:
    """Namespaces, mounts, traces, keys, io_uring and the like are not on the list; sockets are of four families."""
    profile = json.loads(backend.SECCOMP.read_text(encoding="utf-8"))
    allowed = [rule for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
    freely = {name for rule in allowed if "args" not in rule for name in rule["names"]}

    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {"read", "futex", "pidfd_open", "memfd_create", "rseq"} <= freely
    assert freely.isdisjoint(
        {"socket", "clone", "clone3", "unshare", "setns", "mount", "ptrace", "process_vm_readv", "keyctl", "bpf",
         "io_uring_setup", "userfaultfd", "perf_event_open", "kexec_load", "init_module", "reboot", "chroot", "fsopen"}
    )  # fmt: skip
    assert "io_uring_setup" in backend.seccomp_profile(default_policy())["syscalls"][-1]["names"], (
        "refused within, and reported"
    )
    families = {rule["args"][0]["value"] for rule in allowed if rule["names"] == ["socket"]}
    assert families == {1, 2, 10, 16}


def test_the_image_is_named_for_all_that_goes_in() -> None:
    """Its packages have the versions of this installation, and what they need comes along."""
    pins = dict(line.split("==") for line in locked())

    assert {"numpy", "pandas", "scikit-learn", "lightgbm", "python-dateutil", "pyzmq"} <= set(pins)
    assert image_name().startswith("open-autoglm-sandbox:cpu-")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index without a network: pip itself, and what passes for PyTorch."""
    folder = tmp_path / "index"
    wheel(folder, "torch", "99.0", needs=["numpy"], files={"torch/__init__.py": "__version__ = '99.0'\n"})
    for name in ("numpy", "needed"):
        wheel(folder, name, dict(line.split("==") for line in locked()).get(name, "1.0"))
    pip = importlib.metadata.distribution("pip")
    with zipfile.ZipFile(folder / f"pip-{pip.version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as packed:
        for file in pip.files or ():
            if file.parts[0].startswith("pip") and file.suffix != ".pyc":
                packed.write(str(file.locate()), str(file))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(images, "wished_for_gpus", lambda: "torch==99.0")
    image_name.cache_clear()
    yield folder
    image_name.cache_clear()


@pytest.mark.slow
def test_what_a_build_gets_is_locked(index: Path, tmp_path: Path) -> None:
    """To version and hash; what the image below holds is not in the one on top."""
    context = tmp_path / "context"
    context.mkdir()
    images.fill(context, "gpu", ["torch==99.0"], say=str, more=["-c", os.devnull], there=locked())

    lines = (context / "requirements.txt").read_text().splitlines()
    digest = hashlib.sha256((index / "torch-99.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert lines == [f"torch==99.0 --hash=sha256:{digest}"]
    assert sorted(path.name.split("-")[0] for path in (context / "wheels").iterdir()) == ["pip", "torch"]
    assert "FROM ${BASE}" in (context / "Dockerfile").read_text()
    with pytest.raises(SandboxUnavailable, match="could not be fetched"):
        images.fill(context, "gpu", ["absent==1"], say=str, more=[])


def test_the_image_for_gpus_is_named_for_all_that_goes_in() -> None:
    """The image below it, and PyTorch in the version that is installed here, or the range that this package takes."""
    assert image_name("gpu").startswith("open-autoglm-sandbox:gpu-")
    assert re.fullmatch(r"torch(==[0-9.]+|[<>].*)", images.wished_for_gpus())


@pytest.mark.docker
def test_an_image_for_gpus_is_built_on_top_of_the_other(engine: Any, index: Path, tmp_path: Path) -> None:
    """Code finds PyTorch there beside everything else; a GPU, and PyTorch itself, are not needed for that."""
    name = images.build_gpu(base=None, debootstrap=False, index=None, say=str)
    try:
        launcher = DockerLauncher(engine.inspect_image(name)["Id"], Seclusion.NAMESPACES, cpus=1)
        with closing(SupervisedSession(launcher, cpus=1, imports=())) as session:
            report = Bench(session, tmp_path).run("import numpy, torch; print(torch.__version__, torch.__file__)")
        assert report.stdout.head == "99.0 /opt/gpu/torch/__init__.py\n", report.stderr.head
        assert images.added_for_gpus() == ("torch==99.0",)
        assert installed_in(DockerSandbox().probe(), gpu=True)["torch"] == "99.0"
        layers = engine.inspect_image(name)["RootFS"]["Layers"]
        below = engine.inspect_image(image_name())["RootFS"]["Layers"]
        assert layers[: len(below)] == below
    finally:
        engine.remove_image(name, force=True)  # its last container is on its way out


def test_owners_are_told_apart() -> None:
    """This process lives; one of an earlier start of the machine, or whose number another process has now, does not."""
    mine = owner()
    boot, namespace, pid, began = mine.split("/")

    assert not is_gone(mine)
    assert is_gone(f"other/{namespace}/{pid}/{began}")
    assert is_gone(f"{boot}/{namespace}/{pid}/1")
    assert not is_gone(f"{boot}/1/{pid}/1")


def test_the_group_of_a_container_is_found_in_both_versions(tmp_path: Path) -> None:
    """What was used before an execution is room on top of its limit, and not its peak."""
    lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    places = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
    mixed = "memory" in places and "pids" in places
    names = {"memory": tmp_path / "memory", "pids": tmp_path / "pids"} if mixed else {"": tmp_path}
    for name, folder in names.items():
        where = folder / places[name].lstrip("/")
        where.mkdir(parents=True)
        used, peak = ("usage_in_bytes", "max_usage_in_bytes") if mixed else ("current", "peak")
        (where / f"memory.{used}").write_text("100")
        (where / f"memory.{peak}").write_text("250")
        (where / "pids.current").write_text("3")
    group = ContainerGroup.of(os.getpid(), None, "", root=tmp_path)

    assert group is not None
    group.base_bytes = 100
    assert (group.counters().peak_bytes, group.counters().tasks) == (150, 3)
    assert ContainerGroup.of(os.getpid(), None, "", root=tmp_path / "nowhere") is None


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
class TestNamespaces(SandboxContract, PackagesContract, IsolationContract):
    """A container whose executions have namespaces of their own."""

    def make_sandbox(self) -> Sandbox:
        return DockerSandbox(imports=(), seclusion=Seclusion.NAMESPACES)


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
class TestSingleUse(SandboxContract, PackagesContract, IsolationContract):
    """A container for every execution, as where nested namespaces are refused."""

    def make_sandbox(self) -> Sandbox:
        return DockerSandbox(imports=(), seclusion=Seclusion.SINGLE_USE)


@pytest.mark.docker
def test_a_closed_session_leaves_no_container(engine: Any, tmp_path: Path) -> None:
    """Nor does one that was closed while a container was starting."""
    before = {record["Id"] for record in janitor.owned(engine)}
    session = DockerSandbox(imports=()).open(cpus=1)
    assert Bench(session, tmp_path).run("print(1)").stdout.head == "1\n"
    session.close()
    DockerSandbox(imports=()).open(cpus=1).close()

    end = time.monotonic() + 10
    while {record["Id"] for record in janitor.owned(engine)} - before and time.monotonic() < end:
        time.sleep(0.05)
    assert not {record["Id"] for record in janitor.owned(engine)} - before


@pytest.mark.docker
def test_containers_of_the_dead_are_removed(engine: Any) -> None:
    """Those of the living stay."""
    made = [
        engine.create_container_from_config({"Image": image_name(), "Labels": {janitor.LABEL: name}})["Id"]
        for name in ("another start/1/1/0", owner())
    ]
    try:
        assert made[0][:12] in janitor.tidy(engine)
        assert made[1] in {record["Id"] for record in janitor.owned(engine)}
    finally:
        engine.remove_container(made[1], force=True)


@pytest.mark.docker
def test_a_solution_runs_with_the_libraries_of_the_host(engine: Any, tmp_path: Path) -> None:
    """The same versions, and they can use threads and processes."""
    session = DockerSandbox(imports=("pandas", "joblib", "lightgbm")).open(cpus=1)
    code = """
import joblib, lightgbm, numpy, pandas, sklearn, multiprocessing
print(pandas.__version__, sklearn.__version__, lightgbm.__version__)
lightgbm.LGBMRegressor(n_estimators=2, verbose=-1, min_child_samples=1).fit(numpy.arange(20.).reshape(-1, 1), numpy.arange(20.))
print(sum(joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-i) for i in range(4))))
with multiprocessing.get_context('spawn').Pool(2) as pool: print(pool.map(abs, [-1, 2]))
"""
    report = Bench(session, tmp_path).run(
        "if __name__ == '__main__':\n" + "\n".join(f"    {line}" for line in code.splitlines())
    )
    session.close()
    pins = dict(line.split("==") for line in locked())

    versions = " ".join(pins[name] for name in ("pandas", "scikit-learn", "lightgbm"))
    assert report.stdout.head == f"{versions}\n6\n[1, 2]\n", report.stderr.head
    assert report.isolation.image == engine.inspect_image(image_name())["Id"]
