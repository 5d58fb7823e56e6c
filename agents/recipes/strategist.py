"""The recipes strategist: answers what to write next from a portfolio and a list of known changes."""

from collections.abc import Mapping, Sequence

from open_autoglm.agents.recipes.intent import understand
from open_autoglm.agents.recipes.plan import write_bundle
from open_autoglm.agents.recipes.portfolio import portfolio
from open_autoglm.agents.strategist import Brief, Past, Request, Understanding
from open_autoglm.sandbox.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.tuning import Space


class RecipeStrategist:
    """Writes real pipelines without a language model. Keeps no state: everything is in the brief."""

    name = "recipes"

    async def understand(self, request: Request, answers: Mapping[str, str]) -> Understanding:
        """Turn words into a task by rules; see `intent`."""
        return understand(request, answers)

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the `index`-th solution of the portfolio."""
        plans = portfolio(brief)
        return write_bundle(plans[index], brief) if index < len(plans) else None

    async def repair(self, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle | None:
        """Give way to something plainer."""
        return None

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Change one block of the parent."""
        return None

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Write the ensemble of the parents."""
        return None

    async def propose_space(self, brief: Brief, parent: Past) -> Space | None:
        """Name the parameters worth tuning."""
        return None

    async def reflect(self, brief: Brief, attempt: Past) -> str:
        """Say in one line what was learned."""
        return attempt.failure or f"{attempt.bundle.title}: {attempt.mean}"
