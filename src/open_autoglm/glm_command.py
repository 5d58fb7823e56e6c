"""What `autoglm glm` does: serve a model on this machine's GPUs, and tell how an endpoint fares."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from pydantic import SecretStr

from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.agents.glm.serving.choosing import Choice, choose
from open_autoglm.agents.glm.serving.gpus import detect_gpus
from open_autoglm.agents.glm.serving.launching import LOOPBACK, Launch, Wishes, prepare
from open_autoglm.agents.glm.serving.programs import IMAGE, Program, find_program
from open_autoglm.agents.glm.serving.server import LOOK_SECONDS, Server, serving
from open_autoglm.agents.glm.serving.status import Pages, Status, look
from open_autoglm.errors import InputError, Interrupted, ServerFailed
from open_autoglm.front import Front
from open_autoglm.settings import Settings, api_key, cache_folder, load_settings

DEFAULT_URL = f"http://{LOOPBACK}:8000/v1"
"""Where vLLM is by default."""


def serve_command(
    front: Front,
    model: str | None,
    flags: Sequence[str],
    *,
    gpus: int | None,
    port: int,
    lora: Sequence[str],
    vllm: Path | None,
    docker: bool,
    dry_run: bool,
) -> int:
    """Serve until a signal ends it; 130 if that was before it answered."""
    choice = choose(model, detect_gpus(os.environ.get("CUDA_VISIBLE_DEVICES")), count=gpus)
    wishes = Wishes(port=port, adapters=_adapters(lora), extra=flags, api_key=api_key(), models_folder=_models_folder())
    front.terminal.tell(f"{choice.reason[:1].upper()}{choice.reason[1:]}.")
    if choice.drafts and wishes.adapters:
        front.terminal.tell("No tokens are guessed ahead: that was not tried together with adapters.")
    if dry_run:
        front.terminal.say(prepare(choice, wishes, _shown_program(vllm, docker=docker)).as_shell())
        return 0
    if not choice.gpus and not choice.local:
        raise InputError("No GPU was found (nvidia-smi), so that nothing can be served. --dry-run shows the command.")
    program = find_program(vllm, image=IMAGE if docker else None, own=cache_folder() / "vllm")
    launch = prepare(choice, wishes, program)
    _require_free(port)
    return _serve(front, choice, launch)


def _serve(front: Front, choice: Choice, launch: Launch) -> int:
    tell = front.terminal.tell
    log = cache_folder() / "glm" / f"serve-{launch.port}.log"
    tell(f"Starting {launch.argv[0]}. What it prints goes to {log}.")
    with _signals() as asked:
        try:
            with serving(launch, log, environment=os.environ) as server:
                if not server.await_ready(tell, stopped=asked):
                    raise Interrupted("Stopped before the model was served.")
                front.terminal.say(_how_to_use(choice, launch))
                _stay(server, asked)
                tell("Stopping.")
        except ServerFailed as error:
            for line in error.tail:
                tell(f"  {line}")
            raise
    return 0


def _stay(server: Server, asked: Callable[[], bool]) -> None:
    while not asked():
        server.check()
        time.sleep(LOOK_SECONDS)


def _how_to_use(choice: Choice, launch: Launch) -> str:
    status = (
        "autoglm glm status" if launch.base_url == DEFAULT_URL else f"autoglm glm status --base-url {launch.base_url}"
    )
    return "\n".join(
        [
            f"{choice.name} is served at {launch.base_url}",
            f"  export AUTOGLM_BASE_URL={launch.base_url}    # runs started in that shell use it",
            f"  {status}    # how it fares",
            "Ctrl-C stops it.",
        ]
    )


@contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Give a question that is answered yes once Ctrl-C, SIGTERM or SIGHUP came."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    heeded = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in heeded}
    try:
        yield lambda: bool(came)
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _adapters(named: Sequence[str]) -> Mapping[str, Path]:
    adapters = {}
    for text in named:
        name, sign, folder = text.partition("=")
        if not (name and sign and folder):
            raise InputError(f"--lora {text!r}: name an adapter and its folder, such as --lora mine=adapters/mine.")
        adapters[name] = Path(folder)
    return adapters


def _models_folder() -> Path:
    """Return where models that were fetched are kept, as their library has it."""
    return Path(os.environ.get("HF_HOME") or "~/.cache/huggingface")


def _shown_program(vllm: Path | None, *, docker: bool) -> Program:
    """Return a program for a command that is only shown: none has to be there."""
    return Program(path="docker", image=IMAGE) if docker else Program(path="vllm" if vllm is None else str(vllm))


def _require_free(port: int) -> None:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((LOOPBACK, port))
        except OSError as error:
            raise InputError(
                f"Port {port} cannot be had ({error.strerror}). `autoglm glm status` says what is served there; --port names another one."
            ) from None


def status_command(front: Front, base_url: str | None, *, as_json: bool) -> int:
    """Print how the named endpoint fares: the option's, the settings', or the one on vLLM's default port."""
    endpoint = named_endpoint(load_settings().values, base_url) or Endpoint(base_url=DEFAULT_URL)
    with Pages(endpoint) as pages:
        status = look(pages)
    if as_json:
        front.terminal.say_json({"base_url": endpoint.shown, **asdict(status), **_share(status)})
    else:
        front.terminal.say(_status_text(endpoint.shown, status))
    return 0


def named_endpoint(settings: Settings, base_url: str | None) -> Endpoint | None:
    """Return the endpoint that an option or, without it, the settings name; None if neither does.

    Raises:
        SettingsError: The address is none.
    """
    named = base_url or (None if settings.base_url is None else str(settings.base_url))
    if named is None:
        return None
    key = api_key()
    return Endpoint(base_url=named, model=settings.model, api_key=None if key is None else SecretStr(key))


def _share(status: Status) -> dict[str, float | None]:
    return {"prefix_share": None if status.counts is None else status.counts.prefix_share}


def _status_text(url: str, status: Status) -> str:
    lines = [url]
    for model in status.models:
        context = "unknown" if model.context_tokens is None else f"{model.context_tokens:,} tokens"
        lines.append(f"model     {model.name}, context {context}")
    lines.append(f"adapters  {', '.join(status.adapters) or 'none'}")
    counts = status.counts
    if counts is None:
        return "\n".join([*lines, "load      unknown: it shows no metrics of vLLM"])
    share = (
        "nothing asked yet"
        if counts.prefix_share is None
        else f"{counts.prefix_share:.1%} of prompt tokens were found in it"
    )
    return "\n".join(
        [
            *lines,
            f"load      {counts.running} running, {counts.waiting} waiting, {counts.cache_usage:.0%} of the room for context in use, "
            f"{counts.preemptions} had to make room",
            f"speed     {status.written_per_second or 0:,.1f} tokens/s written, {status.read_per_second or 0:,.1f} read",
            f"tokens    {counts.output_tokens:,} written, {counts.prompt_tokens:,} read since it started",
            f"prefixes  {share}",
        ]
    )
