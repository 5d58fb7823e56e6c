"""The span of the run: its best attempts, its latest, what changes helped or hurt, and which ideas failed.

Made from the brief, which holds the best and the latest attempts only, so that it is as long after 500 attempts as after 50.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from open_autoglm.agents.glm.wire import Part
from open_autoglm.agents.memory.gains import by_id, gain_of
from open_autoglm.agents.memory.phrases import LONGEST_TITLE, name_of, score_of, short, verdict
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.metrics import get_metric

BEST_TOLD = 5
LATEST_TOLD = 8
FAILED_TOLD = 10
CHANGES_TOLD = 24


def run_parts(brief: Brief, clean_failure: Callable[[str], str]) -> Iterator[Part]:
    """Yield what is worth telling of the run, the most wanted first."""
    known, ages = by_id(brief.past), _ages(brief.past)
    best = _best(brief)
    if best:
        yield Part(text="\n".join([_head(brief), *(_line(past, known, brief) for past in best)]))
    told = {past.attempt_id for past in best}
    latest = [past for past in reversed(brief.past) if past.attempt_id not in told and past.status != "running"]
    for past in latest[:LATEST_TOLD]:
        yield Part(text=_latest(past, known, brief, clean_failure), age=ages[past.attempt_id])
    older = latest[LATEST_TOLD:]
    yield from _failed(older, ages, clean_failure)
    yield from _changes(older, known, ages, brief)


def _head(brief: Brief) -> str:
    metric = get_metric(brief.task.metric.name)
    return f"Best so far ({metric.name}, {'greater' if metric.greater_is_better else 'smaller'} is better):"


def _best(brief: Brief) -> list[Past]:
    sign = -1.0 if get_metric(brief.task.metric.name).greater_is_better else 1.0
    scored = [past for past in brief.past if past.mean is not None]
    return sorted(scored, key=lambda past: sign * (past.mean or 0.0))[:BEST_TOLD]


def _ages(past: Sequence[Past]) -> Mapping[str, int]:
    """Return how many attempts ago each was, 0 for the latest."""
    return {attempt.attempt_id: len(past) - 1 - place for place, attempt in enumerate(past)}


def _line(past: Past, known: Mapping[str, Past], brief: Brief) -> str:
    judged = verdict(gain_of(past, known, brief.task.metric.name))
    return "; ".join(filter(None, [f"- {name_of(past)}; {score_of(past, brief.task.metric.name)}", judged]))


def _latest(past: Past, known: Mapping[str, Past], brief: Brief, clean_failure: Callable[[str], str]) -> str:
    why = short(clean_failure(past.failure)) if past.failure else short(past.lesson)
    return "; ".join(filter(None, [f"Lately {_line(past, known, brief)[2:]}", why]))


def _failed(older: Sequence[Past], ages: Mapping[str, int], clean_failure: Callable[[str], str]) -> Iterator[Part]:
    """Yield ideas that came to nothing, each once however often it was tried."""
    seen: set[str] = set()
    for past in older:
        title = short(past.bundle.title, LONGEST_TITLE)
        if past.mean is not None or not title or title in seen or len(seen) >= FAILED_TOLD:
            continue
        seen.add(title)
        why = short(clean_failure(past.failure), LONGEST_TITLE)
        yield Part(text=f"Failed before: {title}{f' ({why})' if why else ''}", age=ages[past.attempt_id])


def _changes(older: Sequence[Past], known: Mapping[str, Past], ages: Mapping[str, int], brief: Brief) -> Iterator[Part]:
    """Yield older changes whose effect was more than noise."""
    told = 0
    for past in older:
        gain = gain_of(past, known, brief.task.metric.name)
        if gain is None or not gain.is_clear or told >= CHANGES_TOLD:
            continue
        told += 1
        text = short(past.lesson) or f"{short(past.bundle.title, LONGEST_TITLE)}: {verdict(gain)}"
        yield Part(text=f"{'Helped' if gain.amount > 0 else 'Hurt'}: {text}", age=ages[past.attempt_id])
