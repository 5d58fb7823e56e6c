"""What one run was asked to do, as the front door parsed it: saved in the run directory, so that resume needs no retelling."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from open_autoglm.agents.glm.prices import Prices
from open_autoglm.sandbox.policy import Policy
from open_autoglm.tools.task import BudgetSpec


class RunOptions(BaseModel):
    """Options of `autoglm run` after settings, environment and files were merged. Plain JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str
    data: list[Path]
    """Training tables, or one of them; the roles of several files are told by the task."""
    test: Path | None = None
    target: str | None = None
    metric: str | None = None
    target_score: Annotated[float, Field(allow_inf_nan=False)] | None = None
    budget: BudgetSpec = BudgetSpec()
    """What options said; the sentence fills the rest, then `defaults`, then the default of 10 minutes."""
    defaults: BudgetSpec = BudgetSpec()
    """What the environment and settings files said: weaker than the sentence."""
    strategist: Literal["auto", "recipes", "glm"] = "auto"
    base_url: str | None = None
    """Endpoint of the language model; its key is never among the options."""
    model: str | None = None
    """The served model; None takes the one that the endpoint serves."""
    search: Literal["auto", "greedy", "uct", "single-loop"] = "auto"
    """What is tried next; auto is greedy for recipes and uct for a language model (`agents.search.choice`)."""
    prices: Prices | None = None
    """What the endpoint charges; a cap on money needs it."""
    sandbox: Literal["auto", "docker", "jupyter", "bubblewrap", "landlock", "process"] = "auto"
    policy: Policy | None = None
    """What code may do in a sandbox, where it is not the default (`sandbox/policy/policy.yaml`)."""
    runtime: str | None = None
    """What Docker starts containers by, such as gVisor's `runsc`, where it is not the engine's own choice."""
    holdout: Annotated[float, Field(gt=0, lt=0.9)] | Literal["auto", "none"] = "auto"
    refit: bool = True
    read: dict[str, JsonValue] = {}
    out: Path | None = None
    """Run directory; None makes `<root>/<id>`."""
    root: Path = Path("autoglm-runs")
    """Where run directories are made."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    seed: Annotated[int, Field(ge=0)] = 0
    allowed_packages: list[str] = []
    """Packages that code may wish for beside the usual ones (`sandbox/packages/packages.yaml`)."""
    cache: Path | None = None
    """Where fetched packages are kept; None keeps them in the run directory."""
    share: Literal["schema", "summary", "rows"] = "summary"
    lessons: Path | None = None
    """Where a language model's lessons are kept for later runs; None keeps none."""
    yes: bool = False
    """Take the best guess instead of asking."""
