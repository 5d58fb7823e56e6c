"""Which model is chosen for which GPUs, the command that serves it, and what is refused. A change of the table shows in commands.txt."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from open_autoglm.agents.glm.serving.catalogue import GIGABYTE, catalogue
from open_autoglm.agents.glm.serving.choosing import Choice, choose
from open_autoglm.agents.glm.serving.gpus import Gpu, detect_gpus
from open_autoglm.agents.glm.serving.launching import Launch, Wishes, prepare
from open_autoglm.agents.glm.serving.programs import IMAGE, Program, find_program
from open_autoglm.errors import InputError, UnknownName

SNAPSHOT = Path(__file__).with_name("commands.txt")
VLLM = Program(path="vllm")
MACHINES = {
    "GeForce RTX 4090": (25.8, 8.9),
    "A100 40 GB": (42.9, 8.0),
    "H100": (85.5, 9.0),
    "H200": (150.8, 9.0),
    "B200": (192.3, 10.0),
}
"""Memory in GB and compute capability, as nvidia-smi tells of them."""


def gpus(number: int, name: str, *, used: float = 0.0) -> Sequence[Gpu]:
    memory, capability = MACHINES[name]
    return [
        Gpu(
            index=str(index),
            uuid=f"GPU-{index}",
            name=name,
            memory_bytes=int(memory * GIGABYTE),
            used_bytes=int(used * GIGABYTE),
            capability=capability,
        )
        for index in range(number)
    ]


def launch(choice: Choice, program: Program = VLLM, **wishes: object) -> Launch:
    return prepare(choice, Wishes(port=8000, **wishes), program)  # type: ignore[arg-type]


def checkpoint(folder: Path, architecture: str = "Glm4MoeForCausalLM") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture], "num_nextn_predict_layers": 1}))
    (folder / "model.safetensors").write_bytes(b"0" * 100)
    return folder


def snapshot() -> Iterator[str]:
    for model in catalogue().models:
        choice = choose(model.name, ())
        yield f"# {model.name}: {choice.reason}\n{launch(choice).as_shell()}\n"
    for name in MACHINES:
        for number in (1, 2, 4, 8):
            machine = gpus(number, name)
            try:
                choice = choose(None, machine)
            except InputError as error:
                yield f"# {number} x {name}: {error}\n"
            else:
                yield f"# {number} x {name}: {choice.reason}\n{launch(choice).as_shell()}\n"
    docker = launch(choose("glm-4.7", gpus(4, "H200")), Program(path="docker", image=IMAGE), models_folder=Path("/m"))
    yield f"# In a container\n{docker.as_shell()}\n"


def test_each_row_of_the_table_gives_its_command() -> None:
    """Every model, and what each usual machine is given. Delete commands.txt to have it written anew."""
    text = "\n".join(snapshot())
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.checkout
def test_the_page_says_what_the_table_says() -> None:
    """Each model has its row, with each memory and each context."""
    page = Path(__file__).parents[4].joinpath("docs", "glm.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `glm-")]
    for model in catalogue().models:
        (row,) = [row for row in rows if f"`{model.name}`" in row]
        for least, context in model.fits.items():
            assert f"{least:,} GB" in row
            assert f"{context:,}" in row


def test_no_command_listens_elsewhere_or_tells_anybody() -> None:
    """Loopback, and no statistics of use, whatever the model."""
    for model in catalogue().models:
        found = launch(choose(model.name, ()))
        assert found.argv[found.argv.index("--host") + 1] == "127.0.0.1"
        assert found.environment["VLLM_NO_USAGE_STATS"] == "1"
        assert "HF_HUB_OFFLINE" not in found.environment


@pytest.mark.parametrize(
    "flag",
    ["--host", "--host=0.0.0.0", "--hos", "--port", "--uds=/s", "--config", "--api_key", "--grpc-port", "--headless"],
)
def test_flags_that_would_open_the_server_are_refused(flag: str) -> None:
    """In each of the spellings that vLLM takes."""
    with pytest.raises(InputError, match="only a part of it"):
        launch(choose("glm-4.7", ()), extra=["--seed", "1", flag])


def test_other_flags_come_last_and_win() -> None:
    """What the user says after `--` stands behind ours."""
    argv = launch(choose("glm-4.7", ()), extra=["--max-model-len", "9"]).argv
    assert argv[-2:] == ["--max-model-len", "9"]


def test_a_key_is_never_in_the_command() -> None:
    """Whoever lists processes must not see it; a container takes it from its client's environment."""
    for program in (VLLM, Program(path="docker", image=IMAGE)):
        found = launch(choose("glm-4.7", ()), program, api_key="secret")
        assert "secret" not in found.as_shell()
        assert found.secrets == {"VLLM_API_KEY": "secret"}


