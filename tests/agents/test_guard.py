"""The loop guard: the same code, the same change and the same error are known again, and named to who writes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents import guard
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.likeness import code_key, edit_key, same_failure
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Brief, Operator, Past, Refusal, RefusalKind
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.task import BudgetSpec


def by_model(noise: float, comment: str = "") -> CodeBundle:
    """Return code as a model might write it."""
    return CodeBundle(
        files={"solution.py": engine.CODE.format(noise=noise) + comment}, author=Author.MODEL, title=f"noise {noise}"
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def written(journal: Journal, code: CodeBundle, parent: str | None = None, **more: object) -> Attempt:
    """Return an attempt with its code, ended as `more` says."""
    attempt = reserved(journal, parent)
    journal.save_bundle(attempt.id, code, edit=guard.edit_of(journal, attempt, code))
    journal.update(replace(journal.attempt(attempt.id), **{"status": AttemptStatus.SCORED, **more}))  # type: ignore[arg-type]
    return journal.attempt(attempt.id)


def reserved(journal: Journal, parent: str | None = None) -> Attempt:
    operator = Operator.IMPROVE if parent else Operator.DRAFT
    return journal.reserve(worker=0, operator=operator, slot=0, parents=[parent] if parent else [], seed=0)


def test_the_same_code_is_known_by_another_layout(journal: Journal) -> None:
    """Comments and blank lines make no new code of a model's; a constant does."""
    first = written(journal, by_model(1.0))
    again = reserved(journal)
    refusal = guard.repeated(journal, again, by_model(1.0, "\n\n# once more\n"))

    assert refusal is not None
    assert (refusal.kind, refusal.like, refusal.attempt_id) == (RefusalKind.SAME_CODE, first.id, again.id)
    assert guard.repeated(journal, again, by_model(1.1)) is None
    assert code_key(by_model(1.0)) != code_key(by_model(1.1))


def test_a_mend_may_not_go_back(journal: Journal) -> None:
    """Mended from one to two, the code must not become one again: that is known to be broken."""
    attempt = reserved(journal)
    journal.save_bundle(attempt.id, by_model(1.0))
    journal.save_bundle(attempt.id, by_model(2.0), repairs=1, failure="KeyError: 'a' at solution.py:3")
    attempt = journal.attempt(attempt.id)

    assert [(mend.before, mend.failure, mend.after) for mend in guard.mends(journal, attempt.id)] == [
        (by_model(1.0), "KeyError: 'a' at solution.py:3", by_model(2.0))
    ]
    refusal = guard.repeated(journal, attempt, by_model(1.0, "# again\n"))
    assert refusal is not None
    assert refusal.like == attempt.id


@pytest.mark.parametrize(
    ("ended", "refused"),
    [({"reward": 0.2}, True), ({"reward": 0.9}, False), ({"status": AttemptStatus.FAILED, "reward": 0.0}, True), ({"status": AttemptStatus.RUNNING}, False)],
)  # fmt: skip
def test_a_change_that_brought_nothing_is_not_made_again_in_its_branch(
    journal: Journal, ended: dict[str, object], *, refused: bool
) -> None:
    """The same lines changed on a relative: only where they gained, or are still being tried, they may come again."""
    root = written(journal, by_model(1.0))
    sibling = written(journal, by_model(1.0, "\nX = 1\n"), root.id, reward=0.9)
    vain = written(journal, by_model(2.0), root.id, **ended)
    refusal = guard.repeated(journal, reserved(journal, sibling.id), by_model(2.0, "\nX = 1\n"))
    elsewhere = written(journal, by_model(1.0, "\nY = 1\n"))

    assert (refusal is not None and (refusal.kind, refusal.like) == (RefusalKind.SAME_EDIT, vain.id)) == refused
    assert guard.repeated(journal, reserved(journal, elsewhere.id), by_model(2.0, "\nY = 1\n")) is None


def test_errors_are_the_same_whatever_their_numbers() -> None:
    """Lines and sizes move; another name is another error."""
    assert same_failure("ValueError: 3 rows at solution.py:12", "ValueError: 30 rows at solution.py:14")
    assert not same_failure("KeyError: 'a'", "KeyError: 'b'")
    assert not same_failure("", "")


def test_an_edit_is_the_same_wherever_it_stands() -> None:
    """Line numbers do not count; what was removed does."""
    one = edit_key(by_model(1.0), by_model(2.0))

    assert one == edit_key(by_model(1.0, "\nX = 1\n"), by_model(2.0, "\nX = 1\n"))
    assert one != edit_key(by_model(3.0), by_model(2.0))
    assert edit_key(by_model(1.0), by_model(1.0, "# same\n")) == ""


