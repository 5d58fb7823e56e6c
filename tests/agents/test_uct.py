"""The tree policy: diversity first, then the branch and the attempt with the highest bound; workers spread; branches merge."""

import dataclasses
import random
from dataclasses import replace
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.search import uct
from open_autoglm.agents.search.base import Branch, Node, Pick, SearchView
from open_autoglm.agents.search.choice import POLICIES, policy_for
from open_autoglm.agents.search.reward import reward
from open_autoglm.agents.search.single_loop import SingleLoopPolicy
from open_autoglm.agents.search.uct import UctPolicy
from open_autoglm.agents.search.view import BEST_IN_VIEW, BRANCHES_IN_VIEW, NODES_IN_VIEW, view_of
from open_autoglm.agents.strategist import Brief, Operator, Past
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.task import BudgetSpec


def attempt(name: str, operator: Operator = Operator.DRAFT) -> Attempt:
    return Attempt(
        id=name, worker=0, operator=operator, slot=0, parents=(), seed=0, status=AttemptStatus.SCORED, mean=0.5
    )


def branch(name: str, **more: object) -> Branch:
    """Return a branch of one scored attempt; `more` are its fields, and those of its only node."""
    of_node = {
        key: value
        for key, value in more.items()
        if key in {field.name for field in dataclasses.fields(Node)} - {"running"}
    }
    of_branch = {key: value for key, value in more.items() if key not in of_node}
    node = Node(attempt=attempt(name), **of_node)  # type: ignore[arg-type]  # fields by name
    values: dict[str, object] = {"id": name, "visits": 1, "running": 0, "reward": 0.5, "stale": 0, "nodes": [node]}
    return Branch(**{**values, **of_branch})  # type: ignore[arg-type]


def tree(*branches: Branch, **more: object) -> SearchView:
    """Return a view after the draft phase, with nothing new to merge."""
    best = [node.attempt for each in branches for node in each.nodes]
    values: dict[str, object] = {
        "made": {Operator.DRAFT: 99}, "best": best, "branches": branches, "scored": len(best), "scored_at_last_merge": len(best),
    }  # fmt: skip
    return SearchView(**{**values, **more})  # type: ignore[arg-type]


def parent(view: SearchView) -> str:
    pick = UctPolicy().choose(view)
    assert pick is not None
    return pick.parents[0]


def test_begins_with_drafts() -> None:
    """The first picks are independent drafts, each with a slot of its own; fewer where there are no more ideas."""
    for made in range(uct.FIRST_DRAFTS):
        view = tree(branch("a1"), made={Operator.DRAFT: made})
        assert UctPolicy().choose(view) == Pick(operator=Operator.DRAFT, slot=made)
    assert parent(tree(branch("a1"), made={Operator.DRAFT: 1}, exhausted=frozenset({(Operator.DRAFT, "")}))) == "a1"


def test_an_unvisited_branch_is_tried_early_and_the_best_late() -> None:
    """Exploration falls to nothing with the budget."""
    branches = branch("a1", visits=30), branch("a2", visits=1)

    assert parent(tree(*branches, share_spent=0.0)) == "a2"
    assert parent(tree(*branches, share_spent=0.97)) == "a1"


def test_what_runs_counts_as_a_visit_without_reward() -> None:
    """Virtual loss: the next worker goes elsewhere, and comes back when the first has ended well."""
    assert parent(tree(branch("a1", visits=4), branch("a2", visits=4), share_spent=0.8)) == "a1"
    assert parent(tree(branch("a1", visits=4, running=9), branch("a2", visits=4), share_spent=0.8)) == "a2"


def test_a_branch_that_does_not_get_better_gives_way() -> None:
    """Stagnation costs promise, again and again."""
    assert parent(tree(branch("a1", visits=40, stale=35), branch("a2", visits=40), share_spent=0.9)) == "a2"


def test_merges_reach_across_branches() -> None:
    """The best of each branch stands before the second best of one; sooner where the best branch is stuck."""
    twins = replace(branch("a1"), nodes=[Node(attempt=attempt("a1")), Node(attempt=attempt("a4"))])
    best = [attempt("a1"), attempt("a4"), attempt("a2"), attempt("a3")]
    rest = branch("a2"), branch("a3")
    due = {"best": best, "scored": 10, "scored_at_last_merge": 10 - uct.MERGE_WHEN_STALE}
    pick = UctPolicy().choose(tree(replace(twins, stale=uct.STALE_AFTER), *rest, **due))

    assert pick == Pick(operator=Operator.MERGE, slot=0, parents=("a1", "a2", "a3", "a4"))
    assert UctPolicy().choose(tree(twins, *rest, **due)) != pick
    assert UctPolicy().choose(tree(twins, *rest, **{**due, "last": True})) == pick
    assert UctPolicy().choose(tree(twins, *rest, **{**due, "last": True, "may_merge": False})) != pick


