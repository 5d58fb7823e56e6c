"""report.html: one page that opens offline, makes no request and runs no script."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from pydantic import JsonValue

from open_autoglm.tools.export import charts
from open_autoglm.tools.export.story import RunStory, Scores
from open_autoglm.tools.export.svg import number
from open_autoglm.tools.export.tree import search_tree
from open_autoglm.tools.export.words import (
    SCORED_SHIPS,
    SECTIONS,
    SHIPPED,
    VERDICTS,
    guess_name,
    metric_title,
    shown_name,
    shown_refusal,
    size_text,
    without_title,
)
from open_autoglm.tools.words import ENGLISH, Words
from open_autoglm.tools.words.overheard import overheard

TEMPLATES = Path(__file__).with_name("templates")
ATTEMPTS_SHOWN = 100
COLUMNS_SHOWN = 200
CONNECTIONS_SHOWN = 100


def report_page(story: RunStory) -> str:
    """Return the page. The same story gives the same bytes."""
    total = max(story.spending.attempts, len(story.attempts))  # the story of a long run holds a part of them
    say = Words(language=story.language)
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8").strip()
    return environment().get_template("report.html.j2").render(
        story=story, s=story.scores, d=story.diagnostics, say=say, sections=SECTIONS, shipping=shipping(story, say), css=Markup(css), policy=_policy(css),  # noqa: S704 - our own file
        headline=headline(story), metric=metric_title(story.scores.metric, say), charts=_charts(story, say),
        shown=story.ranked[:ATTEMPTS_SHOWN], total=total, hidden=max(0, total - ATTEMPTS_SHOWN), columns_shown=COLUMNS_SHOWN, connections_shown=CONNECTIONS_SHOWN,
    )  # fmt: skip


def _policy(css: str) -> str:
    """Return the content security policy: nothing but the page's own style, named by its hash."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _charts(story: RunStory, say: Words) -> Mapping[str, Markup]:
    d = story.diagnostics
    drawn = {
        "strip": charts.score_strip(story.scores, say),
        "curve": charts.learning_curve(story, say),
        "tree": search_tree(story, say),
        "importance": charts.importance_bars(d.importance, metric_title(story.scores.metric, say), say),
        "confusion": charts.confusion_matrix(d.confusion, say) if d.confusion else "",
        "calibration": charts.calibration_plot(d.calibration, say),
        "roc": charts.roc_plot(d.roc, say) if d.roc else "",
        "residuals": charts.residual_plot(d.residuals, say) if d.residuals else "",
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - svg.py escapes every text


def headline(story: RunStory) -> Mapping[str, str]:
    """Return the answer in words: the score, what it was measured on, and what it means beside a linear baseline."""
    say, scores = Words(language=story.language), story.scores
    value = scores.holdout if scores.holdout is not None else scores.cv_mean
    if value is None:
        return {"value": "–", "basis": say("There is no score."), "interval": "", "verdict": ""}
    rows = f"{scores.holdout_rows:,}" if scores.holdout_rows else "?"
    held = say("on {rows} rows set aside before the search began, scored once", rows=rows)
    folds = say("cross-validated; no rows were set aside")
    interval = bounds(scores)
    verdict = (
        say(VERDICTS[_verdict(scores, value, interval, scores.linear)])
        if interval and scores.linear is not None
        else ""
    )
    return {
        "value": number(value),
        "basis": held if scores.holdout is not None else folds,
        "interval": _interval_text(interval, say),
        "verdict": verdict,
    }


def _interval_text(interval: tuple[float, float] | None, say: Words) -> str:
    if interval is None:
        return ""
    return say("95 % interval {low} to {high}", low=number(interval[0]), high=number(interval[1]))


def shipping(story: RunStory, say: Words) -> str:
    """Return whose score it is."""
    return say(SHIPPED) if story.refitted else say(SCORED_SHIPS)


def bounds(scores: Scores) -> tuple[float, float] | None:
    """Return the 95 % interval of the score that the headline shows."""
    if scores.holdout is not None:
        known = scores.holdout_low is not None and scores.holdout_high is not None
        return (scores.holdout_low or 0.0, scores.holdout_high or 0.0) if known else None
    if scores.cv_mean is None or scores.cv_se is None:
        return None
    return scores.cv_mean - 1.96 * scores.cv_se, scores.cv_mean + 1.96 * scores.cv_se


def _verdict(scores: Scores, value: float, interval: tuple[float, float], linear: float) -> str:
    if value == linear:
        return "same"
    if interval[0] <= linear <= interval[1]:
        return "unclear"
    return "better" if (value > linear) == scores.greater_is_better else "worse"


@cache
def environment() -> jinja2.Environment:
    """Return the templates; everything that enters one is escaped and stripped of invisible characters."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=jinja2.select_autoescape(["html.j2"]), trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined, finalize=_plain, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters |= {
        "number": number,
        "seconds": seconds,
        "percent": percent,
        "metric_title": metric_title,
        "plainly": plainly,
        "state": shown_name,
        "refusal": shown_refusal,
        "size": size_text,
        "without": without_title,
        "guessed": guess_name,
        "overheard": overheard,
    }
    return made


def _plain(value: Any) -> Any:
    """Replace control and direction-changing characters, which escaping leaves in place, by spaces."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "".join(c if c.isprintable() else " " for c in value)
    return value


def plainly(value: JsonValue, say: Words = ENGLISH) -> str:
    """Return a guessed value as a person would write it."""
    if isinstance(value, list):
        return say("{names}", names=[plainly(item, say) for item in value])
    if value is None:
        return say("none")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return str(value)


def seconds(value: float | None, say: Words = ENGLISH) -> str:
    """Return a time as people say it."""
    if value is None:
        return "–"
    if value < 60:
        return say("{seconds} s", seconds=number(value, 2))
    if value < 3600:
        minutes, rest = divmod(int(value), 60)
        return (
            say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
            if rest
            else say("{minutes} min", minutes=minutes)
        )
    return say("{hours} h {minutes} min", hours=int(value // 3600), minutes=int(value % 3600 // 60))


def percent(share: float) -> str:
    """Return a share in percent; a little is never shown as nothing."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")