def test_refusals_are_bounded_and_of_the_same_parents(journal: Journal) -> None:
    """A brief holds the latest few, however many there were; each is recorded once."""
    draft, child = reserved(journal), reserved(journal, "a0001")
    for number in range(30):
        for _ in range(2):
            guard.note(
                journal,
                Refusal(kind=RefusalKind.SAME_CODE, attempt_id=draft.id, operator=Operator.DRAFT, parents=(), like="a0009", title=str(number)),
            )  # fmt: skip

    assert [refusal.title for refusal in guard.refusals(journal, draft)] == [str(n) for n in range(18, 30)]
    assert guard.refusals(journal, child) == []


class Listening(ScriptedStrategist):
    """Writes what a function of the brief says, and keeps the briefs."""

    def __init__(
        self, write: Callable[[Brief, int], CodeBundle | None], repairs: list[CodeBundle] | None = None
    ) -> None:
        super().__init__(engine.task(), [], repairs=repairs or [])
        self._write = write
        self.briefs: list[Brief] = []

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write."""
        self.briefs.append(brief)
        return self._write(brief, index)

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Improve nothing."""
        return None

    async def repair(self, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle | None:
        """Play the next."""
        self.briefs.append(brief)
        return await super().repair(brief, broken, report)


@pytest.mark.slow
def test_a_model_that_repeats_itself_is_told_and_asked_once_more(tmp_path: Path) -> None:
    """The second draft is the first with a comment; told so, the model writes another."""

    def write(brief: Brief, index: int) -> CodeBundle | None:
        return by_model(1.0, "# again\n" * index) if index == 0 or not brief.refused else by_model(0.5)

    writer = Listening(write)
    engine.go(tmp_path, writer=writer)
    (named,) = writer.briefs[2].refused

    assert (named.kind, named.like, named.title) == (RefusalKind.SAME_CODE, "a0001", "noise 1.0")
    assert [a.title for a in engine.attempts(tmp_path, Operator.DRAFT)] == ["noise 1.0", "noise 0.5"]


@pytest.mark.slow
def test_a_model_that_cannot_stop_repeating_itself_costs_attempts_and_ends(tmp_path: Path) -> None:
    """Each such attempt has failed, visibly; drafts are not given up, and the budget ends the search."""
    writer = Listening(lambda brief, index: by_model(1.0))
    outcome = engine.go(tmp_path, writer=writer, budget=BudgetSpec(attempts=4))
    drafts = engine.attempts(tmp_path, Operator.DRAFT)

    assert outcome.stop_reason is StopReason.BUDGET_ATTEMPTS
    assert [a.status for a in drafts] == [AttemptStatus.SCORED, *[AttemptStatus.FAILED] * 3]
    assert drafts[1].failure == "only what a0001 holds already was written"


@pytest.mark.slow
def test_an_error_that_comes_back_after_a_mend_is_named(tmp_path: Path) -> None:
    """The second repair is told that the first did not help, and what it changed."""
    mends = [by_model(9.5), by_model(0.5)]
    writer = Listening(lambda brief, index: by_model(9.0), repairs=mends)
    engine.go(tmp_path, engine.Refusing(), writer=writer, budget=BudgetSpec(attempts=1))
    first, second = writer.briefs[1:]

    assert (first.refused, first.mends) == ([], [])
    assert [(r.kind, r.failure) for r in second.refused] == [(RefusalKind.SAME_ERROR, "it broke")]
    assert [mend.after for mend in second.mends] == [by_model(9.5)]


class SameEnsemble(ScriptedStrategist):
    """Writes one and the same ensemble of what a model wrote, whatever it is asked to merge."""

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Return it."""
        return by_model(0.45)


@pytest.mark.slow
def test_an_ensemble_that_is_there_already_fails_nothing(tmp_path: Path) -> None:
    """It is no idea of a model that came to nothing: there is just nothing new to merge, and it costs no attempt."""
    writer = SameEnsemble(engine.task(), [by_model(2.0 - number / 10) for number in range(18)])
    engine.go(tmp_path, writer=writer, search="greedy", budget=BudgetSpec(attempts=15))
    statuses = [attempt.status for attempt in engine.attempts(tmp_path, Operator.MERGE)]

    assert AttemptStatus.EMPTY in statuses
    assert AttemptStatus.FAILED not in statuses