def test_gpus_in_use_are_left_alone() -> None:
    """Three free of four give two; none free is said."""
    busy, free = gpus(4, "H100", used=40), gpus(4, "H100")
    choice = choose("glm-4.7-flash", [busy[0], *free[1:]])
    assert choice.gpus == ["1", "2"]
    assert "1 of 4 GPUs are in use" in choice.reason
    with pytest.raises(InputError, match="Every GPU is in use"):
        choose(None, busy)


@pytest.mark.parametrize(
    ("count", "words"), [(3, "1, 2, 4, 8, 16"), (8, "4 of 4 GPUs are free"), (1, "glm-4.7 wants 430 GB")]
)
def test_a_number_of_gpus_that_does_not_do_is_refused(count: int, words: str) -> None:
    """One that models are not divided by, more than there are, and too few."""
    with pytest.raises(InputError, match=words):
        choose("glm-4.7", gpus(4, "H200"), count=count)


def test_an_unknown_name_offers_the_nearest() -> None:
    """As every name does."""
    with pytest.raises(UnknownName, match=r"glm-4\.7-flash"):
        choose("glm-4.7-flsh", ())


def test_a_folder_is_served_as_what_it_holds(tmp_path: Path) -> None:
    """Offline, with the parsers of its family, as long a context as fits, and GPUs by the size of its weights."""
    folder = checkpoint(tmp_path / "mine")
    found = launch(choose(str(folder), gpus(2, "H100")))
    assert found.environment["HF_HUB_OFFLINE"] == "1"
    assert found.environment["CUDA_VISIBLE_DEVICES"] == "0"
    assert found.environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert found.argv[1:3] == ["serve", str(folder)]
    assert found.argv[found.argv.index("--max-model-len") + 1] == "auto"
    assert "glm47" in found.argv
    inside = launch(choose(str(folder), ()), Program(path="docker", image=IMAGE)).argv
    assert f"{folder}:{folder}:ro" in inside
    assert "--gpus" not in inside


def test_a_folder_without_a_glm_is_refused(tmp_path: Path) -> None:
    """Nothing there, no JSON, another architecture."""
    with pytest.raises(InputError, match="holds no model"):
        choose(str(tmp_path), ())
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="holds no model"):
        choose(str(tmp_path), ())
    with pytest.raises(InputError, match="LlamaForCausalLM, which is no GLM"):
        choose(str(checkpoint(tmp_path / "llama", "LlamaForCausalLM")), ())


def test_adapters_bring_hot_loading_and_stop_guessing_ahead(tmp_path: Path) -> None:
    """Their rank is read from their own settings and rounded to one that vLLM allows."""
    (tmp_path / "adapter_config.json").write_text('{"r": 12}')
    found = launch(choose("glm-4.7", ()), adapters={"mine": tmp_path})
    assert found.environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
    assert found.argv[found.argv.index("--max-lora-rank") + 1] == "16"
    assert found.argv[-1] == f"mine={tmp_path}"
    assert "--speculative-config" not in found.argv
    with pytest.raises(InputError, match=r"adapter_config\.json is missing"):
        launch(choose("glm-4.7", ()), adapters={"mine": tmp_path / "none"})


def test_vllm_is_found_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By program, environment or Python; in our own environment for it; on PATH; else how to get it is said."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    own, other = tmp_path / "own", tmp_path / "other"
    with pytest.raises(InputError, match=f"python3 -m venv {own}"):
        find_program(None, image=None, own=own)
    with pytest.raises(InputError, match="no vLLM at"):
        find_program(other, image=None, own=own)
    for environment in (own, other):
        program = environment / "bin" / "vllm"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    for named in (other, other / "bin", other / "bin" / "vllm", other / "bin" / "python3"):
        assert find_program(named, image=None, own=own).path == str(other / "bin" / "vllm")
    assert find_program(None, image=None, own=own).path == str(own / "bin" / "vllm")
    monkeypatch.setenv("PATH", str(other / "bin"))
    assert find_program(None, image=None, own=tmp_path).path == str(other / "bin" / "vllm")
    with pytest.raises(InputError, match="no docker program"):
        find_program(None, image=IMAGE, own=own)
    with pytest.raises(InputError, match="Give one of them"):
        find_program(other, image=IMAGE, own=own)


def nvidia_smi(folder: Path, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_gpus_are_read_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that CUDA_VISIBLE_DEVICES allows; none without the program; an answer that cannot be read is an error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert detect_gpus() == ()
    nvidia_smi(
        tmp_path, "echo '0, GPU-a, NVIDIA H200, 143771, 0, 9.0'; echo '1, GPU-b, NVIDIA H200, 143771, 90000, 9.0'"
    )
    first, second = detect_gpus()
    assert (first.name, first.free, second.free) == ("NVIDIA H200", True, False)
    assert round(first.memory_gb) == 151
    assert [gpu.index for gpu in detect_gpus("GPU-b")] == ["1"]
    assert [gpu.index for gpu in detect_gpus("0, 7")] == ["0"]
    for script in ("echo 'no devices'", "exit 9"):
        nvidia_smi(tmp_path, script)
        with pytest.raises(InputError, match="nvidia-smi"):
            detect_gpus()
