"""The suite as data: every program with what it may use and what its report must show.

A program is one file beside the manifest; its docstring says what it tries. It says `TRIED` when it has done all that it
wanted, and `BREACH what` where something gave way; that is the word of our own program, and never the only evidence.
"""

from collections.abc import Collection
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from platform import machine
from typing import Annotated, Literal, get_args

from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.sandbox.base import Limits
from open_autoglm.sandbox.policy import Policy, default_policy

SUITE = Path(__file__).parents[1] / "suites" / "sandbox"
StatusName = Literal["ok", "error", "timeout", "out_of_memory", "violation", "stalled", "cancelled", "sandbox_error"]
Kind = Literal["hostile", "innocent"]
FEW_RUNS = 6
MACHINES = ("x86_64", "aarch64")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Allowance(_Part):
    """What one execution of a program may use."""

    wall_seconds: float = 20.0
    memory_bytes: int = 1 << 30
    processes: int = 256
    disk_bytes: int = 256 << 20
    output_bytes: int = 16 << 20
    open_files: int = 1024
    cpus: int = 2

    def as_limits(self) -> Limits:
        """Return them as the sandbox takes them."""
        return Limits(**self.model_dump())


class Expectation(_Part):
    """What the report must show."""

    status: Annotated[list[StatusName], Field(min_length=1)] = ["ok"]
    """How it may end; several where it depends on which limit is met first."""
    exit_code: int | None = None
    signal: int | None = None
    exception: str = ""
    """Claimed type of the exception."""
    detail: str = ""
    """Part of the sentence on the status."""
    violations: list[str] = []
    """Kinds that must be reported."""
    names: list[str] = []
    """The program breaks the policy: for it to count as named, each of these must stand in a violation's kind, subject or detail."""
    refused: dict[str, str] = {}
    """Artefacts that must stay behind, and a part of the reason."""
    refused_any: str = ""
    """Part of a reason that must occur, for names that cannot be written here."""
    absent: list[str] = []
    """Artefacts that must not come over."""
    artefacts_at_most: int | None = None
    let_through: list[str] = []
    """Hosts that must be reported as reached by the way out of its policy; no others may be."""
    turned_away: dict[str, str] = {}
    """Hosts that must be reported as refused there, and a part of the reason."""
    says: list[str] = []
    """What must stand in the kept output."""
    predictions: Literal["", "refused"] = ""
    """What the host makes of the prediction matrix that came over, where the program is called to predict."""
    unpromised: str = ""
    """What the tier does not promise, so that only harm to the host counts, and bounds of the report."""
    host_growth_bytes: int | None = None
    """By how much the memory of the host's process may grow from the fifth run to the last."""

    @model_validator(mode="after")
    def _an_error_is_told_apart(self) -> "Expectation":
        told = (self.says, self.exception, self.detail, self.signal, self.exit_code, self.violations)
        if "error" in self.status and not any(told):
            raise ValueError("where the status may be an error, something must tell it from a mistake in the program")
        return self


class Row(_Part):
    """One line of the list of attacks."""

    row: str
    tries: str
    """What its programs try."""
    elsewhere: str = ""
    """The test that shows it, where that takes no program: `file::function`."""


class Program(_Part):
    """One program of the suite."""

    name: str
    kind: Kind
    row: Annotated[str, Field(min_length=1)]
    """Number in the list of attacks; for innocent ones a word for its subject."""
    runs: Annotated[int, Field(ge=1)] = 1
    """How often it runs in the same session, told its turn: what one execution plants, the next looks for."""
    call: Literal["script", "fit", "predict"] = "script"
    anywhere: bool = False
    """Whether it does no harm where nothing isolates."""
    quick: bool = False
    """Whether it belongs to the few that the fast tests run."""
    half: bool = False
    """Whether it also belongs to the half that runs where every execution takes long, and with `--quick`; quick ones do."""
    needs: list[str] = []
    """Modules, or names of machines, without which it is left out (and told so)."""
    network: list[str] = []
    """What its policy lists in `network.allow`, where it is to have a way out; `{door}` stands for the port of the suite's own server."""
    limits: Allowance = Allowance()
    expect: Expectation = Expectation()
    expect_on: dict[str, Expectation] = {}
    """Expectation by the name of a backend or tier, where the mechanism differs."""
    expect_uncounted: Expectation | None = None
    """Expectation where no control group counts refused forks and killed processes, as for ordinary users on most machines."""

    def expected(self, backend: str, tier: str, *, counted: bool = True) -> Expectation:
        """Return what holds for a backend of this tier; a kernel's is that of the sandbox around it. `counted` says whether control groups count there."""
        around = tier.removeprefix("jupyter/")
        if not counted and self.expect_uncounted is not None and around not in self.expect_on:
            return self.expect_uncounted
        return self.expect_on.get(around) or self.expect_on.get(backend) or self.expect

    def policy(self, *, door: int) -> Policy:
        """Return what it is held to: the default, with a way out where it is to have one."""
        if not self.network:
            return default_policy()
        allow = [host.replace("{door}", str(door)) for host in self.network]
        rules = default_policy().model_dump(mode="json")
        return Policy.model_validate({**rules, "network": {"access": "proxy", "allow": allow}})

    def missing(self, *, image: Collection[str] | None = None) -> list[str]:
        """Return what it needs and this machine lacks, or the container that it runs in: `image` names the packages in there."""
        return [need for need in self.needs if not _is_there(need, image)]

    def source(self, root: Path) -> str:
        """Return its code."""
        return (root / "programs" / f"{self.name}.py").read_text(encoding="utf-8")


class Manifest(_Part):
    """All programs, and the list of attacks that they come from."""

    rows: list[Row] = []
    programs: list[Program]

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Manifest":
        names = [program.name for program in self.programs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"listed twice: {', '.join(twice)}")
        return self

    def half(self) -> list[Program]:
        """Return the half of the programs that takes little time and covers every mechanism; what repeats, repeats a few times."""
        return [
            program.model_copy(update={"runs": min(program.runs, FEW_RUNS)})
            for program in self.programs
            if program.quick or program.half
        ]

    def pick(self, names: tuple[str, ...]) -> list[Program]:
        """Return the named programs in their order here; all of them where none is named.

        Raises:
            UnknownName: There is no such program.
        """
        known = [program.name for program in self.programs]
        for name in names:
            if name not in known:
                raise UnknownName("program", name, known)
        return [program for program in self.programs if not names or program.name in names]


def load_manifest(root: Path = SUITE) -> Manifest:
    """Read the manifest of a suite.

    Raises:
        InputError: It cannot be used, or a program's file is missing.
    """
    path = root / "manifest.json"
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"There is no manifest {str(path)!r}: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path} cannot be used: {place}: {first['msg']}.") from error
    missing = [p.name for p in manifest.programs if not (root / "programs" / f"{p.name}.py").is_file()]
    if missing:
        raise InputError(f"{path} lists programs without a file: {', '.join(missing)}.")
    return manifest


def statuses() -> tuple[str, ...]:
    """Return the names of all ways to end that a manifest may expect."""
    return get_args(StatusName)


def _is_there(need: str, image: Collection[str] | None) -> bool:
    if need in MACHINES:
        return machine() == need
    if image is None or find_spec(need) is None:
        return find_spec(need) is not None
    return any(canonicalize_name(package) in image for package in packages_distributions()[need])
