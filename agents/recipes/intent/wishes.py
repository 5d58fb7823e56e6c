"""Wishes beyond the score: speed, size, device, models that are forbidden, explanations, quantiles, outputs."""

import re
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.phrases import Hit, Lexicon
from open_autoglm.agents.recipes.intent.quantities import Duration
from open_autoglm.agents.recipes.intent.text import Sentence, is_negated
from open_autoglm.tools.task import Constraints, ModelFamily

_FAMILIES = Lexicon(
    {
        "linear": ("linear model*", "linear regression*", "logistic regression*", "ridge", "lasso", "elastic net", "linear", "glm", "线性模型", "线性回归", "逻辑回归", "岭回归", "线性"),
        "neighbors": ("knn", "k nn", "k nearest neighbo*", "nearest neighbo*", "近邻", "k近邻", "最近邻"),
        "trees": ("random forest*", "extra trees", "decision tree*", "single tree", "forest*", "随机森林", "决策树", "极端随机树"),
        "trees and boosting": ("tree model*", "trees", "tree based", "tree based model*", "树模型", "基于树的模型", "树类模型"),
        "boosting": ("boosting", "gradient boosting", "boosted tree*", "gbdt", "gbm", "lightgbm", "lgbm", "xgboost", "xgb", "catboost", "梯度提升", "提升树", "提升模型"),
        "neural": ("neural net*", "neural network*", "neural", "deep learning", "deep net*", "deep model*", "mlp", "nn", "nns", "transformer*", "神经网络", "深度学习", "深度模型", "神经网路"),
        "ensemble": ("ensemble*", "ensembling", "stacking", "blending", "集成", "集成学习", "模型融合", "融合", "堆叠"),
    }
)  # fmt: skip
_WISHES = Lexicon(
    {
        "interpretable": (
            "explainable", "interpretable", "interpretability", "explainability", "explain why", "explain", "transparent", "white box", "glass box", "understandable", "easy to explain", "easy to understand",
            "可解释", "可解释性", "能解释", "解释得清", "好解释", "易解释", "易于解释", "透明", "看得懂", "解释原因",
        ),
        "black box": ("black box*", "blackbox*", "黑盒", "黑箱"),
        "cpu": ("cpu", "cpus", "no gpu", "without gpu", "without a gpu", "处理器"),
        "cuda": ("gpu", "gpus", "cuda", "graphics card", "显卡"),
        "onnx": ("onnx",),
        "container": ("docker", "container", "docker image", "容器", "镜像"),
        "notebook": ("notebook", "jupyter", "笔记本"),
    }
)  # fmt: skip
_ONLY = re.compile(
    r"\b(?:only|just|solely|exclusively|nothing\s+but|stick\s+to)\b|只用|仅用|只要|只能用|只使用|仅使用|只允许|只训练|只能"
)
_TRAIN = re.compile(
    r"\b(?:train|fit|build|use|using|with|via|by|want|make|create)\s+(?:an?\s+|the\s+)?(?:simple\s+)?$|(?:用|使用|训练|建立|采用|建|拟合)(?:一个|个)?$"
)
_JOIN = re.compile(r"[\s,、/&]*(?:and|or|nor|和|或|或者|与|及|也不要|也别用)?[\s]*(?:no|any|a|不要)?\s*")
_SIZE = re.compile(r"(?P<n>\d+(?:\.\d+)?)\s*(?P<unit>kb|mb|gb|兆|m)(?![a-z0-9])(?!\s*(?:rows|tokens|行))")
_MODEL = re.compile(
    r"\bmodel\b|\bsize\b|\bsmaller\b|\bfit in\b|\bunder\b|\bbelow\b|\bat\s+most\b|\bless\s+than\b|\bmax\b|\bdisk\b|模型|大小|体积|小于|不超过|不大于"
)
_DATA = re.compile(r"\b(?:data|dataset|file|csv|ram|memory)\b|数据|文件|内存")
_MB = {"kb": 1 / 1024, "mb": 1.0, "m": 1.0, "兆": 1.0, "gb": 1024.0}
_QUANTILE_WORD = re.compile(r"quantiles?|percentiles?|分位数|分位点|百分位数?")
_P_NUMBER = re.compile(r"(?<![a-z0-9_])[pq]\s?(?P<n>\d{1,2})(?![a-z0-9_])")
_LEVEL = re.compile(r"(?<![\w.])(?P<n>0?\.\d+|\d{1,2}(?:\.\d+)?)\s*(?P<percent>%|th\b|percent\b)?(?![\w.])")
_INTERVAL = re.compile(
    r"(?:(?P<a>\d{1,2}(?:\.\d+)?)\s*%?\s*(?:的)?\s*)?(?:prediction|confidence|predictive|credible|uncertainty|预测|置信|可信)\s*(?:intervals?|bands?|bounds?|区间)(?:\s*(?:of|at|for)?\s*\(?(?P<b>\d{1,2}(?:\.\d+)?)\s*%)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was wished for."""

    constraints: Constraints
    quantiles: list[float]
    outputs: list[str]


def read_wishes(sentence: Sentence, text: str, latency: Duration | None) -> Wishes:
    """Read the wishes of a folded text, columns blanked."""
    said = {h.key for h in _WISHES.wanted(text)}
    denied = {h.key for h in _WISHES.find(text)} - said
    constraints = Constraints(
        latency_ms=latency.seconds * 1000 if latency else None,
        model_mb=_model_mb(sentence, text),
        device="cpu" if "cpu" in said or "cuda" in denied else "cuda" if "cuda" in said else None,
        interpretable="interpretable" in said or "black box" in denied,
        forbidden_models=forbidden_families(text),
    )
    outputs: list[str] = [name for name in ("onnx", "container", "notebook") if name in said]
    return Wishes(constraints=constraints, quantiles=_quantiles(sentence, text), outputs=outputs)


def forbidden_families(text: str) -> list[str]:
    """Families that the text rules out, in the order of `ModelFamily`: by "no X", or by "only X" all the others."""
    hits = _FAMILIES.find(text)
    denied: set[str] = set()
    wanted: set[str] = set()
    previous: Hit | None = None
    for hit in hits:
        joined = previous is not None and _JOIN.fullmatch(text, previous.span.end, hit.span.start) is not None
        inherits_denial = joined and previous is not None and previous.key in denied
        inherits_wish = joined and previous is not None and previous.key in wanted
        if inherits_denial or is_negated(text, hit.span):
            denied.add(hit.key)
        elif inherits_wish or _is_only(text, hit):
            wanted.add(hit.key)
        previous = hit
    denied, wanted = _split_up(denied), _split_up(wanted)
    if wanted - denied:
        denied |= {f.value for f in ModelFamily} - wanted
    return [f.value for f in ModelFamily if f.value in denied]


def _split_up(keys: set[str]) -> set[str]:
    return {family for key in keys for family in key.split(" and ")}


def _is_only(text: str, hit: Hit) -> bool:
    before, after = text[max(0, hit.span.start - 30) : hit.span.start], text[hit.span.end : hit.span.end + 6]
    near = re.split(r"[,;.。()!?]", before)[-1]
    return bool(_ONLY.search(near) or re.match(r"\s*only\b|\s*即可|\s*就行", after) or _TRAIN.search(near))


def _model_mb(sentence: Sentence, text: str) -> float | None:
    for found in _SIZE.finditer(text):
        clause, statement = sentence.clause(found.start(), text), sentence.statement(found.start())
        words, around = text[clause.start : clause.end], text[statement.start : statement.end]
        plain = found["unit"] != "m" or "模型" in around or "model" in around
        if float(found["n"]) > 0 and _MODEL.search(words) and not _DATA.search(words) and plain:
            return round(float(found["n"]) * _MB[found["unit"]], 6)
    return None


def _quantiles(sentence: Sentence, text: str) -> list[float]:
    named = [int(m["n"]) / 100 for m in _P_NUMBER.finditer(text)]
    if len(named) >= 2:
        return _between(named)
    word = _QUANTILE_WORD.search(text)
    if word is not None and not is_negated(text, sentence.clause(word.start(), text)):
        stretch = sentence.statement(word.start())
        levels = [_level(m) for m in _LEVEL.finditer(text, stretch.start, stretch.end)]
        return _between([level for level in levels if level is not None]) or [0.1, 0.5, 0.9]
    interval = _INTERVAL.search(text)
    if interval is not None:
        covered = float(interval["a"] or interval["b"] or 90) / 100
        return _between([(1 - covered) / 2, 0.5, (1 + covered) / 2])
    return []


def _level(found: re.Match[str]) -> float | None:
    value = float(found["n"])
    if found["percent"]:
        return value / 100
    return value if 0 < value < 1 else None


def _between(levels: list[float]) -> list[float]:
    return sorted({round(level, 6) for level in levels if 0 < level < 1})
