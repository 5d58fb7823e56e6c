"""The span of the attempt in hand: how its code was mended, what was refused, and what was tried on its parent."""

from collections.abc import Iterator

from open_autoglm.agents.glm.sharing import Shared, clipped, diff_for, joined, lesson_text, phrase, token
from open_autoglm.agents.glm.wire import Part
from open_autoglm.agents.memory.gains import by_id, gain_of
from open_autoglm.agents.memory.phrases import LONGEST_TITLE, Teller, verdict
from open_autoglm.agents.strategist import Past, Refusal, RefusalKind

CHILDREN_TOLD = 8
REFUSED_TOLD = 6


def working_parts(tell: Teller, subject: Past | None) -> Iterator[Part]:
    """Yield what is worth telling of the attempt in hand, the most wanted first."""
    brief = tell.brief
    for refusal in [*brief.refused][: -REFUSED_TOLD - 1 : -1]:
        yield Part(text=_refused(refusal, tell))
    for age, mend in enumerate(reversed(brief.mends)):
        text = phrase(
            "Mended before, in vain. It failed with: {why}\nThe mend was:\n{mend}",
            why=tell.failure(mend.failure, mend.before),
            mend=diff_for(mend.before, mend.after, tell.share, brief),
        )
        yield Part(text=text, age=age)
    if subject is not None:
        yield from _tried_on(subject, tell)


def _refused(refusal: Refusal, tell: Teller) -> Shared:
    title = clipped(lesson_text(refusal.title, tell.share, tell.brief), LONGEST_TITLE)
    if refusal.kind is RefusalKind.SAME_ERROR and refusal.like != refusal.attempt_id:
        return phrase(
            "Do not go that way again: {title!r} failed as {like} had failed ({why}).",
            title=title, like=token(refusal.like), why=_failure_of(refusal, tell),
        )  # fmt: skip
    if refusal.kind is RefusalKind.SAME_ERROR:
        return phrase(
            "Do not mend it that way again: after the mend the same error came back ({why}).",
            why=_failure_of(refusal, tell),
        )
    like = token(refusal.like)
    if refusal.kind is RefusalKind.SAME_EDIT:
        return phrase(
            "Do not make that change again: {title!r} edits what {like} edited before, without gain.",
            title=title,
            like=like,
        )
    return phrase(
        "Do not write that again: {title!r} is, but for comments and layout, the code of {like}.",
        title=title,
        like=like,
    )


def _failure_of(refusal: Refusal, tell: Teller) -> Shared:
    bundle = next((mend.after for mend in reversed(tell.brief.mends)), None)
    found = by_id(tell.brief.past).get(refusal.attempt_id)
    return tell.failure(refusal.failure, bundle or (found.bundle if found is not None else None))


def _tried_on(subject: Past, tell: Teller) -> Iterator[Part]:
    """Yield the changes that were made to the subject before, the latest first."""
    known = by_id(tell.brief.past)
    children = [
        past
        for past in reversed(tell.brief.past)
        if past.parents == (subject.attempt_id,) and past.params is None and past.status != "running"
    ]
    for age, child in enumerate(children[:CHILDREN_TOLD]):
        gain = verdict(gain_of(child, known, tell.brief.task.metric.name))
        facts = joined([fact for fact in (tell.name(child), tell.score(child), gain, tell.why(child)) if fact], "; ")
        yield Part(text=phrase("Tried on {subject}: {facts}", subject=token(subject.attempt_id), facts=facts), age=age)
