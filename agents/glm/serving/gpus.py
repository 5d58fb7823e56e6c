"""The GPUs of this machine, as nvidia-smi tells of them."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from open_autoglm.agents.glm.serving.catalogue import GIGABYTE
from open_autoglm.errors import InputError

ASK_SECONDS = 20
MEBIBYTE = 1 << 20
FREE_SHARE = 0.9
"""vLLM takes nine tenths of a GPU's memory: one of which more than the rest is in use is left alone."""
FIELDS = ("index", "uuid", "name", "memory.total", "memory.used", "compute_cap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU."""

    index: str
    uuid: str
    name: str
    memory_bytes: int
    used_bytes: int
    capability: float

    @property
    def memory_gb(self) -> float:
        """Its memory in 10^9 bytes, as makers give it."""
        return self.memory_bytes / GIGABYTE

    @property
    def free(self) -> bool:
        """Whether a server finds as much memory as it takes."""
        return self.used_bytes <= self.memory_bytes * (1 - FREE_SHARE)


def detect_gpus(visible: str | None = None) -> Sequence[Gpu]:
    """Return the GPUs that may be used; empty where there are none.

    Args:
        visible: As CUDA_VISIBLE_DEVICES: numbers or UUIDs, divided by commas; None allows all.

    Raises:
        InputError: nvidia-smi is there, but does not tell.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    command = [program, f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise InputError(
            f"nvidia-smi does not tell which GPUs there are ({type(error).__name__}). Run it to see why."
        ) from None
    found = [_read(line) for line in answer.splitlines() if line.strip()]
    if visible is None:
        return found
    allowed = [word.strip() for word in visible.split(",")]
    return [gpu for gpu in found if gpu.index in allowed or gpu.uuid in allowed]


def _read(line: str) -> Gpu:
    words = [word.strip() for word in line.split(",")]
    try:
        index, uuid, name, total, used, capability = words
        return Gpu(
            index=index,
            uuid=uuid,
            name=name,
            memory_bytes=int(total) * MEBIBYTE,
            used_bytes=int(used) * MEBIBYTE,
            capability=float(capability),
        )
    except ValueError:
        raise InputError(f"nvidia-smi tells of a GPU in a way that cannot be read: {line.strip()!r}.") from None
