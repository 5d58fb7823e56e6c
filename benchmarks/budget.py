"""Whether a run keeps to its time, and what a minute buys on 100,000 rows.

The whole command is timed, from its start to its exit, against budget + max(5 s, 5 %).
"""

import json
from typing import Any

from bench import TITANIC, TITANIC_PROMPT, Figure, Ran, arguments, large, page, publish, run_autoglm, scratch

BUDGETS, QUICK = (10, 60, 300), (10, 60)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--quick", action="store_true", help="10 and 60 s only")
    given = parser.parse_args()
    figures: list[Figure] = []
    notes: list[str] = []
    with scratch() as folder:
        tables = {
            "titanic": (TITANIC_PROMPT, TITANIC),
            "100,000 x 20": ("Predict price, minimise RMSE", large(folder / "prices.csv")),
        }
        for name, (prompt, data) in tables.items():
            for seconds in QUICK if given.quick else BUDGETS:
                ran = run_autoglm(prompt, data, seconds, folder / f"{data.stem}-{seconds}")
                figures.append(_kept(name, seconds, ran))
                if name != "titanic" and seconds == 60:
                    notes.append(_against_linear(ran))
    publish(page("Budgets", figures, *notes), "budget", write=given.write)


def _kept(name: str, seconds: int, ran: Ran) -> Figure:
    outcome = _outcome(ran)
    told = f"exit {ran.code}, {outcome.get('attempts', 0)} attempts, {outcome.get('status', 'no outcome')}"
    return Figure(
        what=f"{name}, --time {seconds}s", value=ran.seconds, target=seconds + max(5.0, 0.05 * seconds), note=told
    )


def _against_linear(ran: Ran) -> str:
    outcome = _outcome(ran)
    score, linear = outcome.get("score", {}).get("holdout"), outcome.get("baseline", {}).get("linear")
    if score is None or linear is None:
        return f"60 s on 100,000 rows: MISSED, holdout {score}, linear baseline {linear}."
    better = score > linear if outcome["score"]["greater_is_better"] else score < linear
    verdict = "met" if better else "MISSED"
    return f"60 s on 100,000 rows beats the linear baseline: {verdict} (holdout {outcome['score']['metric']} {score:.4g}, linear {linear:.4g})."


def _outcome(ran: Ran) -> dict[str, Any]:
    try:
        return dict(json.loads(ran.stdout))
    except ValueError:
        return {}


if __name__ == "__main__":
    main()
