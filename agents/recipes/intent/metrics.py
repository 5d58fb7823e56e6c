"""Which metric judges: by option, by its many names in the sentence, or the usual one for the task, recorded as a guess."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from open_autoglm.agents.recipes.intent.metric_words import METRIC_WORDS, MISSPELT, STAND_INS, UNOFFERED
from open_autoglm.agents.recipes.intent.notes import Notes
from open_autoglm.agents.recipes.intent.phrases import Hit, Lexicon
from open_autoglm.agents.recipes.intent.text import Sentence, clause_around, is_negated
from open_autoglm.errors import UnknownName
from open_autoglm.tools.metrics import METRIC_NAMES, MetricMisfit, default_metric, get_metric, metrics_for
from open_autoglm.tools.metrics.plugins import plugin_names
from open_autoglm.tools.task import TaskType

_FRAME = re.compile(
    r"(?<![a-z])(?:metric|measure|scored?|score|evaluat\w*|judged?|optimi[sz]\w*|maximi[sz]\w*|minimi[sz]\w*|best|lowest|highest|care\s+about|use|by|on|with)\b|评估|评价|评分|指标|优化|用|按|以|衡量|最大化|最小化|看"
)
_NAMED = re.compile(
    r"(?:(?<![a-z])(?:the\s+|our\s+|my\s+|as\s+)?metric\s*(?:is|=|:|should\s+be|must\s+be|will\s+be|called|named)\s*|(?:评价|评估|评测)?指标\s*(?:是|为|用|:|采用|选)\s*)"
    r"(?:\"(?P<quoted>[^\"\n]{1,60})\"|(?P<name>[a-z][a-z0-9_\-@]*))"
)
_ACRONYM = re.compile(
    r"(?:[Oo]ptimi[sz]e|[Mm]aximi[sz]e|[Mm]inimi[sz]e|优化|最大化|最小化)\s*(?:for\s+)?(?:the\s+)?(?P<name>[A-Z][A-Z0-9]{1,9})(?![A-Za-z0-9_])"
)
_NOT_NAMES = frozenset(
    [
        "the",
        "a",
        "an",
        "my",
        "our",
        "not",
        "important",
        "whatever",
        "up",
        "to",
        "best",
        "default",
        "any",
        "default",
        "same",
        "of",
        "as",
        "what",
        "should",
    ]
)
_WHY = {
    "roc_auc": (
        "no metric was said; AUC needs no threshold and suits rare classes",
        "没有说明指标；AUC 不需要阈值，也适合类别不平衡",
    ),
    "accuracy": (
        "no metric was said; accuracy is the usual one for several classes",
        "没有说明指标；准确率是多分类的常用指标",
    ),
    "rmse": ("no metric was said; RMSE is the usual one for numbers", "没有说明指标；RMSE 是数值预测的常用指标"),
    "mase": ("no metric was said; MASE compares series of any scale", "没有说明指标；MASE 可以比较不同量级的序列"),
    "pinball": ("no metric was said; pinball loss judges quantiles", "没有说明指标；分位数损失评价分位数预测"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A metric that the sentence asks for."""

    name: str
    stands_for: str | None = None
    """The key of `STAND_INS` that was really said."""
    misspelt: str | None = None
    """What was written where it is no name of the metric."""


@cache
def _lexicon() -> Lexicon:
    words = {name: (*METRIC_WORDS.get(name, ()), name, *get_metric(name).aliases) for name in METRIC_NAMES}
    spelled = {name: tuple(p.replace("_", " ").lower() for p in phrases) for name, phrases in words.items()}
    stand_ins = {f"~{name}": row[0] for name, row in STAND_INS.items()}
    unoffered = {f"!{name}": phrases for name, phrases in UNOFFERED.items() if name not in METRIC_NAMES}
    plugins = {name: (name.replace("_", " ").lower(),) for name in plugin_names()}
    misspelt = {f"?{name}": phrases for name, phrases in MISSPELT.items()}
    return Lexicon({**unoffered, **stand_ins, **misspelt, **spelled, **plugins})


def said_metrics(text: str) -> list[Said]:
    """Metrics that a folded text asks for, those in a frame such as "optimise ..." first, each once.

    Raises:
        UnknownName: Only a metric that is not offered was asked for.
    """
    hits = [h for h in _lexicon().find(text) if not is_negated(text, h.span)]
    hits.sort(key=lambda h: not _framed(text, h))
    offered = [_said(h, text) for h in hits if not h.key.startswith("!")]
    if not offered and hits and (_framed(text, hits[0]) or _stands_alone(text, hits[0])):
        raise UnknownName("metric", hits[0].key[1:], METRIC_NAMES)
    return list(dict.fromkeys(offered))


