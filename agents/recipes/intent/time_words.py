"""What a sentence says about time and effort: the budget of the run, the horizon of a forecast, the latency of an answer.

The same words ("24 hours", 两周) can mean each of the three; the words around them decide.
"""

import re
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.quantities import NUMBER, UNIT_SECONDS, Duration, durations, number
from open_autoglm.agents.recipes.intent.text import Sentence, Span
from open_autoglm.errors import InputError
from open_autoglm.tools.task import BudgetSpec

_FUTURE_BEFORE = re.compile(
    r"(?:\b(?:next|coming|following|upcoming|ahead|future|forecast|horizon)\b(?:\s+(?:is|of|=|:|the))*|未来的?|接下来的?|今后|往后|后面|之后|后续|下|提前|预测(?:期|步长|长度)?(?:为|是|:)?)\s*$"
)
_FUTURE_AFTER = re.compile(
    r"\s*(?:ahead|in advance|into the future|horizon|后的|以后的)|(?:的|之)?\s*(?:预测期|提前量)"
)
_ANSWER = re.compile(
    r"\b(?:latency|answer|answers|respond|responds|response|reply|inference|scoring|per\s+(?:row|request|prediction|record|sample|call|query)|each\s+(?:row|request|prediction)|a\s+(?:row|request|prediction)|predictions?\s+(?:must|should|in|within|under)|predict\s+(?:in|within)|serve)\b"
    r"|延迟|时延|响应|推理|每条|每次预测|单条|单次|返回|每行"
)
_BUDGET_BEFORE = re.compile(
    r"(?:\b(?:at\s+most|in|within|under|less\s+than|no\s+(?:more|longer)\s+than|not\s+(?:more|longer)\s+than|up\s+to|max(?:imum)?(?:\s+of)?|takes?|spend|spending|use|budget|limit|limited\s+to|for|have|only|just|about|around|roughly|time|runs?|stop\s+after|after|got|give\s+(?:it|you|me)|below|<=?|training)\b|[:=<]|"
    r"内|不超过|不要超过|别超过|最多|最长|至多|限时|限制在|控制在|预算|时间|用时|耗时|跑|训练|花|给你|只有|上限|大约|大概|少于|小于|低于|在)"
    r"(?:\s|:|=|of|is|be|a|the|another|only|it|you|me|about|为|是|用|在|到|时间|跑|训练|花|了|你|我|有|个)*$"
)
_BUDGET_AFTER = re.compile(
    r"\s*(?:max(?:imum)?\b|at\s+most|or\s+less|tops\b|limit\b|budget\b|of\s+(?:time|training|compute)|to\s+(?:train|run|search|spend)|total\b|is\s+(?:enough|fine|plenty|all)|以?之?内|左右|跑完|完成|搞定|出结果|就?够了?|结束|以下|的?预算|训练时间)"
)
_ALONE = re.compile(r"[\s\"']*(?:please|plz|吧|哦)?[\s\"']*")
_EVENT = re.compile(
    r"\b(?:will|whether|who|which|if|readmitted|churn\w*|default\w*|fail\w*)\b|是否|会不会|谁|哪些|再入院"
)

_TRIES = re.compile(
    rf"(?P<n>{NUMBER})\s*(?:个|种|次|轮)?\s*(?:different\s+|candidate\s+|more\s+)?(?:models?|attempts?|trials?|tries|candidates?|iterations?|experiments?|solutions?|pipelines?|rounds?|模型|尝试|试验|实验|方案|候选|次尝试)(?![a-z])"
    rf"|(?:试|尝试|迭代|实验|搜索)\s*(?:不超过|最多|至多)?\s*(?P<zh>{NUMBER})\s*(?:次|轮|个|遍)"
)
_LIMIT = re.compile(
    r"\b(?:at\s+most|up\s+to|max(?:imum)?|no\s+more\s+than|not\s+more\s+than|try|within|only|limit|stop\s+after|after|budget|fewer\s+than|less\s+than|run|attempts?|just)\b|最多|不超过|至多|限|内|试|尝试|之内|上限|只|跑|预算|训练"
)
_TOKENS = re.compile(
    r"(?P<n>\d[\d,]*(?:\.\d+)?)\s*(?P<scale>k|m|thousand|million|万)?\s*(?:tokens?|个\s*token|令牌)(?![a-z])"
)
_MONEY = re.compile(r"\$\s*(?P<a>\d+(?:\.\d+)?)|(?P<b>\d+(?:\.\d+)?)\s*(?:dollars?|usd|美元|美金)(?![a-z])")
_SPEND = re.compile(
    r"\b(?:cost|spend|budget|pay|at\s+most|no\s+more\s+than|up\s+to|max)\b|花费|费用|花|预算|成本|不超过"
)
_SCALES = {None: 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "万": 1e4}

