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
from open_autoglm.tools.export.words import WORDS, metric_title

TEMPLATES = Path(__file__).with_name("templates")
ATTEMPTS_SHOWN = 100
COLUMNS_SHOWN = 200


def report_page(story: RunStory) -> str:
    """Return the page. The same story gives the same bytes."""
    total = max(story.spending.attempts, len(story.attempts))  # the story of a long run holds a part of them
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8").strip()
    return environment().get_template("report.html.j2").render(
        story=story, s=story.scores, d=story.diagnostics, words=WORDS[story.language], css=Markup(css), policy=_policy(css),  # noqa: S704 - our own file
        headline=headline(story), metric=metric_title(story.scores.metric), charts=_charts(story),
        shown=story.ranked[:ATTEMPTS_SHOWN], total=total, hidden=max(0, total - ATTEMPTS_SHOWN), columns_shown=COLUMNS_SHOWN,
    )  # fmt: skip


def _policy(css: str) -> str:
    """Return the content security policy: nothing but the page's own style, named by its hash."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _charts(story: RunStory) -> Mapping[str, Markup]:
    d = story.diagnostics
    drawn = {
        "strip": charts.score_strip(story.scores),
        "curve": charts.learning_curve(story),
        "tree": search_tree(story),
        "importance": charts.importance_bars(d.importance, metric_title(story.scores.metric)),
        "confusion": charts.confusion_matrix(d.confusion) if d.confusion else "",
        "calibration": charts.calibration_plot(d.calibration),
        "roc": charts.roc_plot(d.roc) if d.roc else "",
        "residuals": charts.residual_plot(d.residuals) if d.residuals else "",
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - svg.py escapes every text


def headline(story: RunStory) -> Mapping[str, str]:
    """Return the answer in words: the score, what it was measured on, and what it means beside a linear baseline."""
    words, scores = WORDS[story.language], story.scores
    value = scores.holdout if scores.holdout is not None else scores.cv_mean
    if value is None:
        return {"value": "–", "basis": words["unscored"], "interval": "", "verdict": ""}
    basis = words["holdout"].format(rows=f"{scores.holdout_rows:,}" if scores.holdout_rows else "?")
    interval = bounds(scores)
    verdict = words[_verdict(scores, value, interval, scores.linear)] if interval and scores.linear is not None else ""
    return {
        "value": number(value),
        "basis": basis if scores.holdout is not None else words["folds"],
        "interval": words["interval"].format(low=number(interval[0]), high=number(interval[1])) if interval else "",
        "verdict": verdict,
    }


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
    }
    return made


def _plain(value: Any) -> Any:
    """Replace control and direction-changing characters, which escaping leaves in place, by spaces."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "".join(c if c.isprintable() else " " for c in value)
    return value


def plainly(value: JsonValue) -> str:
    """Return a guessed value as a person would write it."""
    if isinstance(value, list):
        return ", ".join(plainly(item) for item in value)
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)


def seconds(value: float | None) -> str:
    """Return a time as people say it."""
    if value is None:
        return "–"
    if value < 60:
        return f"{number(value, 2)} s"
    if value < 3600:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{int(value // 3600)} h {int(value % 3600 // 60)} min"


def percent(share: float) -> str:
    """Return a share in percent; a little is never shown as nothing."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")
