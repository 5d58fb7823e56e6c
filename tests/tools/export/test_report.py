"""The page opens offline, runs nothing, and nothing from the data becomes markup."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from open_autoglm.sandbox.supervision.proxy import Refusal
from open_autoglm.tools.export.charts import learning_curve
from open_autoglm.tools.export.report import headline, report_page, seconds
from open_autoglm.tools.export.story import (
    Attempt,
    Check,
    ColumnSummary,
    Confusion,
    Connection,
    DataSummary,
    Diagnostics,
    Environment,
    ImportanceRow,
    Residuals,
    RunStory,
    Scores,
    Violation,
)
from open_autoglm.tools.export.words import NAMES, REFUSALS

Tell = Callable[..., RunStory]
HOSTILE = [
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "a\u202eb\x00c\n",
    "'; DROP",
    "]]><svg onload=x>",
]


class Tags(HTMLParser):
    """Collects tags and attributes, and complains about tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def hostile(story: RunStory) -> RunStory:
    """Put hostile text into every field that can hold some."""
    bad = " ".join(HOSTILE)
    return story.model_copy(update={
        "run_id": bad, "prompt": bad, "target": bad, "best_title": bad, "stop_reason": bad, "split": bad, "warnings": (bad,), "unmet": (bad,),
        "left_out": (bad,), "strategist": bad, "author": bad,
        "attempts": tuple(a.model_copy(update={"title": bad, "lesson": bad, "operator": bad}) for a in story.attempts),
        "checks": (Check(letter="a", result="passed", sentence=bad),),
        "guesses": tuple(g.model_copy(update={"field": bad, "value": [bad, {"k": bad}], "reason": bad}) for g in story.guesses),
        "data": DataSummary(rows=1, columns=tuple(ColumnSummary(name=h, kind=h, role=h) for h in HOSTILE), class_counts=((bad, 1),), notes=(bad,)),
        "diagnostics": Diagnostics(
            confusion=Confusion(classes=(HOSTILE[0], HOSTILE[1]), counts=((1, 2), (3, 4))),
            importance=tuple(ImportanceRow(feature=h, drop=0.1, standard_error=0.1) for h in HOSTILE),
            roc=story.diagnostics.roc.model_copy(update={"positive": bad}) if story.diagnostics.roc else None,
        ),
        "environment": Environment(python=bad, platform=bad, packages=((bad, bad),)),
    })  # fmt: skip


@pytest.fixture(scope="module", params=["made", "hostile", "zh"])
def page(request: pytest.FixtureRequest, tell: Tell) -> str:
    story = tell(language="zh" if request.param == "zh" else "en")
    return report_page(hostile(story) if request.param == "hostile" else story)


def test_nothing_is_fetched_or_run(page: str) -> None:
    """No script, no handler, no style attribute, no address but the page's own anchors."""
    for tag, attributes in Tags(page).seen:
        assert tag not in {"script", "img", "iframe", "link", "object", "form", "base", "image", "use"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "src", "srcset", "action"}
            assert name != "href" or (value or "").startswith("#")
    assert "url(" not in page
    assert "@import" not in page


def test_every_tag_closes(page: str) -> None:
    """The page is well formed, whatever its texts are."""
    assert Tags(page).open == []


def test_the_policy_allows_only_this_style(page: str) -> None:
    """The style's hash in the policy is that of the style in the page."""
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for t, a in Tags(page).seen if t == "meta" and a.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_charts_are_valid_xml(page: str) -> None:
    """Every drawing parses as XML and has a description."""
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) >= 5
    for drawing in drawings:
        assert ElementTree.fromstring(drawing).get("aria-label")


def test_hostile_text_stays_text(tell: Tell) -> None:
    """Direction overrides and control characters are gone; a template in a name is not evaluated."""
    page = report_page(hostile(tell()))
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "{{ 7*7 }}" in "".join(Tags(page).text)


def test_a_chinese_page_is_chinese(tell: Tell) -> None:
    """What the page itself says, in text and in charts, holds no English word but names: of files, metrics, programs."""
    story = tell(language="zh")
    shown = re.sub(r"(?s)<(style|pre|code|bdi)\b.*?</\1>", " ", report_page(story))
    told = {*re.findall(r"[A-Za-z]{3,}", " ".join(_texts(story.model_dump())))}
    words = {*re.findall(r"[A-Za-z]{3,}", " ".join(Tags(shown).text + _labels(shown)))}
    assert words - told - {"Open", "AutoGLM", "ROC", "AUC", "CPU", "Python", "lock", "requirements"} == set()


