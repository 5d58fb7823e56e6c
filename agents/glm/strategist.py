"""The glm strategist: a language model writes, repairs and improves; recipes give the first drafts and catch its falls."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.operators.draft import draft
from open_autoglm.agents.glm.operators.improve import improve
from open_autoglm.agents.glm.operators.merge import merge
from open_autoglm.agents.glm.operators.plan import Idea, plan
from open_autoglm.agents.glm.operators.propose_space import propose_space
from open_autoglm.agents.glm.operators.reflect import reflect
from open_autoglm.agents.glm.operators.repair import repair
from open_autoglm.agents.glm.operators.understand import Reader
from open_autoglm.agents.glm.safety import SafetyNet
from open_autoglm.agents.recipes.strategist import RecipeStrategist
from open_autoglm.agents.strategist import Brief, Operator, Past, Request, Understanding
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.tuning import Space

T = TypeVar("T")
RECIPES_FIRST = 2
"""Drafts that recipes write before the model's first idea: a score within seconds, a baseline, a strong start."""
MERGE_EVERY = 4
"""Of so many drafts by the model, one merges the best of two branches, and so begins a new one."""
MOST_PLANS = 3
"""Times that the model is asked for ideas; after its last idea recipes go on."""
SHARE_OF_TIME = 0.5
"""Of what is left for the search, what one operator may take at most."""
LONGEST_UNDERSTANDING = 60.0
SHARE_TO_UNDERSTAND = 0.1
"""Of a budget in seconds, what understanding may take of it."""
_IDEAS = TypeAdapter(list[Idea])
_SPACE = TypeAdapter(Space | None)


