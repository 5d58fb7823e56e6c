"""What flows through the two graphs: cursors into the journal, small and of constant size. The journal is the truth."""

from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """One run, as far as it has come."""

    run_id: str
    stop_reason: str = ""
    """Why the search ended, once it has (a `StopReason`)."""
    winner: str = ""
    """The attempt that is delivered, once finalise named it; empty where there is none."""


class RunUpdate(TypedDict, total=False):
    """What a node of the run graph may change."""

    stop_reason: str
    winner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One worker, within one attempt."""

    worker: int
    attempt: str = ""
    """The attempt in hand; empty before `choose` and after there is nothing left to choose."""
    fold: int = 0
    """The fold that `evaluate` executes next."""
    problem: str = ""
    """What is wrong with the code in hand, in one line; empty where nothing is."""
    graded: bool = False
    """Whether every fold that will be graded was."""
    repairs: int = 0
    """How often the code in hand was mended, as far as this worker knows."""
    stop_reason: str = ""


class WorkerUpdate(TypedDict, total=False):
    """What a node of the worker graph may change."""

    attempt: str
    fold: int
    problem: str
    graded: bool
    repairs: int
    stop_reason: str