def _texts(value: object) -> list[str]:
    """Return the texts that a story holds, which are the run's and not the page's."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) and value not in NAMES else []


def _labels(page: str) -> list[str]:
    return re.findall(r'aria-label="([^"]*)"', page)


def test_the_same_story_gives_the_same_bytes(tmp_path: Path, tell: Tell) -> None:
    """A saved story draws the page again."""
    story = tell()
    story.save(tmp_path / "story.json")
    assert report_page(RunStory.load(tmp_path / "story.json")) == report_page(story)


def test_the_page_says_that_the_shipped_model_has_no_score(tell: Tell) -> None:
    """Refitted on all rows: no score of its own. Not refitted: it is the scored one."""
    assert "no score of its own" in report_page(tell())
    assert "is the one that was scored" in report_page(tell(refitted=False))


@pytest.mark.parametrize(("linear", "says"), [(0.5, "larger than chance"), (0.86, "cannot tell"), (0.99, "did better")])
def test_the_verdict_compares_with_the_linear_baseline(linear: float, says: str, tell: Tell) -> None:
    """The interval decides whether the gain counts."""
    scores = tell().scores.model_copy(update={"linear": linear})
    assert says in headline(tell(scores=scores))["verdict"]


def test_a_linear_winner_is_not_measured_against_itself(tell: Tell) -> None:
    """Where the baseline is the winner there is no gain to judge."""
    scores = tell().scores.model_copy(update={"linear": 0.8743})
    assert headline(tell(scores=scores))["verdict"] == "The winner is the linear baseline itself."


@pytest.mark.parametrize("holdout", [0.8743, None])
def test_the_curve_shows_only_what_was_scored_on_its_rows(holdout: float | None, tell: Tell) -> None:
    """Baselines of the holdout have no place on an axis of cross-validated scores."""
    story = tell(scores=tell().scores.model_copy(update={"holdout": holdout}))
    assert ("rule-linear" in learning_curve(story)) == (holdout is None)


def test_less_can_be_better(tell: Tell) -> None:
    """With a loss, a linear baseline above the interval is beaten."""
    scores = Scores(
        metric="rmse",
        greater_is_better=False,
        holdout=1.0,
        holdout_low=0.9,
        holdout_high=1.1,
        linear=2.0,
        holdout_rows=10,
    )
    assert "larger than chance" in headline(tell(scores=scores))["verdict"]


@pytest.mark.parametrize("scores", [
    Scores(metric="rmse", greater_is_better=False),
    Scores(metric="rmse", greater_is_better=False, cv_mean=1.0),
    Scores(metric="rmse", greater_is_better=False, cv_mean=1.0, cv_se=0.1, linear=2.0, folds=3),
    Scores(metric="rmse", greater_is_better=False, holdout=12345678.9),
])  # fmt: skip
def test_missing_scores_leave_gaps_and_no_errors(scores: Scores, tell: Tell) -> None:
    """A run cut short still has a page."""
    story = tell(scores=scores, attempts=(), curve=(), checks=(), diagnostics=Diagnostics(), guesses=(), warnings=())
    assert Tags(report_page(story)).open == []


def test_a_regression_shows_its_errors(tell: Tell) -> None:
    """Residuals take the place of the confusion matrix."""
    drawn = Diagnostics(
        rows_from="folds", residuals=Residuals(predicted=(1.0, 2.0), actual=(1.5, 2.5), quantiles=((0.5, 0.5),), rows=2)
    )
    data = DataSummary(rows=2, target_quantiles=((0.5, 2.0),))
    page = report_page(tell(diagnostics=drawn, data=data))
    assert "Actual over predicted" in page
    assert "out of the training folds" in page


def test_a_long_search_is_drawn_in_bounds(tell: Tell, many_attempts: tuple[Attempt, ...]) -> None:
    """Hundreds of attempts: the winner's line is there and the page stays small."""
    story = tell(attempts=many_attempts, best_attempt="a3001")
    page = report_page(story)
    assert "2901 more attempts" in page
    assert len(page) < 250_000


def test_what_code_tried_and_may_not_is_listed(tell: Tell) -> None:
    """By attempt; its words come from the code, and become no markup. A run without has no such part."""
    violation = Violation(what=f"open {HOSTILE[0]}", why="changing what can only be read", count=1234)
    attempts = (
        Attempt(
            attempt_id="a1", title="x", operator="draft", status="scored", violations=(violation,), low_violations=7
        ),
    )

    page = report_page(tell(attempts=attempts))

    assert "What code tried and may not" in page
    assert "1,234" in page
    assert "And 7 of low severity" in page
    assert HOSTILE[0] not in page
    assert "may not" not in report_page(tell())


def test_whom_code_reached_is_listed(tell: Tell) -> None:
    """Let out and refused, with what was said; names come from the code, and become no markup."""
    made = (
        Connection(attempt_id="a1", host="example.org", port=443, count=1234, size_bytes=5_600_000),
        Connection(attempt_id="a2", host=HOSTILE[0], port=0, refused="not on the list of the policy", count=1),
        Connection(attempt_id="a2", host="others", port=0, refused="it does not answer", count=1),
    )

    page = report_page(tell(allowed_hosts=("example.org", HOSTILE[1]), connections=made))

    for words in ("example.org:443", "1,234", "6 MB", "not on the list of the policy", "others</bdi>"):
        assert words in page
    assert HOSTILE[0] not in page
    assert HOSTILE[1] not in page
    assert Tags(page).open == []
    assert set(Refusal) == REFUSALS
    chinese = report_page(tell(language="zh", allowed_hosts=("example.org",), connections=made))
    assert "不在策略的名单上" in chinese


def test_a_way_out_that_nobody_used_is_one_line(tell: Tell) -> None:
    """And where the policy opens none, nothing is said of it."""
    page = report_page(tell(allowed_hosts=("example.org", "example.com")))
    assert "The policy lets code reach example.org, example.com. No code did." in page
    assert "policy opens" not in page
    assert "lets code reach" not in report_page(tell())


def test_of_many_connections_the_first_are_shown(tell: Tell) -> None:
    """Code can name any number of hosts."""
    made = tuple(Connection(attempt_id="a1", host=f"h{n}.example", port=443, refused="no", count=1) for n in range(250))
    page = report_page(tell(allowed_hosts=("example.org",), connections=made))
    assert "150 more connections are in the journal" in page
    assert "h100.example" not in page


def test_a_time_is_said_as_people_say_it() -> None:
    """No seconds where there are none."""
    assert [seconds(value) for value in (None, 0.31, 58, 60, 72, 3700)] == [
        "–",
        "0.31 s",
        "58 s",
        "1 min",
        "1 min 12 s",
        "1 h 1 min",
    ]
