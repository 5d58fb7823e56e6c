"""Which GLM models can be served, and what each wants: read from `models.yaml`, or from the folder of a checkpoint."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from open_autoglm.errors import InputError, UnknownName

TABLE = Path(__file__).with_name("models.yaml")
GIGABYTE = 10**9


class Family(BaseModel):
    """What models of one architecture have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architectures: Sequence[str]
    """Names of classes in a checkpoint's config.json that are of this family."""
    tool_parser: str | None = None
    reasoning_parser: str | None = None
    experts: bool = False
    """Whether it is a mixture of experts, which several GPUs divide among them."""
    flags: Sequence[str] = ()


class GlmModel(BaseModel):
    """A model that can be served by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    repository: str
    """Where vLLM fetches it from, unless it is in its cache."""
    family: str
    parameters: str
    drafts: int = 0
    """Tokens that its own layers for it guess ahead (multi-token prediction); 0 where it has none."""
    flags: Sequence[str] = ()
    environment: Mapping[str, str] = {}
    most_gpus: int = 16
    """Over how many GPUs it can be divided."""
    capability: float
    """Least compute capability of each GPU."""
    fits: Annotated[Mapping[int, int], Field(min_length=1)]
    """Tokens of context by memory, in GB of all GPUs together, from which that much fits."""

    @property
    def least_gb(self) -> int:
        """The memory below which it is not served."""
        return min(self.fits)

    def context_within(self, memory_gb: float) -> int | None:
        """Return the tokens of context that fit; None where the weights alone do not."""
        return max((context for least, context in self.fits.items() if least <= memory_gb), default=None)


class Catalogue(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    families: Mapping[str, Family]
    models: Sequence[GlmModel]

    def named(self, name: str) -> GlmModel:
        """Return the model of that name, or of that repository.

        Raises:
            UnknownName: There is none.
        """
        for model in self.models:
            if name.lower() in (model.name, model.repository.lower()):
                return model
        raise UnknownName("model", name, [model.name for model in self.models])

    def family_of(self, model: GlmModel) -> Family:
        """Return what the model has in common with its like."""
        return self.families[model.family]


@cache
def catalogue() -> Catalogue:
    """Return the table that ships with this version."""
    return Catalogue.model_validate(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model in a folder of this machine."""

    folder: Path
    family: Family
    memory_bytes: int
    """Of its weights."""
    drafts: int

    @property
    def name(self) -> str:
        """The name it is served by."""
        return self.folder.name


class _Config(BaseModel):
    """The part of a checkpoint's config.json that is read here."""

    architectures: Annotated[Sequence[str], Field(min_length=1)]
    num_nextn_predict_layers: int = 0


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read what a folder with a GLM in it says of itself.

    Raises:
        InputError: There is no model, or none of a family of GLM that is known.
    """
    path = folder / "config.json"
    try:
        config = _Config.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        raise InputError(f"{str(folder)!r} holds no model: {path.name} is missing or names no architecture.") from None
    families = {name: family for family in catalogue().families.values() for name in family.architectures}
    (architecture, *_) = config.architectures
    if architecture not in families:
        raise InputError(
            f"{str(folder)!r} holds a {architecture}, which is no GLM that this version can serve: {', '.join(families)}. "
            "Serve it yourself, and name the endpoint by --base-url."
        )
    return Checkpoint(
        folder=folder.resolve(),
        family=families[architecture],
        memory_bytes=sum(file.stat().st_size for file in folder.glob("*.safetensors")),
        drafts=min(config.num_nextn_predict_layers, 1),
    )
