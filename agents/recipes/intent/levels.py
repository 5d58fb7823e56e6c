"""Values of a column that a sentence mentions, and which of two values is the one people look for."""

import re
from collections.abc import Iterable, Sequence

from open_autoglm.agents.recipes.intent.text import Sentence, Span, fold, is_chinese
from open_autoglm.tools.task import Label

AFFIRMING = (
    "1", "1.0", "yes", "y", "true", "t", "positive", "pos", "是", "有", "阳性", "真", "正", "正面", "积极", "好评", "会", "成功", "spam", "fraud", "churn", "churned",
    "default", "defaulted", "died", "dead", "survived", "malignant", "m", "sick", "disease", "diseased", "fail", "failed", "failure", "bad", "late", "delayed", "left",
    "exited", "attrition", "attrited customer", "click", "clicked", "success", "subscribed", "readmitted", "anomaly", "attack", "toxic", "abnormal", "high", "pass",
    "passed", "approved", "win", "流失", "违约", "欺诈", "垃圾", "垃圾短信", "患病", "恶性", "故障", "离职", "购买", "点击", "逾期", "及格", "通过", "异常", ">50k",
)  # fmt: skip
"""Folded values that stand for the thing looked for."""
DENYING = (
    "0", "0.0", "-1", "-1.0", "no", "n", "false", "f", "negative", "neg", "否", "无", "没有", "阴性", "假", "负", "负面", "消极", "差评", "不会", "失败", "ham", "normal", "benign",
    "b", "healthy", "none", "正常", "良性", "健康", "未流失", "未违约", "<=50k", "stayed", "existing customer", "good", "low", "fail to pass",
)  # fmt: skip
_PLAIN = frozenset(
    {
        "0",
        "1",
        "2",
        "-1",
        "yes",
        "no",
        "y",
        "n",
        "true",
        "false",
        "t",
        "f",
        "是",
        "否",
        "有",
        "无",
        "none",
        "other",
        "unknown",
        "其他",
        "未知",
        "new",
        "normal",
        "high",
        "low",
        "good",
        "bad",
    }
)


def bare(level: Label) -> str:
    """A level as people write it: folded, without quotation marks of its own."""
    return fold(str(level)).strip().strip("'\"")


def mentioned_levels(sentence: Sentence, levels: Sequence[Label], *, plain: bool = False) -> list[tuple[Label, Span]]:
    """Levels that stand in the sentence as whole words, with their first place.

    Args:
        sentence: What was typed.
        levels: As they stand in the data.
        plain: Whether to look also for levels that say nothing by themselves (1, yes, 是).
    """
    found = []
    for level in levels:
        text = bare(level)
        if not text or (not plain and (text in _PLAIN or (text.isascii() and len(text) < 3))):
            continue
        span = _whole_word(sentence.folded, text)
        if span is not None:
            found.append((level, span))
    return found


def _whole_word(text: str, wanted: str) -> Span | None:
    start = text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        before, after = text[start - 1 : start], text[end : end + 1]
        if is_chinese(wanted[0]) or not (_is_word(before + wanted[0]) or _is_word(wanted[-1] + after)):
            return Span(start=start, end=end)
        start = text.find(wanted, start + 1)
    return None


def _is_word(pair: str) -> bool:
    return len(pair) == 2 and re.fullmatch(r"[a-z0-9_]{2}", pair) is not None


def polarity(level: Label) -> int:
    """1 for a value that says yes, -1 for one that says no, 0 for one that says neither."""
    text = bare(level)
    if text in AFFIRMING:
        return 1
    if text in DENYING or re.match(r"(?:not?|non|no|un)[\s_-]|不|未|非|无|没", text):
        return -1
    return 0


def ordered(levels: Iterable[Label]) -> list[Label]:
    """Levels from the most affirming to the most denying, otherwise as they came."""
    return sorted(levels, key=lambda level: -polarity(level))
