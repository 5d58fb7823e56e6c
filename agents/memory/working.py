"""The span of the attempt in hand: how its code was mended, what was refused, and what was tried on its parent."""

import difflib
from collections.abc import Callable, Iterator

from open_autoglm.agents.glm.wire import Part
from open_autoglm.agents.memory.gains import by_id, gain_of
from open_autoglm.agents.memory.phrases import LONGEST_TITLE, name_of, score_of, short, verdict
from open_autoglm.agents.strategist import Brief, Past, Refusal, RefusalKind
from open_autoglm.sandbox.bundles.bundle import ENTRY, CodeBundle

LONGEST_DIFF_LINES = 60
LONGEST_DIFF_LINE = 160
CONTEXT_LINES = 1
CHILDREN_TOLD = 8
REFUSED_TOLD = 6


def working_parts(brief: Brief, subject: Past | None, clean_failure: Callable[[str], str]) -> Iterator[Part]:
    """Yield what is worth telling of the attempt in hand, the most wanted first."""
    for refusal in [*brief.refused][: -REFUSED_TOLD - 1 : -1]:
        yield Part(text=_refused(refusal, clean_failure))
    for age, mend in enumerate(reversed(brief.mends)):
        text = f"Mended before, in vain. It failed with: {short(clean_failure(mend.failure))}\nThe mend was:\n{diff(mend.before, mend.after)}"
        yield Part(text=text, age=age)
    if subject is not None:
        yield from _tried_on(subject, brief, clean_failure)


def _refused(refusal: Refusal, clean_failure: Callable[[str], str]) -> str:
    title = short(refusal.title, LONGEST_TITLE)
    if refusal.kind is RefusalKind.SAME_ERROR:
        return f"Do not mend it that way again: after the mend the same error came back ({short(clean_failure(refusal.failure))})."
    if refusal.kind is RefusalKind.SAME_EDIT:
        return f"Do not make that change again: {title!r} edits what {refusal.like} edited before, without gain."
    return f"Do not write that again: {title!r} is, but for comments and layout, the code of {refusal.like}."


def _tried_on(subject: Past, brief: Brief, clean_failure: Callable[[str], str]) -> Iterator[Part]:
    """Yield the changes that were made to the subject before, the latest first."""
    known = by_id(brief.past)
    children = [
        past
        for past in reversed(brief.past)
        if past.parents == (subject.attempt_id,) and past.params is None and past.status != "running"
    ]
    for age, child in enumerate(children[:CHILDREN_TOLD]):
        gain = verdict(gain_of(child, known, brief.task.metric.name))
        why = short(clean_failure(child.failure)) if child.failure else short(child.lesson)
        facts = [f"Tried on {subject.attempt_id}: {name_of(child)}", score_of(child, brief.task.metric.name), gain, why]
        yield Part(text="; ".join(filter(None, facts)), age=age)


def diff(before: CodeBundle, after: CodeBundle) -> str:
    """Return what changed from one bundle to the next, as a short unified diff; long ones are cut."""
    lines: list[str] = []
    for name in sorted({*before.files, *after.files}, key=lambda name: (name != ENTRY, name)):
        old, new = before.files.get(name, "").splitlines(), after.files.get(name, "").splitlines()
        changed = list(difflib.unified_diff(old, new, n=CONTEXT_LINES, lineterm=""))[2:]
        lines += [f"--- {name}", *(line[:LONGEST_DIFF_LINE] for line in changed)] if changed else []
    if len(lines) > LONGEST_DIFF_LINES:
        lines = [*lines[:LONGEST_DIFF_LINES], f"... {len(lines) - LONGEST_DIFF_LINES} more lines"]
    return "\n".join(lines)
