"""Which model on which GPUs with how long a context, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.agents.glm.serving.catalogue import (
    GIGABYTE,
    Catalogue,
    Checkpoint,
    Family,
    GlmModel,
    catalogue,
    read_checkpoint,
)
from open_autoglm.agents.glm.serving.gpus import Gpu
from open_autoglm.errors import InputError

COUNTS = (1, 2, 4, 8, 16)
"""How many GPUs divide a model: heads and experts come in powers of two."""
BESIDE_WEIGHTS = 1.25
"""A checkpoint gets GPUs with so many times the memory of its weights: the rest is for the context."""
LARGEST_GPU_GB = 141
"""Of the GPUs that commands for machines without any are shown for: an H200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model, and what it is served on."""

    name: str
    """Under which it is served."""
    source: str
    """Repository or folder that vLLM loads."""
    local: bool
    family: Family
    drafts: int
    flags: Sequence[str]
    environment: dict[str, str]
    gpus: Sequence[str]
    """Their numbers; empty where there is none, or where the command is only to be shown."""
    parallel: int
    """Over how many GPUs it is divided; 1 also without any."""
    context: int | None
    """Tokens; None leaves it to vLLM, which takes what fits."""
    reason: str


def choose(wanted: str | None, gpus: Sequence[Gpu], *, count: int | None = None) -> Choice:
    """Return what to serve.

    Args:
        wanted: The name of a model, or a folder with a checkpoint; None takes the most capable that fits.
        gpus: Those of this machine. With none, a named model is chosen for GPUs that would do, to be shown.
        count: How many GPUs to use; None takes as few as give the longest context.

    Raises:
        UnknownName: No model is called so, and no folder either.
        InputError: Nothing fits, or so many GPUs are not to be had.
    """
    if count is not None and count not in COUNTS:
        raise InputError(f"--gpus {count}: a model is divided over {', '.join(map(str, COUNTS))} GPUs.")
    if wanted is not None and (Path(wanted).is_dir() or wanted.startswith((".", "/", "~"))):
        return _choose_checkpoint(read_checkpoint(Path(wanted).expanduser()), gpus, count)
    table = catalogue()
    models = table.models if wanted is None else [table.named(wanted)]
    if not gpus:
        if wanted is None:
            raise InputError(
                f"No GPU was found (nvidia-smi). Name a model with --dry-run to see its command: {', '.join(model.name for model in models)}. "
                "Without a GPU, name any endpoint by --base-url, or use recipes, which need none."
            )
        return _supposed(table, models[0], count)
    usable = _usable(gpus, count)
    passed: list[GlmModel] = []
    for model in models:
        found = _place(model, usable, count)
        if found is not None:
            return _chosen(table, model, found, passed, gpus)
        passed.append(model)
    raise InputError(_nothing_fits(models, usable))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    gpus: Sequence[Gpu]
    context: int

    @property
    def memory_gb(self) -> float:
        """Of all together; each takes as much as the smallest can."""
        return len(self.gpus) * min(gpu.memory_gb for gpu in self.gpus)


def _usable(gpus: Sequence[Gpu], count: int | None) -> Sequence[Gpu]:
    free = sorted((gpu for gpu in gpus if gpu.free), key=lambda gpu: -gpu.memory_bytes)
    if not free:
        raise InputError("Every GPU is in use by another program: nvidia-smi shows which. End it, or wait.")
    if count is not None and count > len(free):
        raise InputError(f"--gpus {count}: {len(free)} of {len(gpus)} GPUs are free.")
    return free


def _place(model: GlmModel, usable: Sequence[Gpu], count: int | None) -> _Place | None:
    """Return the fewest GPUs that give the longest context."""
    places = []
    for number in COUNTS if count is None else (count,):
        taken = [gpu for gpu in usable if gpu.capability >= model.capability][:number]
        context = model.context_within(number * min((gpu.memory_gb for gpu in taken), default=0))
        if len(taken) == number <= model.most_gpus and context is not None:
            places.append(_Place(gpus=taken, context=context))
    return max(places, key=lambda place: (place.context, -len(place.gpus)), default=None)


def _chosen(
    table: Catalogue, model: GlmModel, place: _Place, passed: Sequence[GlmModel], gpus: Sequence[Gpu]
) -> Choice:
    number = len(place.gpus)
    reasons = [
        f"{model.name} ({model.parameters}) fits on {number} x {place.gpus[-1].name} ({place.memory_gb:.0f} GB) "
        f"with a context of {place.context:,} tokens"
    ]
    longer = [least for least, context in model.fits.items() if context > place.context]
    if longer:
        reasons.append(f"a longer one fits from {min(longer)} GB")
    if passed:
        nearest = min(passed, key=lambda other: other.least_gb)
        reasons.append(f"{nearest.name} would want {nearest.least_gb} GB{_capable(nearest)}")
    taken = sum(not gpu.free for gpu in gpus)
    if taken:
        reasons.append(f"{taken} of {len(gpus)} GPUs are in use by another program")
    return _made(table, model, gpus=place.gpus, parallel=number, context=place.context, reason="; ".join(reasons))


def _supposed(table: Catalogue, model: GlmModel, count: int | None) -> Choice:
    """Choose for GPUs that would do."""
    least, context = min(model.fits.items())
    number = count or next(number for number in COUNTS if least <= number * LARGEST_GPU_GB)
    reason = (
        f"no GPU was found: this is for {number} with {-(-least // number)} GB each{_capable(model)}, "
        f"where {model.name} ({model.parameters}) fits with a context of {context:,} tokens"
    )
    return _made(table, model, gpus=(), parallel=number, context=context, reason=reason)


def _made(
    table: Catalogue, model: GlmModel, *, gpus: Sequence[Gpu], parallel: int, context: int, reason: str
) -> Choice:
    return Choice(
        name=model.name,
        source=model.repository,
        local=False,
        family=table.family_of(model),
        drafts=model.drafts,
        flags=model.flags,
        environment=dict(model.environment),
        gpus=[gpu.index for gpu in gpus],
        parallel=parallel,
        context=context,
        reason=reason,
    )


def _choose_checkpoint(model: Checkpoint, gpus: Sequence[Gpu], count: int | None) -> Choice:
    weights = model.memory_bytes / GIGABYTE
    told = f"{model.name} has {weights:.1f} GB of weights"
    taken: Sequence[Gpu] = ()
    if gpus:
        usable = _usable(gpus, count)
        numbers = [number for number in COUNTS if number <= len(usable)] if count is None else [count]
        enough = (number for number in numbers if number * usable[number - 1].memory_gb >= weights * BESIDE_WEIGHTS)
        taken = usable[: next(enough, numbers[-1])]
        reason = f"{told}: {len(taken)} x {taken[-1].name}; the context is what fits beside them"
    else:
        reason = f"{told}; no GPU was found, so that vLLM has to be a build for processors"
    return Choice(
        name=model.name,
        source=str(model.folder),
        local=True,
        family=model.family,
        drafts=model.drafts,
        flags=(),
        environment={},
        gpus=[gpu.index for gpu in taken],
        parallel=max(len(taken), 1),
        context=None,
        reason=reason,
    )


def _capable(model: GlmModel) -> str:
    return f" of compute capability {model.capability:g} or more" if model.capability > 8 else ""


def _nothing_fits(models: Sequence[GlmModel], usable: Sequence[Gpu]) -> str:
    there = f"{len(usable)} x {usable[-1].name} ({usable[-1].memory_gb:.0f} GB, compute capability {usable[-1].capability:g})"
    least = min(models, key=lambda model: model.least_gb)
    return (
        f"{least.name} wants {least.least_gb} GB of GPU memory{_capable(least)}; free here: {there}. "
        "Take a smaller model, a folder with a quantised checkpoint, or name any endpoint by --base-url."
    )
