"""MODEL_CARD.md and README.md: the same numbers as the report, for people who read text."""

import re
from collections.abc import Collection

from open_autoglm.sandbox.bundle import Author
from open_autoglm.tools.export.manifest import Manifest
from open_autoglm.tools.export.report import environment, headline
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.export.words import WORDS, metric_title

PYTHON = "3.11"
_EXPLAINING = {
    "report.html": "tells how the model was found",
    "MODEL_CARD.md": "what it is good for",
    "notebook.ipynb": "walks through the code",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def markdown(text: object) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def code_span(text: object) -> str:
    """Return text for a code span: a backtick would end it."""
    return " ".join(str(text).replace("`", "'").split())


def model_card(story: RunStory, manifest: Manifest) -> str:
    """Return what the model is for, how good it is, and what it must not be used for."""
    return _render("MODEL_CARD.md.j2", story, manifest)


def read_me(story: RunStory, manifest: Manifest, present: Collection[str]) -> str:
    """Return the few lines that say how to use the folder; of the parts that may be missing it names those `present`."""
    told = [f"`{name}` {what}" for name, what in _EXPLAINING.items() if name in present]
    told.append("and " * bool(told) + "`manifest.json` holds the hash of every file.")
    return _render("README.md.j2", story, manifest, parts=", ".join(told))


def _render(template: str, story: RunStory, manifest: Manifest, **more: str) -> str:
    words = WORDS[story.language]
    templates = environment()
    templates.filters |= {"md": markdown, "code": code_span}
    text = templates.get_template(template).render(
        story=story, s=story.scores, manifest=manifest, metric=metric_title(story.scores.metric), answer=_answer(story), python=PYTHON,
        shipped=words["shipped"] if story.refitted else words["scored_ships"],
        features=[column.name for column in story.data.columns if column.role == "feature"],
        needs_trust=manifest.loading_runs_code and manifest.author is not Author.RECIPES, **more,
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", text)


def _answer(story: RunStory) -> str:
    """Return the headline as one paragraph."""
    said = headline(story)
    interval = f" ({said['interval']})" if said["interval"] else ""
    text = f"{markdown(story.best_title or story.best_attempt)}: {metric_title(story.scores.metric)} {said['value']}{interval}, {said['basis']}."
    return " ".join(filter(None, [text, said["verdict"]]))