def test_branching_is_bounded() -> None:
    """An attempt that was changed often enough is tuned, and then left."""
    full = {"improvements": uct.MOST_IMPROVEMENTS}
    no_drafts = frozenset({(Operator.DRAFT, "")})
    pick = UctPolicy().choose(tree(branch("a1", **full), exhausted=no_drafts))

    assert pick is not None
    assert pick.operator is Operator.TUNE
    done = branch("a1", **full, exhausted=frozenset({Operator.TUNE}))
    assert UctPolicy().choose(tree(done, exhausted=no_drafts)) is None
    assert UctPolicy().choose(tree(done, share_spent=0.99)) == Pick(operator=Operator.DRAFT, slot=99)


def test_some_steps_tune() -> None:
    """Of a few steps on attempts, one is a trial."""
    operators = []
    for step in range(2 * uct.TUNE_EVERY):
        pick = UctPolicy().choose(tree(branch("a1"), made={Operator.DRAFT: 99, Operator.IMPROVE: step}))
        assert pick is not None
        operators.append(pick.operator)
    assert operators.count(Operator.TUNE) == 2


def test_a_conversation_goes_on_from_the_latest() -> None:
    """One draft, then always the version before, better or not; one turn at a time."""
    policy = SingleLoopPolicy()

    assert policy.choose(SearchView()) == Pick(operator=Operator.DRAFT, slot=0)
    assert policy.choose(SearchView(running=1)) is None
    view = SearchView(best=[attempt("a1")], latest=attempt("a3"), made={Operator.IMPROVE: 2})
    assert policy.choose(view) == Pick(operator=Operator.IMPROVE, slot=2, parents=("a3",))
    assert policy.choose(replace(view, exhausted=frozenset({(Operator.IMPROVE, "a3")}))) is None


def test_every_policy_has_its_name() -> None:
    """What an option names is what a run gets; auto suits who writes."""
    assert {name: make().name for name, make in POLICIES.items()} == {name: name for name in POLICIES}
    assert policy_for("auto", "recipes").name == "greedy"
    assert policy_for("auto", "glm").name == "uct"


def test_rewards_are_chances() -> None:
    """On any scale: a gain on every fold is sure, a mixed one is not, and one far fold outweighs nothing."""
    base = [0.5, 0.6, 0.7, 0.8, 0.9]
    better, mixed = (
        [score + gain for score, gain in zip(base, [0.02, 0.03, 0.02, 0.03, 0.02], strict=True)],
        [0.6, 0.5, 0.8, 0.7, 0.9],
    )
    lucky = [*base[:4], 50.0]

    def of(scores: list[float], *, up: bool = True) -> float:
        return reward(scores, base, greater_is_better=up, test_share=0.25)

    assert of(better) > 0.99
    assert of(better, up=False) < 0.01
    assert of(mixed) == pytest.approx(0.5)
    assert of(base) == 0.5
    assert 0.5 < of(lucky) < 0.95
    assert reward(
        [1e6 * x for x in better], [1e6 * x for x in base], greater_is_better=True, test_share=0.25
    ) == pytest.approx(of(better))
    assert of([float("nan")] * 5) == 0.5
    assert of([]) == 0.5


MOST_ROWS = 300
"""About 12 branches of 5 attempts, and a few kinds of children of each."""
LARGEST_VIEW = 45_000
"""Characters."""


class Counting(Journal):
    """A journal that counts what it was asked and what it answered."""

    def __init__(self, path: Path) -> None:
        self.asked = self.answered = 0
        super().__init__(path)

    def rows(self, query: str, *values: object) -> list:
        found = super().rows(query, *values)
        self.asked += 1
        self.answered += len(found)
        return found


