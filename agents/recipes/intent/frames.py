"""The turns of phrase around a column: "target is X", "predict X", "X 预测", 把 X 作为标签; and how much each says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from open_autoglm.agents.recipes.intent.columns import Mention
from open_autoglm.agents.recipes.intent.phrases import Lexicon
from open_autoglm.agents.recipes.intent.text import Sentence, Span, is_negated

VERBS = Lexicon(
    {
        "predict": ("predict*", "preidct", "forecast*", "estimat*", "model", "infer", "guess", "determine", "anticipat*", "预测", "估计", "预估", "估算", "推断", "预判", "预报", "猜", "算出", "给出"),
        "classify": ("classif*", "recogni*", "identif*", "detect*", "diagnos*", "分类", "识别", "检测", "判断", "判定", "区分", "诊断"),
        "ask": (
            "which", "who", "whether", "what", "how much", "how many", "how long", "how old", "if", "is it", "will", "tell", "find out", "know", "is the", "are the",
            "哪些", "谁", "是否", "会不会", "是不是", "能否", "多少", "哪个", "哪种", "什么",
        ),
    }
)  # fmt: skip
_OBJECT_ENDS = re.compile(
    r"[,;!?。()\n]|\.(?=\s|$|[^\x00-\x7f])|:(?=\s)|\b(?:from|based\s+on|using|with|given|by|for\s+(?:each|every|all)|per|so\s+that|when|because|via|according\s+to|without|ignoring|excluding|after|before|but|in\s+order)\b|但|,"
)
_NAMES_IT = re.compile(
    r"""(?:(?<![a-z0-9_])(?:target|label|outcome|response|dependent\s+variable)(?:\s+(?:column|variable|field|name))?\s*
    (?:(?:is|=|==|:|are|will\s+be|should\s+be|named|called|stands)\s*)?(?:in\s+)?(?:the\s+)?(?:column\s+)?(?:called\s+|named\s+)?["'(]?
    |(?:预测目标|目标列|目标变量|目标字段|目标|标签列|标签|因变量|要预测的列|要预测的是|预测列)\s*(?:列|字段|变量)?\s*(?:就?是|为|:|=|叫|选|在)?\s*["'(]?)\s*$""",
    re.VERBOSE,
)
_NAMED_AFTER = re.compile(
    r"""["')]?\s*(?:column|field|variable)?\s*(?:(?:is|as|be|holds|contains)\s+(?:the|our|my|a|its)?\s*(?:target|label|outcome|dependent\s+variable|what\s+(?:i|we)\s+want\s+to\s+predict|to\s+be\s+predicted)
    |(?:列|字段|变量)?\s*(?:就?是|为|作为|当作|当做|当|做|设为|定为)\s*(?:我们?|咱们|预测)?(?:的)?(?:目标|标签|因变量|要预测))""",
    re.VERBOSE,
)
_SUFFIX = re.compile(
    r"[\"')]?\s*(?:列|字段|column)?\s*(?:的)?\s*(?:prediction|predictor|classifier|classification|model|regression|regressor|detection|detector|forecast|forecasting|forecaster|预测|分类|回归|识别|估计|模型|检测)(?![a-z])"
)
_PREFIX = re.compile(
    r"(?:\b(?:classification|regression|prediction|forecast|model|classifier)\s+(?:of|on|for)\s+(?:the\s+)?|(?<!针)对\s*)[\"']?$"
)
_POINTED = re.compile(r"(?<![a-z])(?:column|列名|列)\s*(?:is|:|called|named)?\s*[\"']?$")
_POINTED_AFTER = re.compile(r"[\"']?\s*(?:column\b|列)")
_FEATURES = re.compile(r"\b(?:from|based\s+on|using|given|use|knowing)\b|根据|基于|利用|通过|依据|凭|使用|用|从|由")
_ZH_VERB = re.compile(r"预测|估计|预估|判断|推断|识别|估算")
_AND = re.compile(
    r"[\"']?\s*(?:列|column)?\s*(?:and|as\s+well\s+as|plus|&|和|与|以及|及|跟|、|,\s*and|,)\s*(?:the\s+|also\s+)?[\"']?"
)
_POSSESSIVE = re.compile(r"\b(?:their|its|his|her|my|your)\s+[\"']?$")
_OPENED = re.compile(r"\s*\(\s*[\"']?")
_AFTER_LIST = re.compile(
    r"[\"')]*\s*(?:列|column|columns)?\s*(?:$|[,.;:!?。(]|\b(?:from|using|with|for|in|together|at|based|given|simultaneously|jointly|by|on|both)\b|[\u3400-\u9fff])"
)
_TARGET_NAMED = re.compile(
    r"(?:(?<![a-z0-9_])(?:target|label)(?:\s+(?:column|variable))?\s*(?:is|=|:)\s*(?:the\s+)?(?:column\s+)?|(?:目标|标签)(?:列|变量)?\s*(?:是|为|:|=)\s*|(?<![a-z])predict\s+(?:the\s+)?(?:column\s+)?|预测\s*)"
    r"(?:\"(?P<quoted>[^\"\n]+)\"|(?P<name>[a-z0-9]+(?:_[a-z0-9]+)+)(?![\w]))"
)
_IS_TARGET = re.compile(
    r"(?<![a-z0-9_])target(?:\s+column)?\s*(?:is|=|:)\s*(?:the\s+)?(?:column\s+)?(?P<name>[a-z0-9_]+)(?=\s*(?:[,.;]|$|column))"
)


def pointed_names(sentence: Sentence) -> list[tuple[str, Span]]:
    """Names that the sentence gives to the target in so many words, whether or not a column has them."""
    text = sentence.folded
    found = [(m, "quoted" if m["quoted"] else "name") for m in _TARGET_NAMED.finditer(text)]
    found += [(m, "name") for m in _IS_TARGET.finditer(text)]
    spans = [Span(start=m.start(group), end=m.end(group)) for m, group in found]
    return [(sentence.raw[s.start : s.end], s) for s in spans]


@dataclass(frozen=True, kw_only=True)
class Frames:
    """The frames of one sentence."""

    sentence: Sentence
    mentions: Sequence[Mention]

    @cached_property
    def objects(self) -> tuple[Span, ...]:
        """What each verb of predicting, and each question word, is about."""
        text = self.sentence.folded
        ends = [
            m.start()
            for m in _OBJECT_ENDS.finditer(text)
            if not any(n.span.start < m.start() < n.span.end for n in self.mentions)
        ]
        spans = []
        for hit in VERBS.wanted(text):
            end = next((e for e in ends if e >= hit.span.end), len(text))
            spans.append(Span(start=hit.span.end, end=end))
        return tuple(spans)

    def is_object(self, span: Span) -> bool:
        """Whether a span is what a verb is about, or stands before "prediction", "model", 预测."""
        inside = any(o.start <= span.start and span.end <= o.end for o in self.objects)
        return inside or _SUFFIX.match(self.sentence.folded, span.end) is not None

    def weight(self, mention: Mention) -> float:
        """How much the words around a mention say that it is the target, 0 to 100."""
        text, span = self.sentence.folded, mention.span
        before = text[: span.start]
        if is_negated(text, span):
            return 5.0
        if _NAMES_IT.search(before) or _NAMED_AFTER.match(text, span.end):
            return 97.0
        if self._is_feature(span):
            return 12.0
        if _PREFIX.search(before):
            return 84.0
        inside = [o for o in self.objects if o.start <= span.start and span.end <= o.end]
        if inside and _POSSESSIVE.search(before):
            return 38.0
        if inside:
            return 80.0 + self._place(mention, max(inside, key=lambda o: o.start))
        if any(o.end <= span.start and _OPENED.fullmatch(text, o.end, span.start) for o in self.objects):
            return 82.0
        if _SUFFIX.match(text, span.end):
            return 78.0
        if _POINTED.search(before) or _POINTED_AFTER.match(text, span.end):
            return 66.0
        return 44.0

    def _place(self, mention: Mention, inside: Span) -> float:
        """Among several in one object: the head, first in "price of the house", last in "house price"."""
        others = [
            m for m in self.mentions if m is not mention and inside.start <= m.span.start and m.span.end <= inside.end
        ]
        if not others:
            return 4.0
        first = min([mention, *others], key=lambda m: m.span)
        second = min([m for m in [mention, *others] if m is not first], key=lambda m: m.span)
        gap = self.sentence.folded[first.span.end : second.span.start]
        head_first = bool(re.search(r"\b(?:of|for|in|on|at)\b|\(", gap))
        head = first if head_first else max([mention, *others], key=lambda m: m.span)
        return 14.0 if mention is head else 0.0

    def _is_feature(self, span: Span) -> bool:
        text = self.sentence.folded
        statement = self.sentence.statement(span.start)
        markers = list(_FEATURES.finditer(text, statement.start, span.start))
        if not markers:
            return False
        between = text[markers[-1].end() : span.start]
        if VERBS.find(between):
            return False
        if markers[-1].group().isascii():
            return True
        return _ZH_VERB.search(text, span.end, statement.end) is not None

    def targets_side_by_side(self) -> list[str]:
        """Columns that one verb asks for together: "predict A and B"."""
        text = self.sentence.folded
        for inside in self.objects:
            here = [
                m
                for m in self.mentions
                if m.span.start >= inside.start and self.sentence.statement(inside.start).end >= m.span.end
            ]
            if not here or not _leads(text[inside.start : here[0].span.start]):
                continue
            run = [here[0]]
            for mention in here[1:]:
                if not _AND.fullmatch(text, run[-1].span.end, mention.span.start):
                    break
                run.append(mention)
            names = list(dict.fromkeys(m.column for m in run))
            if (
                len(names) > 1
                and _AFTER_LIST.match(text, run[-1].span.end)
                and _joined(text[run[0].span.end : run[-1].span.start])
            ):
                return names
        return []


def _leads(gap: str) -> bool:
    return re.fullmatch(r"\s*(?:both|the|columns?|两列|同时)?\s*(?:the\s+)?[\"':]?\s*", gap) is not None


def _joined(gap: str) -> bool:
    return re.search(r"\band\b|\bas\s+well\s+as\b|\bplus\b|&|和|与|以及|及|跟|、", gap) is not None
