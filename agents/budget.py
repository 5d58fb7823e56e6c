"""What a run may spend, enforced in one place, and the user's wish to stop.

Time is counted over all processes that worked on the run: a resumed run gets what is left. Waiting for a person does
not count. The search may not touch the reserve that finalise needs to refit, verify and export.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from open_autoglm.agents.outcome import StopReason
from open_autoglm.tools.task import BudgetSpec

DEFAULT_SECONDS = 600.0
"""When neither option, sentence nor settings name any budget."""

FIXED_RESERVE_SECONDS = 3.0
"""Verification and report of a small model, at the usual pace."""
EXPLANATION_SHARE = 0.15
LONGEST_EXPLANATION_SECONDS = 10.0
"""Notebook, importance and cards: what is left out first when time is short."""
FITS_IN_FINALISE = 4.0
"""Fits that finalise makes at most: scored, shipped, the one that checks reproducibility, the notebook's."""
LARGEST_RESERVE_SHARE = 0.45
USUAL_OVERHEAD_SECONDS = 0.03
"""What starting, supervising and collecting one execution takes on two cores that also do something else."""
FASTEST_PACE, SLOWEST_PACE = 0.6, 1.5
"""However quick or busy the machine is, the reserve for what we do ourselves changes by no more than this."""


class StopFlag:
    """The user's wish to stop, set from any thread.

    `request` asks to finish with the best so far; `abort` asks to stop now and resume later.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._aborted = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether the search should end."""
        return self._requested.is_set()

    @property
    def aborted(self) -> bool:
        """Whether everything should end at once."""
        return self._aborted.is_set()

    def request(self) -> None:
        """Ask to finish with the best so far."""
        self._requested.set()
        self._tell()

    def abort(self) -> None:
        """Ask to stop now; the run can be resumed."""
        self._requested.set()
        self._aborted.set()
        self._tell()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` (from whatever thread) at each request and abort."""
        with self._lock:
            self._listeners.append(listener)

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


@dataclass(slots=True)
class Budget:
    """Counts what is spent against what was given."""

    spec: BudgetSpec
    spent_before: float = 0.0
    """Seconds that earlier processes of the same run used."""
    clock: Callable[[], float] = time.monotonic
    head_start: float = 0.0
    """Seconds that this process had used when the budget was made."""
    pace: float = 1.0
    """How many times as long as usual what we do ourselves takes, on this machine and now."""
    _started: float = field(init=False)
    _waited: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self._started = self.clock() - self.head_start

    @property
    def seconds(self) -> float:
        """Seconds used so far, by all processes of the run, without waiting for people."""
        return self.spent_before + self.clock() - self._started - self._waited

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the budget's end (negative past it); None without a limit in seconds."""
        return None if self.spec.seconds is None else self.spec.seconds - self.seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Do not count the time inside: a person is thinking."""
        before = self.clock()
        try:
            yield
        finally:
            self._waited += self.clock() - before

    def reserve_seconds(self, fit_seconds: float | None) -> float:
        """Seconds that only finalise may spend, given how long the best model takes to fit on one fold."""
        if self.spec.seconds is None:
            return 0.0
        given = max(self.spec.seconds - self.spent_before, 0.0)  # a resumed run spent the rest before
        explanation = min(LONGEST_EXPLANATION_SECONDS, EXPLANATION_SHARE * given)
        wanted = self.pace * (FIXED_RESERVE_SECONDS + explanation) + FITS_IN_FINALISE * 1.3 * (fit_seconds or 0.0)
        return min(wanted, LARGEST_RESERVE_SHARE * given)

    def note_pace(self, overheads: Sequence[float]) -> None:
        """Learn how busy the machine is from the overheads of an attempt's executions, in seconds; earlier ones count half."""
        if overheads:
            now = median(overheads) / USUAL_OVERHEAD_SECONDS
            self.pace = min(SLOWEST_PACE, max(FASTEST_PACE, (self.pace + now) / 2))

    def search_seconds_left(self, fit_seconds: float | None) -> float | None:
        """Seconds left for the search; None without a limit in seconds."""
        left = self.seconds_left
        return None if left is None else left - self.reserve_seconds(fit_seconds)

    def share_spent(self, attempts: int, fit_seconds: float | None = None) -> float:
        """Share of the search that is over, 0 to 1: by attempts where they are limited, else by seconds."""
        if self.spec.attempts is not None:
            return min(1.0, attempts / self.spec.attempts)
        if self.spec.seconds is None:
            return 0.0
        total = max(self.spec.seconds - self.reserve_seconds(fit_seconds), 1e-9)
        return min(1.0, max(0.0, self.seconds / total))

    def exhausted(self, *, attempts: int, tokens: int, money: float, fit_seconds: float | None) -> StopReason | None:
        """Return which budget is spent as far as the search goes, if any."""
        left = self.search_seconds_left(fit_seconds)
        if left is not None and left <= 0:
            return StopReason.BUDGET_SECONDS
        if self.spec.attempts is not None and attempts >= self.spec.attempts:
            return StopReason.BUDGET_ATTEMPTS
        if self.spec.tokens is not None and tokens >= self.spec.tokens > 0:
            return StopReason.BUDGET_TOKENS
        if self.spec.money is not None and money >= self.spec.money > 0:
            return StopReason.BUDGET_MONEY
        return None


def merged_budget(options: BudgetSpec, sentence: BudgetSpec, defaults: BudgetSpec | None = None) -> BudgetSpec:
    """Return the budget of a run: options stand, the sentence fills the rest, then settings, then ten minutes."""
    said = [(spec or BudgetSpec()).model_dump(exclude_none=True) for spec in (defaults, sentence, options)]
    merged = {key: value for part in said for key, value in part.items()}
    if "seconds" not in merged and "attempts" not in merged:
        merged["seconds"] = DEFAULT_SECONDS
    return BudgetSpec.model_validate(merged)