_STEP = {
    "min": ("per minute", "minute by minute", "every minute", "每分钟", "逐分钟"),
    "h": (
        "hourly",
        "per hour",
        "hour by hour",
        "each hour",
        "every hour",
        "for the hours",
        "每小时",
        "逐小时",
        "每个小时",
        "按小时",
    ),
    "D": ("daily", "per day", "day by day", "each day", "every day", "每天", "每日", "逐日", "按天", "日销量", "逐天"),
    "W": ("weekly", "per week", "week by week", "each week", "每周", "按周", "周销量", "逐周"),
    "MS": ("monthly", "per month", "month by month", "each month", "每月", "按月", "月度", "逐月", "每个月"),
    "QS": ("quarterly", "per quarter", "each quarter", "每季度", "季度的", "按季度", "每个季度"),
    "YS": ("yearly", "annual", "annually", "per year", "每年", "按年", "年度"),
}
_NAMED_FUTURE = {
    "tomorrow": ("D", 1.0), "next day": ("D", 1.0), "next hour": ("h", 1.0), "next week": ("W", 1.0), "next month": ("MS", 1.0), "next quarter": ("QS", 1.0), "next year": ("YS", 1.0),
    "明天": ("D", 1.0), "明日": ("D", 1.0), "下一小时": ("h", 1.0), "下周": ("W", 1.0), "下一周": ("W", 1.0), "下个星期": ("W", 1.0), "下个月": ("MS", 1.0), "下季度": ("QS", 1.0), "下个季度": ("QS", 1.0), "明年": ("YS", 1.0),
}  # fmt: skip
_STEPS_AHEAD = re.compile(
    rf"(?:next|horizon(?:\s+of|\s*=|\s*:|\s+is)?|未来|接下来|预测)\s*(?P<n>{NUMBER})\s*(?:个|期)?\s*(?:steps?|periods?|points?|values?|步|期|个点|时间点|个时间点)|(?P<m>{NUMBER})[\s\-]*(?:steps?|periods?)\s+ahead|horizon\s*(?:of|=|:|is)?\s*(?P<h>\d+)(?!\s*[a-z])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """How far to forecast: so many steps of a frequency, where the sentence says it."""

    steps: int
    frequency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Every duration of a sentence, sorted by what it means."""

    budget: Duration | None
    latency: Duration | None
    horizon: Horizon | None


def read_times(sentence: Sentence, text: str) -> Times:
    """Sort the durations of a folded text (columns blanked) by what the words around them mean.

    Raises:
        InputError: A duration of nothing.
    """
    found = [d for d in durations(text) if not _is_megabytes(sentence, d)]
    none = next((d for d in found if d.seconds <= 0), None)
    if none is not None:
        said = sentence.raw[none.span.start : none.span.end]
        raise InputError(f"{said!r} leaves no time for anything. Name a time above 0, for example 60s.")
    latency = next((d for d in found if _is_latency(sentence, text, d)), None)
    rest = [d for d in found if d is not latency and d.unit != "ms"]
    future = next((d for d in rest if _is_future(text, d)), None)
    budgets = [d for d in rest if d is not future and not _is_future(text, d) and _is_budget(sentence, text, d)]
    return Times(
        budget=min(budgets, key=lambda d: d.seconds, default=None), latency=latency, horizon=_horizon(text, future)
    )


def _is_megabytes(sentence: Sentence, duration: Duration) -> bool:
    """Whether it is written 5M: minutes are written 5m."""
    return duration.unit == "min" and sentence.raw[duration.span.start : duration.span.end].endswith("M")


def _is_latency(sentence: Sentence, text: str, duration: Duration) -> bool:
    if duration.unit == "ms":
        return True
    if duration.unit != "s":
        return False
    clause = sentence.clause(duration.span.start, text)
    return _ANSWER.search(text, clause.start, clause.end) is not None


def _is_future(text: str, duration: Duration) -> bool:
    before = text[max(0, duration.span.start - 40) : duration.span.start]
    if _FUTURE_AFTER.match(text, duration.span.end):
        return True
    if not _FUTURE_BEFORE.search(before):
        return False
    fixed = re.search(r"预测\s*$", before) is not None and _BUDGET_AFTER.match(text, duration.span.end) is not None
    return not fixed


def _is_budget(sentence: Sentence, text: str, duration: Duration) -> bool:
    clause = sentence.clause(duration.span.start, text)
    before, after = text[clause.start : duration.span.start], text[duration.span.end : clause.end]
    if _ALONE.fullmatch(before) and _ALONE.fullmatch(after):
        return True
    framed = bool(_BUDGET_BEFORE.search(before) or _BUDGET_AFTER.match(text, duration.span.end))
    if UNIT_SECONDS[duration.unit] >= UNIT_SECONDS["D"]:
        return framed and re.search(r"\b(?:budget|train|run|spend|take|search)\b|训练|预算|跑", before) is not None
    return framed and not (_EVENT.search(before) and not re.search(r"[,;]", before))


def _horizon(text: str, future: Duration | None) -> Horizon | None:
    step = next((unit for unit, phrases in _STEP.items() if any(_says(text, p) for p in phrases)), None)
    if future is not None:
        return _in_steps(future.value, future.unit, step)
    steps = _STEPS_AHEAD.search(text)
    if steps is not None:
        return Horizon(steps=max(1, int(number(steps["n"] or steps["m"] or steps["h"]))), frequency=step)
    named = next((v for phrase, v in _NAMED_FUTURE.items() if _says(text, phrase)), None)
    return _in_steps(named[1], named[0], step) if named else None


def _in_steps(value: float, unit: str, step: str | None) -> Horizon:
    if step is not None and UNIT_SECONDS[step] < UNIT_SECONDS[unit]:
        return Horizon(steps=max(1, round(value * UNIT_SECONDS[unit] / UNIT_SECONDS[step])), frequency=step)
    return Horizon(steps=max(1, round(value)), frequency=unit)


def _says(text: str, phrase: str) -> bool:
    if not phrase.isascii():
        return phrase in text
    return re.search(rf"(?<![a-z]){re.escape(phrase)}(?![a-z])", text) is not None


def read_budget(sentence: Sentence, text: str, seconds: Duration | None, said: BudgetSpec) -> BudgetSpec:
    """Join what options said with what the sentence says; options win."""
    attempts = said.attempts if said.attempts is not None else _attempts(sentence, text)
    tokens = said.tokens if said.tokens is not None else _tokens(text)
    money = said.money if said.money is not None else _money(sentence, text)
    length = said.seconds if said.seconds is not None else (seconds.seconds if seconds else None)
    return BudgetSpec(seconds=length, attempts=attempts, tokens=tokens, money=money)


def _attempts(sentence: Sentence, text: str) -> int | None:
    for found in _TRIES.finditer(text):
        span = Span(start=found.start(), end=found.end())
        clause = sentence.clause(span.start, text)
        words = found["n"] or found["zh"]
        if (
            _LIMIT.search(text[clause.start : clause.end])
            and words not in ("a", "an", "one", "half", "半", "一")
            and number(words) >= 1
        ):
            return int(number(words))
    return None


def _tokens(text: str) -> int | None:
    found = _TOKENS.search(text)
    return int(float(found["n"].replace(",", "")) * _SCALES[found["scale"]]) if found else None


def _money(sentence: Sentence, text: str) -> float | None:
    for found in _MONEY.finditer(text):
        clause = sentence.clause(found.start(), text)
        if _SPEND.search(text, clause.start, found.start()):
            return float(found["a"] or found["b"])
    return None
