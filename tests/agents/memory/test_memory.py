"""The spans of memory: what each tells, and that none outgrows its share."""

import pytest
from tests.agents.memory.world import brief, bundle, memory, past

from open_autoglm.agents.glm.wire import Message
from open_autoglm.agents.memory.tokens import USUAL_CONTEXT, Shares, estimate, fitting
from open_autoglm.agents.strategist import Mend, Operator, Past, Refusal, RefusalKind


def text_of(parts: list) -> str:
    return Message(role="user", parts=parts).text


def long_run(count: int) -> list[Past]:
    """Attempts as wordy as they come: long titles, lessons and errors, some that fail, some that help."""
    made = []
    for number in range(1, count + 1):
        wordy = f"idea {number} " + "word " * 200
        failed = number % 3 == 0
        made.append(
            past(
                number,
                parent=None if number < 5 else number - 4,
                bundle=bundle(float(number), wordy),
                status="failed" if failed else "scored",
                mean=None if failed else 0.5 + 0.0007 * number * (-1) ** number,
                failure=wordy if failed else "",
                lesson=wordy,
            )
        )
    return made


@pytest.mark.parametrize("context", [4_096, 32_768, None])
def test_the_prompt_stays_under_its_share_at_attempt_500(context: int | None) -> None:
    """What the model is reminded of is as long at attempt 500 as at 100, and within its tokens: newlines included."""
    attempts = long_run(500)
    refused = [
        Refusal(
            kind=kind, attempt_id="a0500", operator=Operator.IMPROVE, parents=("a0499",), like="a0004", title="t " * 900, failure="f " * 900
        )
        for kind in RefusalKind
    ] * 20  # fmt: skip
    mends = [Mend(before=bundle(1.0), failure="e " * 900, after=bundle(float(n))) for n in range(2, 9)]
    shares = Shares.of(context)
    kept = memory(shares=shares)
    sizes = {}
    for count in (100, 500):
        told = brief(attempts[:count], refused=refused, mends=mends)
        sizes[count] = [estimate(text_of(kept.working(told, attempts[count - 2]))), estimate(text_of(kept.run(told)))]

        assert sizes[count][0] <= shares.working
        assert sizes[count][1] <= shares.run
    assert sum(sizes[500]) <= 1.1 * sum(sizes[100])
    assert shares.working + shares.run + shares.long < (context or USUAL_CONTEXT) / 4


def test_the_digest_tells_best_latest_failed_and_what_helped() -> None:
    """Each once, with the gain over its parent and the noise beside it."""
    attempts = [
        past(1, mean=0.70, bundle=bundle(1.0, "logistic regression")),
        past(2, parent=1, mean=0.80, lesson="scaling helps", bundle=bundle(2.0, "scaled")),
        past(3, status="failed", mean=None, failure="KeyError: 'Ann'", bundle=bundle(3.0, "by name")),
        *[past(number, mean=0.9 + number / 1e4, standard_error=0.01) for number in range(4, 20)],
    ]
    told = text_of(memory().run(brief(attempts)))

    assert told.startswith(
        "Best so far (roc_auc, greater is better):\n- a0019 (draft): noise 19.0; roc_auc 0.9019 +- 0.01"
    )
    assert "Lately a0014" in told
    assert "Failed before: by name (KeyError: '‹1›')" in told
    assert "Helped: scaling helps" in told
    assert "'Ann'" not in told, "failures are cleaned before they are told"


def test_older_attempts_carry_a_greater_age() -> None:
    """So that a context which is too small loses the oldest first, and never the best."""
    parts = memory().run(brief([past(number) for number in range(1, 30)]))
    ages = [part.age for part in parts[1:] if part.age is not None]

    assert parts[0].age is None
    assert ages == sorted(ages)


def test_working_memory_shows_mends_refusals_and_what_was_tried() -> None:
    """The change of each mend as lines, the error that it did not mend, and the parent's other children."""
    parent = past(1, mean=0.7)
    child = past(2, parent=1, mean=0.6, bundle=bundle(2.0, "drop columns"))
    refusal = Refusal(
        kind=RefusalKind.SAME_CODE, attempt_id="a0003", operator=Operator.IMPROVE, parents=("a0001",), like="a0002", title="again"
    )  # fmt: skip
    mend = Mend(before=bundle(1.0), failure="KeyError: 'Ann'", after=bundle(1.5))
    told = text_of(memory().working(brief([parent, child], refused=[refusal], mends=[mend]), parent))

    assert "Do not write that again: 'again' is, but for comments and layout, the code of a0002." in told
    assert "It failed with: KeyError: '‹1›'" in told
    assert '-PARAMS = {"noise": 1.0}\n+PARAMS = {"noise": 1.5}' in told
    assert "Tried on a0001: a0002 (improve of a0001): drop columns; roc_auc 0.6 +- 0.001; worse by 0.1" in told


def test_a_way_that_failed_twice_is_named() -> None:
    """Siblings that fail with the same error: the next is told which way not to go."""
    failed = [past(number, parent=1, status="failed", mean=None, failure="KeyError") for number in (2, 3)]
    refusal = Refusal(
        kind=RefusalKind.SAME_ERROR, attempt_id="a0003", operator=Operator.IMPROVE, parents=("a0001",), like="a0002",
        title="drop rows", failure="KeyError",
    )  # fmt: skip
    told = text_of(memory().working(brief([past(1), *failed], refused=[refusal])))

    assert told.startswith("Do not go that way again: 'drop rows' failed as a0002 had failed (KeyError")


def test_what_does_not_fit_is_left_out_as_a_whole() -> None:
    """A smaller part after it may still come in."""
    parts = memory().run(brief([past(1)]))
    small = [*parts, *parts]

    assert fitting(small, estimate(parts[0].text) + 1, estimate) == parts
    assert fitting(small, 3, estimate) == []
