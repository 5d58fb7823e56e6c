"""The command that serves a choice: every flag of `vllm serve`, and why it is there.

The server is reached from this machine alone. vLLM's API key guards a part of its paths only, so that no option lets it listen elsewhere:
a proxy that asks for a password is what stands before it where others are to use it.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.agents.glm.serving.choosing import Choice
from open_autoglm.agents.glm.serving.programs import Program
from open_autoglm.errors import InputError

LOOPBACK = "127.0.0.1"
STRUCTURED = {"backend": "xgrammar", "disable_any_whitespace": True}
"""Without the second a weak model fills its answer with spaces, which a grammar for JSON allows without end."""
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""That vLLM allows as the largest of LoRA adapters."""
ADAPTERS = 4
"""In use at the same time, at least."""
OURS = (
    "--host",
    "--port",
    "--uds",
    "--config",
    "--grpc",
    "--grpc-port",
    "--headless",
    "--served-model-name",
    "--api-key",
)
"""Flags that decide where the server is reached, by whom, and whether we find it: they are not passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user wants of the server."""

    port: int
    adapters: Mapping[str, Path] = field(default_factory=dict)
    """LoRA adapters by name. With any, more can be loaded while the server runs."""
    extra: Sequence[str] = ()
    """Further flags for `vllm serve`, which win over those chosen here."""
    api_key: str | None = None
    models_folder: Path = Path("~/.cache/huggingface")
    """Where a container finds what was fetched before, and leaves what it fetches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A server as it is started."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    """What is set beside what this process has."""
    secrets: Mapping[str, str]
    """Likewise; never shown."""
    name: str
    port: int
    container: str | None

    @property
    def root_url(self) -> str:
        """Where health and metrics are."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def base_url(self) -> str:
        """The endpoint."""
        return f"{self.root_url}/v1"

    def as_shell(self) -> str:
        """Return the command as one would type it."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return " ".join([*settings, shlex.join(self.argv)])


def prepare(choice: Choice, wishes: Wishes, program: Program) -> Launch:
    """Return how the choice is served.

    Raises:
        InputError: A flag that is not for the user, or an adapter that is none.
    """
    _refuse(wishes.extra)
    if not 0 < wishes.port < 1 << 16:
        raise InputError(f"--port {wishes.port}: ports are 1 to 65535.")
    flags = ["serve", choice.source, *_flags(choice, wishes), *wishes.extra]
    environment = _environment(choice, wishes)
    secrets = {} if wishes.api_key is None else {"VLLM_API_KEY": wishes.api_key}
    if program.image is None:
        return Launch(
            argv=[program.path, *flags],
            environment=environment | _visible(choice),
            secrets=secrets,
            name=choice.name,
            port=wishes.port,
            container=None,
        )
    container = f"autoglm-glm-{wishes.port}"
    return Launch(
        argv=[program.path, *_container(choice, wishes, environment, secrets, container), program.image, *flags],
        environment={},
        secrets=secrets,
        name=choice.name,
        port=wishes.port,
        container=container,
    )


def _refuse(extra: Sequence[str]) -> None:
    """Refuse flags that are ours, also in vLLM's other spellings: underscores, and any beginning that is clear."""
    for word in extra:
        name = word.split("=", 1)[0].replace("_", "-")
        if name.startswith("--") and len(name) > 2 and any(flag == name or flag.startswith(name) for flag in OURS):
            raise InputError(
                f"{word.split('=', 1)[0]} is not passed on to vLLM: the server listens on {LOOPBACK} alone, because its API key guards only a part of it. "
                "For others, put a proxy that asks for a password before it; --port sets the port."
            )


def _flags(choice: Choice, wishes: Wishes) -> list[str]:
    family = choice.family
    flags = ["--host", LOOPBACK, "--port", str(wishes.port), "--served-model-name", choice.name]
    flags += ["--tensor-parallel-size", str(choice.parallel)] if choice.parallel > 1 else []
    flags += ["--enable-expert-parallel"] if family.experts and choice.parallel > 1 else []
    flags += ["--max-model-len", "auto" if choice.context is None else str(choice.context)]
    flags += ["--enable-prefix-caching", "--enable-prompt-tokens-details"]
    flags += ["--structured-outputs-config", json.dumps(STRUCTURED, separators=(",", ":"))]
    if family.reasoning_parser:
        flags += ["--reasoning-parser", family.reasoning_parser]
    if family.tool_parser:
        flags += ["--enable-auto-tool-choice", "--tool-call-parser", family.tool_parser]
    if choice.drafts and not wishes.adapters:
        drafting = {"method": "mtp", "num_speculative_tokens": choice.drafts}
        flags += ["--speculative-config", json.dumps(drafting, separators=(",", ":"))]
    flags += [*family.flags, *choice.flags, "--disable-uvicorn-access-log"]
    return [*flags, *_adapters(wishes.adapters)]


def _adapters(adapters: Mapping[str, Path]) -> list[str]:
    if not adapters:
        return []
    rank = max(_rank(name, folder) for name, folder in adapters.items())
    flags = ["--enable-lora", "--max-loras", str(max(ADAPTERS, len(adapters))), "--max-lora-rank", str(rank)]
    return [*flags, "--lora-modules", *(f"{name}={folder.absolute()}" for name, folder in adapters.items())]


def _rank(name: str, folder: Path) -> int:
    """Return the least rank that vLLM allows and the adapter fits in."""
    path = folder / "adapter_config.json"
    try:
        rank = int(json.loads(path.read_text(encoding="utf-8"))["r"])
        return next(allowed for allowed in RANKS if rank <= allowed)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        raise InputError(
            f"--lora {name}={folder}: no adapter that can be served is there: {path.name} is missing, or names no rank up to {RANKS[-1]}."
        ) from None


def _environment(choice: Choice, wishes: Wishes) -> dict[str, str]:
    """Return what vLLM reads: nobody is told of its use, and what lies here is not looked up elsewhere."""
    environment = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if choice.local:
        environment["HF_HUB_OFFLINE"] = "1"
    if wishes.adapters:
        environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "True"
    return environment | choice.environment


def _visible(choice: Choice) -> dict[str, str]:
    """Number GPUs as nvidia-smi does, which CUDA by itself does not."""
    if not choice.gpus:
        return {}
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(choice.gpus)}


def _container(
    choice: Choice, wishes: Wishes, environment: Mapping[str, str], secrets: Mapping[str, str], name: str
) -> list[str]:
    """Return the words of `docker run` before the image. The host's network, so that loopback means this machine's."""
    words = ["run", "--rm", "--init", "--name", name, "--network", "host", "--ipc", "host"]
    if choice.gpus:
        words += ["--gpus", f'"device={",".join(choice.gpus)}"']
    elif not choice.local:  # a command that is only shown
        words += ["--gpus", str(choice.parallel)]
    words += [word for key, value in environment.items() for word in ("--env", f"{key}={value}")]
    words += [word for key in secrets for word in ("--env", key)]  # its value comes from the environment of docker
    words += ["--volume", f"{wishes.models_folder.expanduser().absolute()}:/root/.cache/huggingface"]
    folders = [*([Path(choice.source)] if choice.local else []), *wishes.adapters.values()]
    words += [word for folder in folders for word in ("--volume", f"{folder.absolute()}:{folder.absolute()}:ro")]
    return [*words, "--entrypoint", "vllm"]