def search(journal: Journal, picks: int, policy: str, workers: int = 4) -> list[Pick]:
    """Let a policy pick, with so many picks under way at once, and close each with a score from its number."""
    chance, flying, made = random.Random(7), [], []
    while len(made) < picks or flying:
        view = view_of(journal, greater_is_better=True, share_spent=len(made) / picks)
        pick = POLICIES[policy]().choose(view)
        assert pick == POLICIES[policy]().choose(view), "the same view gives the same pick"
        if pick is not None and len(flying) < workers and len(made) < picks:
            made.append(pick)
            flying.append(
                journal.reserve(worker=0, operator=pick.operator, slot=pick.slot, parents=pick.parents, seed=0)
            )
            if pick.operator is Operator.MERGE:
                journal.set_meta("scored_at_last_merge", str(view.scored))
            continue
        ended = flying.pop(chance.randrange(len(flying)))
        failed = chance.random() < 0.25 and ended.id != "a0001"
        status = AttemptStatus.FAILED if failed else AttemptStatus.SCORED
        mean = None if failed else chance.gauss(0, 1)
        journal.update(replace(ended, status=status, mean=mean, standard_error=0.1, reward=chance.random()))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_a_step_costs_as_much_at_attempt_600_as_at_200(policy: str, tmp_path: Path) -> None:
    """As many questions to the journal, answers that have a limit, and a view that is no larger."""
    journal = Counting(tmp_path / "journal.sqlite")
    asked = []
    for picks in (200, 600):
        search(journal, picks - len(journal.attempts()), policy)
        journal.asked = journal.answered = 0
        view = view_of(journal, greater_is_better=True, share_spent=0.5)
        asked.append(journal.asked)
        assert len(repr(view)) <= LARGEST_VIEW
        assert journal.answered <= MOST_ROWS
        assert len(view.best) <= BEST_IN_VIEW
        assert len(view.branches) <= BRANCHES_IN_VIEW
        assert all(1 <= len(each.nodes) <= NODES_IN_VIEW for each in view.branches)
    journal.close()

    assert asked[1] <= asked[0]


def test_workers_never_work_on_the_same_while_there_is_other_work(tmp_path: Path) -> None:
    """Four picks under way: no draft twice, and no attempt is changed by two at once."""
    journal = Journal(tmp_path / "journal.sqlite")
    made = search(journal, 60, "uct", workers=1)
    for _ in range(4):
        pick = UctPolicy().choose(view_of(journal, greater_is_better=True, share_spent=0.5))
        assert pick is not None
        journal.reserve(worker=0, operator=pick.operator, slot=pick.slot, parents=pick.parents, seed=0)
        made.append(pick)
    journal.close()

    drafts = [pick.slot for pick in made if pick.operator is Operator.DRAFT]
    assert drafts == list(range(len(drafts)))
    assert len({(pick.operator, pick.slot) for pick in made}) == len(made)
    under_way = [pick.parents for pick in made[-4:] if pick.parents]
    assert len(set(under_way)) == len(under_way)


class Endless(ScriptedStrategist):
    """Always has another idea, each a little different; notes on what it was asked to work at the same time."""

    def __init__(self) -> None:
        super().__init__(engine.task(), [])
        self.number = 0

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the next."""
        return engine.bundle(2.0 + 0.1 * index)

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Write the next."""
        self.number += 1
        return engine.bundle(2.0 - 0.05 * self.number)


@pytest.mark.slow
def test_three_workers_share_a_tree(tmp_path: Path) -> None:
    """A whole run with three workers: every draft once, improvements of several branches, and the budget is kept."""
    outcome = engine.go(tmp_path, writer=Endless(), workers=3, search="uct", budget=BudgetSpec(attempts=20))
    attempts = [a for a in engine.attempts(tmp_path) if a.operator is not Operator.RERUN]
    drafts = [a for a in attempts if a.operator is Operator.DRAFT]
    improved = [a for a in attempts if a.operator is Operator.IMPROVE]

    assert (outcome.status, outcome.attempts) == ("delivered", 20)
    assert sorted(a.slot for a in drafts) == list(range(len(drafts)))
    assert len({a.title for a in attempts if a.title}) == len([a for a in attempts if a.title])
    assert len({a.branch for a in improved}) > 1
    assert all(a.branch in {draft.id for draft in drafts} for a in improved)
    assert all(a.reward is not None for a in drafts if a.status is AttemptStatus.SCORED)


@pytest.mark.slow
def test_one_conversation_makes_a_chain(tmp_path: Path) -> None:
    """One draft, and each version made of the one before, also with two workers."""
    engine.go(tmp_path, writer=Endless(), workers=2, search="single-loop", budget=BudgetSpec(attempts=5))
    attempts = engine.attempts(tmp_path)

    assert [a.operator for a in attempts[:5]] == [Operator.DRAFT, *[Operator.IMPROVE] * 4]
    assert [a.parents for a in attempts[1:5]] == [(a.id,) for a in attempts[:4]]