class Kept(Protocol):
    """Where facts are kept that a resumed run needs again: the journal."""

    def get_meta(self, key: str) -> str | None:
        """Return a fact, or None."""
        ...

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact."""
        ...


class GlmStrategist:
    """Asks a model, within a safety net. What the model touched has the model as its author.

    Args:
        desk: What operators work with.
        kept: Where ideas and spaces are kept.
        net: Counts failures, and tells when the model is given up.
    """

    name = "glm"

    def __init__(self, desk: Desk, *, kept: Kept, net: SafetyNet) -> None:
        self._desk = desk
        self._kept = kept
        self._net = net
        self._recipes = RecipeStrategist()
        self._reader = Reader(desk=desk)
        self._planning = asyncio.Lock()
        self._given: set[str] = set()
        """Recipes that this process wrote, so that two workers never write the same at once."""

    async def understand(self, request: Request, answers: Mapping[str, str]) -> Understanding:
        """Turn words into a task: the model reads, rules check what it read, and rules alone where it fails."""
        seconds = request.budget.seconds
        most = LONGEST_UNDERSTANDING if seconds is None else min(LONGEST_UNDERSTANDING, SHARE_TO_UNDERSTAND * seconds)
        read = await self._net.hold(lambda: self._reader.understand(request, answers), most)
        return await self._recipes.understand(request, answers) if read is None else read

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the first drafts by recipes, then one for each idea of the model; recipes where it has none, or fails."""
        written = None
        if index >= RECIPES_FIRST:
            written = await self._held(brief, lambda: self._from_model(brief, index - RECIPES_FIRST))
        return await self._next_recipe(brief) if written is None else written

    async def _from_model(self, brief: Brief, place: int) -> CodeBundle | None:
        """Write the draft of that place: most follow an idea, some merge two solutions."""
        merges, among = divmod(place, MERGE_EVERY)
        if among == MERGE_EVERY - 1:
            pair = best_of_two_branches(brief)
            return await merge(self._desk, brief, pair) if len(pair) > 1 else None
        idea = await self._idea(brief, place - merges)
        return None if idea is None else await draft(self._desk, brief, idea)

    async def _idea(self, brief: Brief, place: int) -> Idea | None:
        """Return the idea of that place, asking for more where there are none left; None after the last."""
        async with self._planning:
            ideas = _IDEAS.validate_json(self._kept.get_meta("glm.ideas") or "[]")
            plans = int(self._kept.get_meta("glm.plans") or 0)
            if place >= len(ideas) and plans < MOST_PLANS:
                self._kept.set_meta("glm.plans", str(plans + 1))
                ideas = [*ideas, *await plan(self._desk, brief, ideas)]
                self._kept.set_meta("glm.ideas", _IDEAS.dump_json(ideas).decode())
            return ideas[place] if place < len(ideas) else None

    async def _next_recipe(self, brief: Brief) -> CodeBundle | None:
        """Write the first of the portfolio that is not written yet; None past its end."""
        known = {past.bundle.content_hash for past in brief.past} | self._given
        index = 0
        while (recipe := await self._recipes.draft(brief, index)) is not None and recipe.content_hash in known:
            index += 1
        if recipe is not None:
            self._given.add(recipe.content_hash)
        return recipe

    async def repair(self, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle | None:
        """Have the model mend what it wrote; what recipes wrote, recipes mend first."""
        if broken.author is Author.RECIPES:
            mended = await self._recipes.repair(brief, broken, report)
            if mended is not None:
                return mended
        return await self._held(brief, lambda: repair(self._desk, brief, broken, report))

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Have one block changed; on what recipes wrote, model and recipes take turns."""
        if _turn_of_recipes(brief, parent):
            changed = await self._recipes.improve(brief, parent)
            if changed is not None:
                return changed
        written = await self._held(brief, lambda: improve(self._desk, brief, parent))
        return await self._recipes.improve(brief, parent) if written is None else written

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Write the ensemble by recipes; without weights, have the model make one solution of the first two parents."""
        if weights:
            return await self._recipes.merge(brief, parents, weights)
        if len(parents) < 2:
            return None
        return await self._held(brief, lambda: merge(self._desk, brief, parents))

    async def propose_space(self, brief: Brief, parent: Past) -> Space | None:
        """Name what to tune: recipes know their own parameters, the model is asked once for each solution it wrote."""
        if parent.bundle.author is Author.RECIPES:
            return await self._recipes.propose_space(brief, parent)
        key = f"glm.space.{parent.bundle.content_hash}"
        known = self._kept.get_meta(key)
        if known is not None:
            return _SPACE.validate_json(known)
        space = await self._held(brief, lambda: propose_space(self._desk, brief, parent))
        self._kept.set_meta(key, _SPACE.dump_json(space).decode())
        return space

    async def reflect(self, brief: Brief, attempt: Past) -> str:
        """Compare the attempt with what it came from, and have the model say what its own attempts teach."""
        line = await self._recipes.reflect(brief, attempt)
        own = attempt.bundle.author is Author.MODEL and attempt.operator in (Operator.DRAFT, Operator.IMPROVE)
        if own and attempt.status in ("scored", "failed"):
            thought = await self._held(brief, lambda: reflect(self._desk, brief, attempt, line))
            line = f"{line} {thought}" if thought else line
        await asyncio.to_thread(self._desk.memory.keep, brief, attempt, line, seen=self._desk.seen())
        return line

    async def _held(self, brief: Brief, work: Callable[[], Awaitable[T]]) -> T | None:
        left = brief.seconds_left
        return await self._net.hold(work, None if left is None else SHARE_OF_TIME * left)


def best_of_two_branches(brief: Brief) -> list[Past]:
    """Return the best solutions of the two best branches (a draft and what was made of it), the better first; fewer where there are none."""
    known = {past.attempt_id: past for past in brief.past}
    sign = 1.0 if get_metric(brief.task.metric.name).greater_is_better else -1.0
    written = [
        past
        for past in brief.past
        if past.mean is not None and past.status == "scored" and past.operator in (Operator.DRAFT, Operator.IMPROVE)
    ]
    heads: dict[str, Past] = {}
    for past in sorted(written, key=lambda past: -sign * (past.mean or 0.0)):
        heads.setdefault(_root(past, known), past)
    return list(heads.values())[:2]


def _root(past: Past, known: Mapping[str, Past]) -> str:
    while past.parents and past.parents[0] in known:
        past = known[past.parents[0]]
    return past.parents[0] if past.parents else past.attempt_id


def _turn_of_recipes(brief: Brief, parent: Past) -> bool:
    made = sum(past.operator is Operator.IMPROVE and parent.attempt_id in past.parents for past in brief.past)
    return parent.bundle.author is Author.RECIPES and made % 2 == 0
