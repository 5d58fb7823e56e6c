"""Why a server did not start, from the last lines of its log: vLLM says it in many words, often long before the end."""

import re
from collections.abc import Sequence

KEPT_LINES = 15
LINE_CHARACTERS = 300
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_PREFIX = re.compile(r"^(\(\w+ pid=\d+\) )?((INFO|WARNING|ERROR) [\d-]+ [\d:]+ \[[^\]]*\] ?)?")
_RAISED = re.compile(r"[\w.]*(Error|Exception)\b.*:")
_CALM = re.compile(r"^(\(\w+ pid=\d+\) )?(INFO|WARNING)\b")

ADVICE: Sequence[tuple[str, str]] = (
    (r"unrecognized arguments|invalid choice", "This vLLM does not know a flag. Version 0.33 or newer is needed; or take the flag after -- away."),
    (r"address already in use", "Another program has the port. Name another one: --port."),
    (r"Free memory on device", "Another program uses the GPU: nvidia-smi shows which. End it, or wait."),
    (r"out of memory|OutOfMemoryError|No available memory for the cache|larger than the available KV cache|no room for the KV cache", "The GPU has too little memory for it. Take more GPUs (--gpus), a shorter context (-- --max-model-len 16384), or a smaller model."),
    (r"No CUDA GPUs are available|Failed to infer device type|NVIDIA driver|libcuda", "vLLM sees no GPU: its build and the driver have to fit. nvidia-smi shows the driver."),
    (r"GatedRepo|401 Client Error|403 Client Error", "The model has to be asked for: accept its licence where it is published, and set HF_TOKEN."),
    (r"not a valid model identifier|LocalEntryNotFound|OfflineModeIsEnabled|couldn't connect|Max retries exceeded|Name or service not known|Temporary failure in name resolution", "The model is not on this machine and cannot be fetched. Bring its folder here, and name that instead."),
    (r"does not recognize this architecture|are not supported for now|No model architectures", "This vLLM does not know the model: take a newer one."),
    (r"No space left on device", "The disk is full. HF_HOME says where models are kept."),
    (r"could not select device driver", "Docker cannot give GPUs away: install the NVIDIA Container Toolkit."),
    (r"Unable to find image|pull access denied|manifest unknown|dial unix|docker daemon", "Docker cannot run the image: `docker pull` it first, or install vLLM itself."),
    (r"PackageNotFoundError|ModuleNotFoundError|ImportError|undefined symbol|torchvision::nms", "The environment of vLLM is broken. Make it anew, for vLLM alone."),
)  # fmt: skip
"""What to do, by what the log says; the first that is found holds."""


def clean(line: str) -> str:
    """Return a line of a log as it can be printed: without escape sequences and what vLLM puts before each line, and not too long."""
    text = _PREFIX.sub("", _CONTROL.sub("", line.rsplit("\r", 1)[-1])).rstrip()
    return text if len(text) <= LINE_CHARACTERS else f"{text[:LINE_CHARACTERS]} ..."


def last_lines(log: str) -> Sequence[str]:
    """Return the end of a log, for a reader."""
    return _lines(log)[-KEPT_LINES:]


def reasons(log: str) -> Sequence[str]:
    """Return what a reader needs of the log of a server that failed: the first error, which is mostly the cause, and the end."""
    lines, end = _lines(log), last_lines(log)
    first = next((line for line in lines if _RAISED.match(line)), None)
    return end if first is None or first in end else [first, "...", *end]


def advice(log: str) -> str:
    """Return what to do about it."""
    told = "\n".join(line for line in log.splitlines() if not _CALM.search(line))
    for pattern, text in ADVICE:
        if re.search(pattern, told, flags=re.IGNORECASE):
            return text
    return "The whole log says more."


def _lines(log: str) -> list[str]:
    lines = [clean(line) for line in log.replace("\r\n", "\n").split("\n")]
    return [line for line in lines if line]
