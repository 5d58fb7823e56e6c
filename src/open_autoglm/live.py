"""Progress on stderr while a run works: a small live view on a terminal, else a line every ten seconds.

Events come from the run's threads and notes from signal handlers; both go through one reentrant queue to the one
thread that draws. A slow, closed or broken stderr never holds up the run.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from open_autoglm.durations import clock
from open_autoglm.events import Event
from open_autoglm.progress import Progress, advance, as_line, baselines, score_with_error
from open_autoglm.terminal import Terminal
from open_autoglm.tools.export.words import shown_name
from open_autoglm.tools.places import short
from open_autoglm.tools.words import in_language

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

LINE_SECONDS = 10.0
REDRAW_SECONDS = 0.25
BAR_CELLS = 24
_PAUSE, _GO_ON, _END = "pause", "go on", "end"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say at once, such as what Ctrl-C did."""

    text: str


class View(Protocol):
    """Draws one state."""

    every_seconds: float

    def draw(self, state: Progress, now: float) -> None:
        """Show the state."""
        ...

    def note(self, text: str) -> None:
        """Show a note."""
        ...

    def hide(self) -> None:
        """Leave the terminal to somebody else; the next `draw` comes back."""
        ...


class SilentView:
    """Shows nothing but notes: `--quiet`."""

    every_seconds = 3600.0

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def draw(self, state: Progress, now: float) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show the note: it answers a key that the user pressed."""
        self._terminal.tell(text)

    def hide(self) -> None:
        """There is nothing to hide."""


class LineView(SilentView):
    """A line every ten seconds, and before the first one the run directory.

    It is not named before the task is understood: until then the run may come to nothing, and leave nothing.
    """

    every_seconds = LINE_SECONDS

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self._announced = False

    def draw(self, state: Progress, now: float) -> None:
        """Print the state as one line."""
        if not state.stage:
            return
        if state.run_dir and not self._announced:
            self._announced = True
            self._terminal.tell(state.say("run directory {path}", path=short(Path(state.run_dir))))
        self._terminal.tell(as_line(state, now))


class LiveView:
    """A few lines, redrawn in place and gone at the end."""

    every_seconds = REDRAW_SECONDS

    def __init__(self, terminal: Terminal) -> None:
        from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it

        self._console = Console(file=terminal.err, highlight=False)
        self._live: Live | None = None
        self._last: tuple[Progress, int] | None = None

    def draw(self, state: Progress, now: float) -> None:
        """Redraw, if there is anything new to see."""
        seen = (state, int(now))
        if seen == self._last:
            return
        self._last = seen
        from rich.live import Live  # noqa: PLC0415 - as above

        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(panel(state, now, plain=self._console.options.ascii_only), refresh=True)

    def note(self, text: str) -> None:
        """Print above the view."""
        self._console.print(text, markup=False)

    def hide(self) -> None:
        """Clear the view."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._last = None


def panel(state: Progress, now: float, *, plain: bool) -> "RenderableType":
    """Return the live view: stage, best, time, what was learned. `plain` keeps to ASCII."""
    from rich.table import Table  # noqa: PLC0415 - only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=8)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for name, text, style in _rows(state, now, plain=plain):
        grid.add_row(name, Text(text.replace("±", "+/-") if plain else text, style=style))
    return grid


def _rows(state: Progress, now: float, *, plain: bool) -> Iterator[tuple[str, str, str]]:
    """Yield (name, text, style) of each row."""
    say = state.say
    stage = shown_name(state.stage, say) if state.stage else say("start")
    yield say("stage"), stage + (f": {state.task}" if state.task else ""), "bold"
    if state.finished or state.running:
        yield say("attempts"), _attempts(state), ""
        yield say("best"), _best(state), "green" if state.best is not None else ""
    yield say("time"), _time(state, now, plain=plain), ""
    if state.lesson:
        yield say("learned"), state.lesson, ""
    if state.warnings:
        yield say("warnings"), say("{count} (shown at the end)", count=state.warnings), "yellow"


def _attempts(state: Progress) -> str:
    say, planned = state.say, state.attempts_planned
    parts = [say("{count} of {planned} done" if planned else "{count} done", count=state.finished, planned=planned)]
    parts += [say("{count} failed", count=state.failed)] if state.failed else []
    parts += [say("now: {titles}", titles=list(state.running.values()))] if state.running else []
    return ", ".join(parts)


def _best(state: Progress) -> str:
    if state.best is None:
        return state.say("no score yet")
    title = f"  {state.best_title}" if state.best_title else ""
    return f"{state.metric} {score_with_error(state.best, state.best_error)}{baselines(state)}{title}"


def _time(state: Progress, now: float, *, plain: bool) -> str:
    left = state.left(now)
    if left is None or not state.seconds:
        return clock(state.used(now))
    full, empty = ("#", ".") if plain else ("━", "┄")
    cells = round(BAR_CELLS * (1 - left / state.seconds))
    return f"{full * cells}{empty * (BAR_CELLS - cells)} " + state.say(
        "{left} left of {budget}", left=clock(left), budget=clock(state.seconds)
    )


class Watcher:
    """Listens to a run and keeps a view up to date from a thread of its own."""

    def __init__(self, view: View, *, now: Callable[[], float] = time.time, known: Progress | None = None) -> None:
        self._view, self._now = view, now
        self._queue: queue.SimpleQueue[Event | Note | tuple[str, threading.Event]] = queue.SimpleQueue()
        self._state = known or Progress()
        self._paused_at: float | None = None
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tell(_END)
        self._thread.join(timeout=5)

    def listen(self, event: Event) -> None:
        """Take an event. Thread-safe, never blocks."""
        self._queue.put(event)

    def note(self, text: str) -> None:
        """Say something at once. May be called from a signal handler."""
        self._queue.put(Note(text))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question; the time it takes does not count."""
        self._tell(_PAUSE)
        try:
            yield
        finally:
            self._tell(_GO_ON)

    def _tell(self, word: str) -> None:
        """Give the drawing thread an order and wait until it is carried out."""
        done = threading.Event()
        self._queue.put((word, done))
        done.wait(timeout=5)

    def _watch(self) -> None:
        due, heard = self._now(), False  # what is known of an earlier process is shown once this one has begun
        while True:
            timeout = min(max(0.01, due - self._now()), self._view.every_seconds)
            try:
                item = self._queue.get(timeout=timeout)
            except queue.Empty:
                item = None
            if isinstance(item, tuple):
                self._obey(item[0])
                item[1].set()
                if item[0] == _END:
                    return
            elif isinstance(item, Note):
                self._view.note(in_language(item.text, self._state.language))
            elif item is not None:
                understood = bool(self._state.task) and heard
                self._state, heard = advance(self._state, item), True
                if self._state.task and not understood:
                    due = self._now()
            if heard and self._now() >= due and self._paused_at is None and self._state.started is not None:
                self._view.draw(self._state, self._now())
                due = self._now() + self._view.every_seconds

    def _obey(self, word: str) -> None:
        if word == _GO_ON:
            waited = self._now() - (self._paused_at or self._now())
            self._paused_at = None
            if self._state.started is not None:
                self._state = replace(self._state, started=self._state.started + waited)
            return
        self._view.hide()
        self._paused_at = self._now()


def view_for(terminal: Terminal, *, quiet: bool) -> View:
    """Return the view that suits the terminal."""
    if quiet:
        return SilentView(terminal)
    return LiveView(terminal) if terminal.live else LineView(terminal)
