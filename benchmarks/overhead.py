"""What we cost beside the user's training: per execution, and as a share of a 60 s run.

From the reports in the journal of finished runs. Imports, `fit` and `predict` are what the code inside says they took (its
claimed `import` and `call`); everything else is ours: preparing the sandbox, handing files over and back, reading and writing tables
and models inside, supervision, and on the host all that happens between two executions.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path

from bench import TITANIC, TITANIC_PROMPT, Figure, adult_sized, arguments, page, publish, run_autoglm, scratch

from open_autoglm.agents.journal import Journal
from open_autoglm.events import read_events
from open_autoglm.sandbox.report import ExecutionReport

PER_EXECUTION_MS, SHARE_PERCENT = 60.0, 15.0
BUDGET_SECONDS = 60
THEIRS = ("import", "call", "check")
"""The last is the prediction right after a fit that finalise compares with the reloaded model's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one run spent on what."""

    wall: float
    """Of the whole command."""
    theirs: float
    """In imports, fit and predict of all executions."""
    each: list[float]
    """Our own seconds of each successful execution, queueing included."""
    outside: list[float]
    """Of these, the seconds beyond everything that the code inside accounts for."""
    stages: dict[str, float]
    supervised: float
    """Wall time of all executions, queueing included."""
    attempts: int


def main() -> None:
    """Measure and print."""
    given = arguments(__doc__).parse_args()
    with scratch() as folder:
        adult = _costs("Predict income, optimise AUC", adult_sized(folder / "census.csv"), folder / "adult")
        titanic = _costs(TITANIC_PROMPT, TITANIC, folder / "titanic")
    figures = [*_figures("adult-sized", adult, SHARE_PERCENT), *_figures("titanic", titanic, None)]
    publish(
        page("Overhead", figures, _stages("adult-sized", adult), _stages("titanic", titanic)),
        "overhead",
        write=given.write,
    )


def _costs(prompt: str, data: Path, out: Path) -> Costs:
    ran = run_autoglm(prompt, data, BUDGET_SECONDS, out)
    if ran.code != 0:
        raise SystemExit(f"autoglm run ended with {ran.code}: {ran.stderr[-500:]}")
    reports = _reports(out)
    good = [report for report in reports if report.exit_code == 0 and report.claimed_seconds]
    events = list(read_events(out / "events.jsonl"))
    finished = [event["data"] for event in events if event["event"] == "stage.finished"]
    stages = {str(data["stage"]): float(str(data["seconds"])) for data in finished if isinstance(data, dict)}
    return Costs(
        wall=ran.seconds,
        theirs=sum(_theirs(report) for report in reports),
        each=[report.queued_seconds + report.wall_seconds - _theirs(report) for report in good],
        outside=[report.queued_seconds + report.wall_seconds - sum(report.claimed_seconds.values()) for report in good],
        stages=stages,
        supervised=sum(report.queued_seconds + report.wall_seconds for report in reports),
        attempts=sum(event["event"] == "attempt.finished" for event in events),
    )


def _reports(out: Path) -> list[ExecutionReport]:
    journal = Journal(out / "journal.sqlite")
    try:
        return [execution.report for attempt in journal.attempts() for execution in journal.executions(attempt.id)]
    finally:
        journal.close()


def _theirs(report: ExecutionReport) -> float:
    """Return the seconds of imports, fit and predict; all of an execution that was cut counts as theirs."""
    if not report.claimed_seconds:
        return report.wall_seconds
    return sum(report.claimed_seconds.get(step, 0.0) for step in THEIRS)


def _figures(name: str, costs: Costs, share: float | None) -> list[Figure]:
    ordered = sorted(costs.each)
    late = ordered[int(0.95 * (len(ordered) - 1))]
    note = f"{len(costs.each)} executions, 95 % of them under {1000 * late:.0f} ms"
    inner = "beyond what the code inside accounts for (its reading and writing left out)"
    ours = 100 * (costs.wall - costs.theirs) / costs.wall
    return [
        Figure(what=f"{name}: own time per execution (median)", value=1000 * statistics.median(costs.each), unit="ms", target=PER_EXECUTION_MS, note=note),
        Figure(what=f"{name}: of it, outside", value=1000 * statistics.median(costs.outside), unit="ms", note=inner),
        Figure(what=f"{name}: own share of the run", value=ours, unit="%", target=share, note=f"{costs.wall - costs.theirs:.1f} of {costs.wall:.1f} s, {costs.attempts} attempts"),
    ]  # fmt: skip


def _stages(name: str, costs: Costs) -> str:
    told = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in costs.stages.items())
    staged = sum(costs.stages.values())
    ends = costs.wall - staged
    ours = (
        f"in executions {costs.supervised - costs.theirs:.1f} s, on the host between them {staged - costs.supervised:.1f} s, "
        f"before the first stage and after the last {ends:.1f} s"
    )
    return f"{name}, wall time by stage: {told}. Own time: {ours}."


if __name__ == "__main__":
    main()
