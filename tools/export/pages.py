"""MODEL_CARD.md and README.md: the same numbers as the report, for people who read text."""

import re
from collections.abc import Collection

from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.tools.export.manifest import Manifest
from open_autoglm.tools.export.report import environment, headline, shipping
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.export.words import metric_title
from open_autoglm.tools.words import Words

PYTHON = "3.11"
EXPLAINING = {
    "report.html": "`report.html` tells how the model was found",
    "MODEL_CARD.md": "`MODEL_CARD.md` what it is good for",
    "notebook.ipynb": "`notebook.ipynb` walks through the code",
}
"""What each part that explains is for."""
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
    say = Words(language=story.language)
    told = [say(what) for name, what in EXPLAINING.items() if name in present]
    parts = say(
        "{parts}, and `manifest.json` holds the hash of every file."
        if told
        else "`manifest.json` holds the hash of every file.",
        parts=told,
    )
    return _render("README.md.j2", story, manifest, parts=parts)


def _render(template: str, story: RunStory, manifest: Manifest, **more: str) -> str:
    say = Words(language=story.language)
    templates = environment()
    templates.filters |= {"md": markdown, "code": code_span}
    text = templates.get_template(template).render(
        story=story, s=story.scores, manifest=manifest, say=say, metric=metric_title(story.scores.metric, say), answer=_answer(story, say), python=PYTHON,
        shipped=shipping(story, say),
        features=[column.name for column in story.data.columns if column.role == "feature"],
        needs_trust=manifest.loading_runs_code and manifest.author is not Author.RECIPES, **more,
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", text)


def _answer(story: RunStory, say: Words) -> str:
    """Return the headline as one paragraph."""
    found = headline(story)
    text = say(
        "{title}: {metric} {value}{interval}, {basis}.",
        title=markdown(story.best_title or story.best_attempt), metric=metric_title(story.scores.metric, say), value=found["value"],
        interval=f" ({found['interval']})" if found["interval"] else "", basis=found["basis"],
    )  # fmt: skip
    return say.gap.join(filter(None, [text, found["verdict"]]))
