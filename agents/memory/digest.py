"""The span of the run: its best attempts, its latest, what changes helped or hurt, and which ideas failed.

Made from the brief, which holds the best and the latest attempts only, so that it is as long after 500 attempts as after 50.
"""

from collections.abc import Iterator, Mapping, Sequence

from open_autoglm.agents.glm.sharing import Shared, joined, ours, phrase, token
from open_autoglm.agents.glm.wire import Part
from open_autoglm.agents.memory.gains import by_id, gain_of
from open_autoglm.agents.memory.phrases import LONGEST_TITLE, Teller, verdict
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.metrics import get_metric

BEST_TOLD = 5
LATEST_TOLD = 8
FAILED_TOLD = 10
CHANGES_TOLD = 24


def run_parts(tell: Teller) -> Iterator[Part]:
    """Yield what is worth telling of the run, the most wanted first."""
    brief = tell.brief
    known, ages = by_id(brief.past), _ages(brief.past)
    best = _best(brief)
    if best:
        yield Part(text=joined([_head(brief), *(_line(past, known, tell) for past in best)]))
    told = {past.attempt_id for past in best}
    latest = [past for past in reversed(brief.past) if past.attempt_id not in told and past.status != "running"]
    for past in latest[:LATEST_TOLD]:
        yield Part(text=_latest(past, known, tell), age=ages[past.attempt_id])
    older = latest[LATEST_TOLD:]
    yield from _failed(older, ages, tell)
    yield from _changes(older, known, ages, tell)


def _head(brief: Brief) -> Shared:
    metric = get_metric(brief.task.metric.name)
    better = ours("greater") if metric.greater_is_better else ours("smaller")
    return phrase("Best so far ({metric}, {better} is better):", metric=token(metric.name), better=better)


def _best(brief: Brief) -> list[Past]:
    sign = -1.0 if get_metric(brief.task.metric.name).greater_is_better else 1.0
    scored = [past for past in brief.past if past.mean is not None]
    return sorted(scored, key=lambda past: sign * (past.mean or 0.0))[:BEST_TOLD]


def _ages(past: Sequence[Past]) -> Mapping[str, int]:
    """Return how many attempts ago each was, 0 for the latest."""
    return {attempt.attempt_id: len(past) - 1 - place for place, attempt in enumerate(past)}


def _facts(past: Past, known: Mapping[str, Past], tell: Teller) -> list[Shared]:
    judged = verdict(gain_of(past, known, tell.brief.task.metric.name))
    return [fact for fact in (tell.name(past), tell.score(past), judged) if fact]


def _line(past: Past, known: Mapping[str, Past], tell: Teller) -> Shared:
    return phrase("- {facts}", facts=joined(_facts(past, known, tell), "; "))


def _latest(past: Past, known: Mapping[str, Past], tell: Teller) -> Shared:
    why = tell.why(past)
    return phrase("Lately {facts}", facts=joined([*_facts(past, known, tell), *([why] if why else [])], "; "))


def _failed(older: Sequence[Past], ages: Mapping[str, int], tell: Teller) -> Iterator[Part]:
    """Yield ideas that came to nothing, each once however often it was tried."""
    seen: set[str] = set()
    for past in older:
        if past.mean is not None or len(seen) >= FAILED_TOLD:
            continue
        title = tell.title(past)
        if not title or title in seen:
            continue
        seen.add(title)
        why = tell.failure(past.failure, past.bundle, LONGEST_TITLE)
        told = phrase("{title} ({why})", title=title, why=why) if why else title
        yield Part(text=phrase("Failed before: {told}", told=told), age=ages[past.attempt_id])


def _changes(older: Sequence[Past], known: Mapping[str, Past], ages: Mapping[str, int], tell: Teller) -> Iterator[Part]:
    """Yield older changes whose effect was more than noise."""
    told = 0
    for past in older:
        gain = gain_of(past, known, tell.brief.task.metric.name)
        if gain is None or not gain.is_clear or told >= CHANGES_TOLD:
            continue
        told += 1
        text = tell.lesson(past) or phrase("{title}: {verdict}", title=tell.title(past), verdict=verdict(gain))
        effect = ours("Helped") if gain.amount > 0 else ours("Hurt")
        yield Part(text=phrase("{effect}: {text}", effect=effect, text=text), age=ages[past.attempt_id])
