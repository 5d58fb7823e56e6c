"""The recipes strategist: answers what to write next from a portfolio and a list of known changes."""

from collections.abc import Mapping, Sequence

from open_autoglm.agents.recipes.ensemble import write_ensemble
from open_autoglm.agents.recipes.improvements import improvements
from open_autoglm.agents.recipes.intent import understand
from open_autoglm.agents.recipes.lessons import lesson
from open_autoglm.agents.recipes.plan import plan_of, write_bundle
from open_autoglm.agents.recipes.portfolio import portfolio
from open_autoglm.agents.recipes.repairs import repaired
from open_autoglm.agents.recipes.spaces import space_of
from open_autoglm.agents.strategist import Brief, Past, Request, Understanding
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.tuning import Space


class RecipeStrategist:
    """Writes real pipelines without a language model. Keeps no state: everything it knows is in the brief."""

    name = "recipes"

    async def understand(self, request: Request, answers: Mapping[str, str]) -> Understanding:
        """Turn words into a task by rules; see `intent`."""
        return understand(request, answers)

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the `index`-th solution of the portfolio; None past its end."""
        plans = portfolio(brief)
        return write_bundle(plans[index], brief) if 0 <= index < len(plans) else None

    async def repair(self, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle | None:
        """Ask for less: cheaper after a limit was hit, plainer after an error, then a smaller model, then nothing."""
        plan = plan_of(broken)
        mended = None if plan is None else repaired(plan, brief, report)
        return None if mended is None else write_bundle(mended, brief)

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Make the most promising change that nobody made yet; None for an ensemble and for code of others."""
        changed = improvements(brief, parent)
        return write_bundle(changed[0], brief) if changed else None

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Write the weighted mean of the parents; None where fewer than two carry weight."""
        return write_ensemble(brief, parents, weights)

    async def propose_space(self, brief: Brief, parent: Past) -> Space | None:
        """Name what is worth tuning of the parent's model; None for an ensemble and for code of others."""
        plan = plan_of(parent.bundle)
        return None if plan is None else space_of(plan)

    async def reflect(self, brief: Brief, attempt: Past) -> str:
        """Compare the attempt with what it came from, in one line."""
        return lesson(brief, attempt)