def _framed(text: str, hit: Hit) -> bool:
    return _FRAME.search(text[max(0, hit.span.start - 24) : hit.span.start]) is not None


def _stands_alone(text: str, hit: Hit) -> bool:
    clause = clause_around(text, hit.span.start)
    return text[clause.start : clause.end].strip() == text[hit.span.start : hit.span.end]


def _said(hit: Hit, text: str) -> Said:
    if hit.key.startswith("~"):
        return Said(name=STAND_INS[hit.key[1:]][1], stands_for=hit.key[1:])
    if hit.key.startswith("?"):
        return Said(name=hit.key[1:], misspelt=text[hit.span.start : hit.span.end])
    return Said(name=hit.key)


def refuse_unknown_names(sentence: Sentence, text: str) -> None:
    """Refuse "the metric is foobar" and "optimise XYZ".

    Raises:
        UnknownName: The name is that of no metric.
    """
    for found in _NAMED.finditer(text):
        group = "quoted" if found["quoted"] else "name"
        name = sentence.raw[found.start(group) : found.end(group)]
        inside = _lexicon().find(text[found.start() : found.end() + 20])
        if not inside and found[group] not in _NOT_NAMES:
            raise UnknownName("metric", name, METRIC_NAMES)
    for found in _ACRONYM.finditer(sentence.raw):
        hidden = text[found.start("name") : found.end("name")] != found["name"].lower()
        known = [h for h in _lexicon().find(text) if h.span.start <= found.start("name") < h.span.end]
        if not hidden and not known:
            raise UnknownName("metric", found["name"], METRIC_NAMES)


def suited_task_types(said: Sequence[Said]) -> frozenset[TaskType]:
    """The kinds of task that every metric said can judge; empty when none was said or they disagree."""
    kinds = [get_metric(s.name).task_types for s in said]
    return frozenset.intersection(*kinds) if kinds else frozenset()


def choose_metric(
    option: str | None, said: Sequence[Said], task_type: TaskType, *, quantiles: bool, notes: Notes
) -> str:
    """Name the metric.

    Raises:
        UnknownName: The option is no metric.
        MetricMisfit: It cannot judge this kind of task; the message names those that can.
    """
    if option is not None:
        named = _option(option)
        _note_what_was_read(named, notes)
        return _fitting(named.name, task_type, notes)
    if not said:
        name = "pinball" if quantiles else default_metric(task_type).name
        notes.guess("metric", name, *_WHY[name])
        return name
    fitting = [s for s in said if task_type in get_metric(_averaged(s.name, task_type)).task_types] or list(said[:1])
    first = fitting[0]
    if len(fitting) > 1:
        text = notes.say("Several metrics were named. Which one decides?", "提到了多个指标，以哪一个为准？")
        reason = notes.say(f"{first.name} was said first", f"最先说到的是 {first.name}")
        notes.ask("metric", text, tuple(s.name for s in fitting), reason)
        notes.guess("metric", first.name, f"{first.name} was said first", f"最先说到的是 {first.name}")
    _note_what_was_read(first, notes)
    return _fitting(first.name, task_type, notes)


def _note_what_was_read(said: Said, notes: Notes) -> None:
    """Record a metric that is not the one of that name."""
    if said.stands_for is not None:
        notes.guess("metric", said.name, *STAND_INS[said.stands_for][2:])
    if said.misspelt is not None:
        notes.guess(
            "metric",
            said.name,
            f"{said.misspelt!r} was read as {said.name}",
            f"把 {said.misspelt!r} 理解为 {said.name}",
        )


def _option(option: str) -> Said:
    """Read an option: a name or a synonym as it stands, never a slip that would have to be guessed.

    Raises:
        UnknownName: It is neither; offers the nearest names.
    """
    text = option.strip().lower()
    whole = [h for h in _lexicon().find(text) if h.span.start == 0 and h.span.end == len(text)]
    if whole and whole[0].key[0] not in "!?":
        return _said(whole[0], text)
    return Said(name=get_metric(option).name)


def _averaged(name: str, task_type: TaskType) -> str:
    return "f1_macro" if name == "f1" and task_type is TaskType.MULTICLASS else name


def _fitting(name: str, task_type: TaskType, notes: Notes) -> str:
    averaged = _averaged(name, task_type)
    if averaged != name:
        notes.guess(
            "metric",
            averaged,
            "with several classes F1 is averaged; macro gives each class the same say",
            "多分类的 F1 需要平均；宏平均让每个类别同等重要",
        )
    if task_type not in get_metric(averaged).task_types:
        suited = ", ".join(metrics_for(task_type))
        raise MetricMisfit(f"The metric {name!r} cannot judge a {task_type.value} task. Those that can: {suited}.")
    return averaged
