"""Progress: the state that events tell, and the views that show it."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from open_autoglm.events import Event, EventKind, Json
from open_autoglm.live import LineView, LiveView, SilentView, Watcher, panel, view_for
from open_autoglm.progress import Progress, advance, as_line, number, recall
from open_autoglm.terminal import Terminal

STORY: list[tuple[EventKind, dict[str, Json]]] = [
    (EventKind.RUN_STARTED, {"run_dir": "runs/one", "seconds": 60.0, "attempts": 9}),
    (EventKind.STAGE_STARTED, {"stage": "search"}),
    (EventKind.TASK_UNDERSTOOD, {"task_type": "binary", "target": "y", "metric": "roc_auc", "guesses": []}),
    (EventKind.ATTEMPT_STARTED, {"attempt": "0-1", "operator": "draft", "title": "linear"}),
    (EventKind.ATTEMPT_FINISHED, {"attempt": "0-1", "status": "scored", "mean": 0.8, "lesson": "scaling helps"}),
    (EventKind.BEST_IMPROVED, {"attempt": "0-1", "mean": 0.8, "se": 0.01, "metric": "roc_auc", "dummy": 0.5}),
    (EventKind.ATTEMPT_STARTED, {"attempt": "0-2", "operator": "draft", "title": "boosting"}),
    (EventKind.ATTEMPT_STARTED, {"attempt": "1-1", "operator": "tune", "title": ""}),
    (EventKind.ATTEMPT_FINISHED, {"attempt": "1-1", "status": "failed", "mean": None, "lesson": "scaling helps"}),
    (EventKind.WARNING, {"text": "id-like column"}),
    (EventKind.EXECUTION_FINISHED, {"attempt": "0-2"}),
]


def events(start: float = 1000.0) -> Iterator[Event]:
    """Yield the story, one event a second."""
    for seq, (kind, data) in enumerate(STORY):
        yield Event(seq=seq, time=start + seq, run_id="r", kind=kind, data=data)


def told() -> Progress:
    """Return the state after the story."""
    state = Progress()
    for event in events():
        state = advance(state, event)
    return state


def screen(err: io.StringIO | None = None) -> Terminal:
    """Return a terminal that is none."""
    return Terminal(io.StringIO(), err or io.StringIO(), io.StringIO())


class Keyboard(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_events_add_up_to_the_state() -> None:
    """Attempts, failures, best and lessons are counted once each."""
    state = told()
    assert (state.stage, state.finished, state.failed, state.warnings) == ("search", 2, 1, 1)
    assert (state.best, state.best_error, state.dummy, state.lesson) == (0.8, 0.01, 0.5, "scaling helps")
    assert state.running == {"0-2": "boosting"}
    assert state.left(1015.0) == 45.0


def test_a_resumed_run_goes_on_from_what_is_known(tmp_path: Path) -> None:
    """Attempts and best stay, what was under way is gone, and the pause between two processes costs no budget."""
    lines = [event.as_line() for event in events()]
    (tmp_path / "events.jsonl").write_text(
        "\n".join([*lines, "{", '{"event": "of the future", "time": 1, "data": {}}'])
    )
    known = recall(tmp_path)
    assert known == told()
    data: dict[str, Json] = {"run_dir": "runs/one", "seconds": 80.0}
    state = advance(known, Event(seq=12, time=5000.0, run_id="r", kind=EventKind.RUN_RESUMED, data=data))
    assert (
        as_line(state, 5000.0) == "0:10  search  2 attempts  best roc_auc 0.8000 ± 0.0100 (guessing 0.5000)  1:10 left"
    )
    assert recall(tmp_path / "nothing") == Progress()


def test_nothing_is_drawn_before_a_resumed_run_speaks() -> None:
    """What is known is not the present: its clock stands in the past."""
    err = io.StringIO()
    with Watcher(LineView(screen(err)), known=told()) as watcher, watcher.paused():
        pass
    assert err.getvalue() == ""


def test_one_line_says_it_all() -> None:
    """Stage, attempt, best beside the baseline, time left."""
    line = as_line(told(), 1015.0)
    assert line == "0:15  search  attempt 3 of 9 (boosting)  best roc_auc 0.8000 ± 0.0100 (guessing 0.5000)  0:45 left"


def test_the_panel_shows_the_same_in_a_few_lines() -> None:
    """Small: at most seven lines; ASCII where the terminal knows no more."""
    for plain in (False, True):
        console = Console(file=io.StringIO(), width=100)
        console.print(panel(told(), 1015.0, plain=plain))
        assert isinstance(console.file, io.StringIO)
        text = console.file.getvalue()
        assert len(text.splitlines()) <= 7
        for words in (
            "search: binary y",
            "2 of 9 done, 1 failed, now: boosting",
            "0:45 left of 1:00",
            "scaling helps",
            "1 (shown at the end)",
        ):
            assert words in text
        assert text.isascii() == plain


@pytest.mark.parametrize(
    ("value", "text"), [(0.87314, "0.8731"), (12.5, "12.5000"), (431.256, "431.26"), (139548.2, "139,548")]
)
def test_scores_are_short(value: float, text: str) -> None:
    """At most four decimals."""
    assert number(value) == text


def test_lines_come_at_most_every_ten_seconds() -> None:
    """The run directory and one line however many events come at once; ten seconds later there is another line."""
    err, clock = io.StringIO(), [1000.0]
    with Watcher(LineView(screen(err)), now=lambda: clock[0]) as watcher:
        for event in events():
            watcher.listen(event)
        with watcher.paused():
            pass
        lines = len(err.getvalue().splitlines())
        clock[0] += 11
        watcher.note("go")
        with watcher.paused():
            pass
    assert err.getvalue().startswith("run directory runs/one\n")
    assert lines == 2
    assert "go" in err.getvalue()
    assert len(err.getvalue().splitlines()) == 4


def test_time_spent_on_a_question_does_not_count() -> None:
    """The clock stands still while the terminal belongs to a question."""
    clock = [1000.0]
    err = io.StringIO()
    with Watcher(LineView(screen(err)), now=lambda: clock[0]) as watcher:
        story = events()
        for _ in range(2):
            watcher.listen(next(story))
        with watcher.paused():
            clock[0] += 30
        with watcher.paused():
            pass
    assert err.getvalue().splitlines()[-1].endswith("1:00 left")


def test_quiet_shows_only_notes() -> None:
    """`--quiet` still answers a key."""
    err = io.StringIO()
    with Watcher(SilentView(screen(err))) as watcher:
        for event in events():
            watcher.listen(event)
        watcher.note("Stopping")
    assert err.getvalue() == "Stopping\n"


def test_the_live_view_redraws_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws in place, makes room for a question, and clears itself at the end."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    err = Keyboard()
    terminal = Terminal(io.StringIO(), err, Keyboard())
    view = view_for(terminal, quiet=False)
    assert isinstance(view, LiveView)
    assert terminal.interactive
    view.draw(told(), 1015.0)
    drawn = len(err.getvalue())
    view.draw(told(), 1015.2)
    assert len(err.getvalue()) == drawn
    view.note("a note")
    view.hide()
    view.hide()
    assert "boosting" in err.getvalue()
    assert "a note" in err.getvalue()
    assert err.getvalue().endswith("\x1b[2K")


def test_the_view_suits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines without a terminal or on a dumb one, nothing with `--quiet`."""
    assert type(view_for(screen(), quiet=False)) is LineView
    assert type(view_for(screen(), quiet=True)) is SilentView
    monkeypatch.setenv("TERM", "dumb")
    assert type(view_for(Terminal(Keyboard(), Keyboard(), Keyboard()), quiet=False)) is LineView


def test_a_broken_stderr_does_not_hold_up_the_run() -> None:
    """Events are taken and the watcher ends, though nothing can be printed."""
    err = io.StringIO()
    terminal = screen(err)
    err.close()
    with Watcher(LineView(terminal)) as watcher:
        for event in events():
            watcher.listen(event)
    assert not any(thread.name == "progress" for thread in threading.enumerate())
