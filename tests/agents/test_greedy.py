"""The greedy policy: diversity first, then the best; ensembles whenever there is something new to merge."""

from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.search.base import SearchView
from open_autoglm.agents.search.greedy import CLOSING, FIRST_DRAFTS, GreedyPolicy
from open_autoglm.agents.strategist import Operator


def attempt(name: str, operator: Operator = Operator.DRAFT) -> Attempt:
    return Attempt(
        id=name, worker=0, operator=operator, slot=0, parents=(), seed=0, status=AttemptStatus.SCORED, mean=0.5
    )


def choose(**view: object) -> tuple[Operator, tuple[str, ...]] | None:
    pick = GreedyPolicy().choose(SearchView(**view))  # type: ignore[arg-type]  # the fields of a view
    return None if pick is None else (pick.operator, pick.parents)


def test_begins_with_drafts() -> None:
    """The first picks are independent drafts, each with a slot of its own."""
    for made in range(FIRST_DRAFTS):
        pick = GreedyPolicy().choose(SearchView(made={Operator.DRAFT: made}, best=[attempt("a1")], scored=1))
        assert pick is not None
        assert (pick.operator, pick.slot) == (Operator.DRAFT, made)


def test_works_on_the_best_when_drafts_are_over() -> None:
    """Without further drafts the best is improved, then tuned."""
    view = {
        "made": {Operator.DRAFT: 6},
        "best": [attempt("a2"), attempt("a1")],
        "exhausted": frozenset({(Operator.DRAFT, "")}),
    }

    assert choose(**view) == (Operator.IMPROVE, ("a2",))
    assert choose(**{**view, "exhausted": frozenset({(Operator.DRAFT, ""), (Operator.IMPROVE, "a2")})}) == (
        Operator.IMPROVE,
        ("a1",),
    )


def test_merges_when_enough_is_new() -> None:
    """Several fresh scores make an ensemble worth trying; ensembles are not merged again."""
    best = [attempt("a9", Operator.MERGE), attempt("a2"), attempt("a1")]

    assert choose(made={Operator.DRAFT: 4}, best=best, scored=4) == (Operator.MERGE, ("a2", "a1"))
    assert choose(made={Operator.DRAFT: 4}, best=best, scored=4, scored_at_last_merge=4) != (
        Operator.MERGE,
        ("a2", "a1"),
    )


def test_closes_with_an_ensemble() -> None:
    """Near the end of the budget, and with the last attempt, what is there is merged."""
    best = [attempt("a2"), attempt("a1")]

    assert choose(made={Operator.DRAFT: 2}, best=best, scored=2, share_spent=CLOSING) == (Operator.MERGE, ("a2", "a1"))
    assert choose(made={Operator.DRAFT: 2}, best=best, scored=2, last=True) == (Operator.MERGE, ("a2", "a1"))


def test_ends_when_nothing_is_left() -> None:
    """No drafts, no improvements, no trials: the search has converged."""
    parents = {(operator, "a1") for operator in (Operator.IMPROVE, Operator.TUNE)}
    gone = frozenset({(Operator.DRAFT, ""), *parents})

    assert choose(made={Operator.DRAFT: 5}, best=[attempt("a1")], scored=1, exhausted=gone) is None
