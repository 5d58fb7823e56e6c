"""The net under the model: what it does or leaves undone never ends a run, and what it fails at again and again is not asked again."""

import asyncio
import threading

import pytest

from open_autoglm.agents.glm.safety import MOST_BAD_ANSWERS, MOST_SILENCES, Degraded, SafetyNet
from open_autoglm.errors import AutoGLMError, CapReached, EndpointFailed, UnusableReply


async def failing(error: AutoGLMError) -> str:
    raise error


async def well() -> str:
    return "well"


async def forever() -> str:
    await asyncio.Event().wait()
    return "never"


def hold_each(net: SafetyNet, errors: list[AutoGLMError | None]) -> list[str | None]:
    async def all_of_them() -> list[str | None]:
        return [await net.hold(lambda e=error: well() if e is None else failing(e), 5.0) for error in errors]

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("error", "most", "cause"),
    [
        (EndpointFailed("nobody there"), MOST_SILENCES, "endpoint"),
        (UnusableReply("no code"), MOST_BAD_ANSWERS, "answers"),
        (CapReached("1,000 tokens are spent"), 1, "cap"),
    ],
)
def test_a_model_that_keeps_failing_is_given_up_once(error: AutoGLMError, most: int, cause: str) -> None:
    """After so many failures in a row it is told, once, and the model is asked nothing more."""
    told: list[Degraded] = []
    net = SafetyNet(told.append)

    assert hold_each(net, [error] * (most - 1)) == [None] * (most - 1)
    assert told == []
    assert hold_each(net, [error, None, error]) == [None] * 3
    assert [(why.cause, why.detail) for why in told] == [(cause, str(error))]


def test_an_answer_between_failures_forgives_them() -> None:
    """Only failures in a row count."""
    net = SafetyNet()
    hold_each(net, [UnusableReply("no code"), None] * MOST_BAD_ANSWERS + [EndpointFailed("gone"), None] * MOST_SILENCES)
    assert net.degraded is None


def test_silence_ends_with_the_time_allowed() -> None:
    """A model that never answers costs what it was given, and counts as silent."""
    net = SafetyNet()

    async def twice() -> list[str | None]:
        return [await net.hold(forever, 0.01) for _ in range(MOST_SILENCES)]

    assert asyncio.run(twice()) == [None, None]
    assert net.degraded is not None
    assert net.degraded.cause == "endpoint"


def test_a_wish_to_stop_lets_go_of_the_model_at_once() -> None:
    """What is asked is dropped from another thread, and nothing more is asked; the net is not to blame."""
    net = SafetyNet()

    async def stopped() -> list[str | None]:
        asyncio.get_running_loop().call_later(0.01, lambda: threading.Thread(target=net.release).start())
        return [await net.hold(forever, None), await net.hold(well, None)]

    assert asyncio.run(asyncio.wait_for(stopped(), 5)) == [None, None]
    assert net.degraded is None


def test_an_abort_of_the_run_is_not_held_back() -> None:
    """Cancelling the run cancels what the model is asked, and goes on up."""
    net = SafetyNet()

    async def aborted() -> None:
        task = asyncio.ensure_future(net.hold(forever, None))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(aborted())


def test_our_own_mistakes_are_not_held() -> None:
    """An error that no model caused is raised: a net that swallows everything hides faults."""

    async def broken() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(SafetyNet().hold(broken, None))


def test_no_time_is_no_failure() -> None:
    """Where no time is left the model is not asked, and not blamed."""
    net = SafetyNet()
    assert asyncio.run(net.hold(well, 0.0)) is None
    assert net.degraded is None
