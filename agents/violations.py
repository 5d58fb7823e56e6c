"""What the executions of an attempt tried and may not, added up for readers; the reports themselves stay in the journal."""

from collections import Counter
from collections.abc import Iterable

from open_autoglm.agents.attempts import Execution
from open_autoglm.events import Json
from open_autoglm.sandbox.policy import Severity

MOST_SHOWN = 20
"""Different ones that an attempt remembers."""


def violations_of(executions: Iterable[Execution]) -> dict[str, Json]:
    """Return `violations` (what, why and how often; those of low severity left out) and `low_violations` (how many those are).

    Both are left out where there are none. Limits that were met have no severity, and are told like the high ones.
    """
    told: Counter[tuple[str, str]] = Counter()
    low = 0
    for execution in executions:
        for violation in execution.report.violations:
            if violation.severity == Severity.LOW:
                low += violation.count
            else:
                told[violation.subject or violation.kind.replace("_", " "), violation.detail] += violation.count
    shown: list[Json] = [{"what": what, "why": why, "count": n} for (what, why), n in told.most_common(MOST_SHOWN)]
    return {**({"violations": shown} if shown else {}), **({"low_violations": low} if low else {})}
