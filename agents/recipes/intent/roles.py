"""Columns that are more than features: ids, times, groups, weights, texts, series, and those to leave out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from open_autoglm.agents.recipes.intent.columns import Columns, Mention, key_of, list_after, list_before, words_of
from open_autoglm.agents.recipes.intent.entities import ENTITIES
from open_autoglm.agents.recipes.intent.notes import Notes
from open_autoglm.agents.recipes.intent.phrases import Lexicon
from open_autoglm.agents.recipes.intent.text import Sentence, Span
from open_autoglm.errors import UnknownName
from open_autoglm.tools.data.profile import ColumnKind
from open_autoglm.tools.task import ColumnRoles


def _before(words: str) -> re.Pattern[str]:
    """Match a text that ends with these words and what may open the name of a column."""
    return re.compile(rf"(?:{words})[\"'(]*$")


def _after(words: str) -> re.Pattern[str]:
    """Match what may close the name of a column, and these words."""
    return re.compile(rf"[\"')]*\s*(?:{words})")


_DROP_BEFORE = re.compile(
    r"(?:\b(?:ignor(?:e|ing)|drop(?:ping)?|exclud(?:e|ing)|remov(?:e|ing)|leav(?:e|ing)\s+out|leave\s+aside|skip(?:ping)?|discard(?:ing)?|omit(?:ting)?|disregard|without(?:\s+(?:using|looking\s+at))?|except(?:\s+for)?|(?:everything|anything|all|all\s+columns)\s+but|(?:do\s*not|don'?t|dont|never|must\s*not|should\s*not|not|cannot|can't|may\s+not)\s+(?:use|using|look\s+at|include|train\s+on|rely\s+on|consider|touch|allowed\s+to\s+use)|avoid(?:\s+using)?|no)\b"
    r"|不要(?:使用|用|看|碰|动|考虑|包含|管)?|不(?:使用|用|考虑|看|采用|包括|包含|含|算|能用|得使用|允许使用|准用)|(?<![识类性级区分个特鉴辨判])别(?:使用|用|看|管)|忽略|去掉|去除|剔除|排除|删除|删掉|丢弃|丢掉|除了|除去|除|扔掉|抛开|禁止使用|禁用|勿用|无视|撇开)"
    r"(?:\s|:|the|of|my|our|any|these|following|column(?:s)?|feature(?:s)?|variable(?:s)?|field(?:s)?|列|字段|特征|变量|这|个|两|三|掉|以下|下列|[\"'(])*(?:(?:(?!预测|网络|模型|学习|集成|森林)[\u4e00-\u9fff]){1,4}[\s\"(]+)?$"
)
_DROP_AFTER = _after(
    r"(?:columns?|features?|这?[一两三几]?列|字段|这[一两三几]?个?(?:列|字段|特征))?\s*(?:(?:must|should|may|can|shall)\s*(?:not|n't|never)\s+be\s+(?:used|included|seen)|cannot\s+be\s+used|(?:is|are)\s+(?:not\s+(?:to\s+be\s+used|allowed|available|known)|off\s+limits|forbidden|leaky|leakage)|leaks?\b|(?:都)?(?:不要用|不能用|不可用|不参与|不使用|不用|要去掉|去掉|要删除|删掉|会泄漏|泄露|不要))"
)
_ONLY_BEFORE = re.compile(
    r"(?:\b(?:only\s+us(?:e|ing)|us(?:e|ing)\s+only|us(?:e|ing)\s+just|just\s+us(?:e|ing)|only\s+(?:from|with|the\s+columns?)|from\s+only|based\s+only\s+on|solely\s+(?:from|on))|只(?:能)?(?:用|使用|看|根据|依据)|仅(?:用|使用|根据|凭))(?:\s|:|the|columns?|features?|列|字段|特征|[\"'(])*$"
)
_ID_AFTER = _after(
    r"(?:column\s+)?(?:列)?\s*(?:(?:is|are)\s+(?:only|just|merely|simply)?\s*(?:an?|the|our)?\s*(?:row\s+)?(?:ids?\b|identifiers?|row\s+numbers?|keys?\b|index|primary\s+key)|(?:只|仅仅|仅)?(?:是|为|作为)(?:一个|行)?(?:编号|序号|id|主键|标识|索引|唯一标识))"
)
_ID_BEFORE = _before(
    r"\b(?:id|identifier|key|index)\s+(?:column|field)s?\s*(?:is|are|=|:)?\s*|(?<![a-z])(?:ids?|identifiers?)\s*(?:(?:is|are)\s+in|is|are|in|=|:)\s*|(?:编号列|id列|id\s*列|主键|标识列)\s*(?:是|为|:)?\s*"
)
_TIME_BEFORE = _before(
    r"\b(?:sort(?:ed)?|order(?:ed)?|split|splits)\b(?:\s+(?:the\s+)?(?:data|rows|by|on|in|time|chronologically|it|them|using))*\s+(?:by|on|using|along)\s+(?:the\s+)?|\b(?:time|date|timestamp|datetime)\s+(?:column|field)\s*(?:is|=|:)?\s*|(?:时间列|日期列|时间字段|时间)\s*(?:是|为|:)\s*|按照?\s*"
)
_TIME_AFTER = _after(
    r"(?:is|holds)\s+(?:the|a|our)?\s*(?:time|date|timestamp)|(?:列)?\s*(?:是|为|作为)(?:时间|日期)|(?:的)?(?:先后)?(?:顺序|排序|先后|时间顺序|划分|切分|拆分)"
)
_TIME_WISH = Lexicon(
    {"time": ("split by time", "time based split", "time split", "temporal split", "chronological*", "in time order", "later rows", "later ones", "out of time", "after the training period", "come after the training", "no peeking into the future", "order of time", "不要打乱时间", "按时间划分", "按时间切分", "按时间顺序", "按时间排序", "按时间先后", "按日期划分", "时间顺序", "训练时段之后", "时间外")}
)  # fmt: skip
NAME_AND_NUMBER = re.compile(r"[^_\-./: ].*[_\-./: ]\d+")
_GROUP = (
    re.compile(r"\b(?:group(?:ed|s|ing)?|split|splits|fold(?:s)?|cv|cross[\s-]*validat\w*)\s+(?:the\s+)?(?:rows\s+|data\s+|folds\s+)?(?:by|on|per)\s+(?:the\s+)?(?:same\s+)?(?P<of>[^,.;()]{1,40})"),
    re.compile(r"\b(?:all\s+)?(?:the\s+)?(?:rows|records|visits|samples|measurements|observations|entries|data|houses|cars|lines)\s+(?:of|from|for|belonging\s+to|with)\s+(?:one|the\s+same|a\s+single|each|a|any)\s+(?P<of>[^,.;()]{1,40}?)\s*(?:must|should|have\s+to|need\s+to|may|can|are|stay|belong|together|never|on\s+one)"),
    re.compile(r"\bkeep\s+(?:all\s+)?(?:the\s+)?(?:rows\s+(?:of|from)\s+)?(?:each|every|one|the\s+same|a)\s+(?P<of>[^,.;()]{1,30}?)\s+(?:on\s+one\s+side|together|in\s+one|whole|intact)"),
    re.compile(r"\b(?:the\s+)?same\s+(?P<of>[^,.;()]{1,30}?)\s+(?:must|should|may|can|was|were|is|has|have|appears?|never|not)\b"),
    re.compile(
        r"\b(?:not|never|don't)\s+(?:split|separate|mix|tear\s+apart)\s+(?:the\s+)?(?:rows\s+(?:of|from)\s+)?(?:the\s+same|one|a|any|each)\s+(?P<of>[^,.;()]{1,30})"
    ),
    re.compile(r"\bno\s+(?P<of>[^,.;()]{1,30}?)\s+(?:in|on)\s+both\b"),
    re.compile(r"\bkeep\s+rows\s+of\s+(?:one|the\s+same|each|a)\s+(?P<of>[^,.;()]{1,30}?)\s+together"),
    re.compile(r"按照?\s*(?P<of>[^,。;()按]{1,20}?)\s*(?:列)?(?:来)?(?:进行)?\s*(?:分组|划分组|分折|分层划分)"),
    re.compile(r"同\s*一\s*(?:个|位|名|只|家|台|辆|种)?\s*(?P<of>[^,。;()的不必要应]{1,12})(?:的)?[^,。;()]{0,14}?(?:不要|不能|不得|不可|不应|必须|要|应|测|只能|放在|留在)"),
    re.compile(r"分组列\s*(?:是|为|:)?\s*(?P<of>[^,。;()]{1,20})"),
)  # fmt: skip
_TIMELY = re.compile(r"(?:time|date|chronolog\w*|时间|日期)")
_GROUP_AFTER = _after(r"(?:is|as)\s+(?:the\s+)?(?:group|grouping)(?!\w)|(?:列)?(?:是|作为|为)分组")
_WEIGHT_BEFORE = _before(
    r"\bweight(?:ed|ing|s)?\s+(?:rows\s+|samples\s+|them\s+)?(?:by|with|using)\s+(?:the\s+)?|\b(?:sample|row|case|survey|observation)\s+weights?\s*(?:is|are|=|:|in|from|column)*\s*(?:in\s+)?(?:the\s+)?(?:column\s+)?|\bweights?\s+(?:are\s+|is\s+)?in\s+(?:the\s+)?(?:column\s+)?|\bweight\s+column\s*(?:is|=|:)?\s*|(?:样本权重|权重列|权重)\s*(?:列)?\s*(?:是|为|:|用|在)?\s*"
)
_WEIGHT_AFTER = _after(
    r"(?:column\s+)?(?:(?:is|are|as|holds?|contains)\s+(?:the\s+|a\s+)?(?:sample\s+|row\s+|case\s+|survey\s+)?weights?\b|(?:列)?\s*(?:作为|是|为|当作)?(?:样本)?(?:权重|加权))"
)
_TEXT_BEFORE = _before(
    r"\b(?:free\s+)?text\s+(?:is\s+)?(?:in\s+)?(?:the\s+)?(?:column|field)?\s*(?:is|=|:|in)?\s*(?:the\s+)?|\btext\s+is\s+in\s+(?:the\s+)?(?:column\s+)?|文本列\s*(?:是|为|:)?\s*|文本在\s*"
)
_TEXT_AFTER = _after(
    r"(?:column\s+)?(?:(?:is|holds|contains)\s+(?:a\s+|the\s+)?(?:free\s+)?text|(?:列)?\s*(?:是|为)(?:一个)?(?:自由)?文本)"
)
_KNOWN_AFTER = _after(
    r"(?:(?:is|are|will\s+be)\s+known\s+(?:in\s+advance|ahead|beforehand|for\s+the\s+future)|(?:都)?(?:是)?(?:提前|事先|预先)?(?:可知|已知|知道|可以提前知道|能提前知道))(?!\s*不)"
)
_SERIES_BEFORE = _before(
    r"\b(?:for|of)?\s*(?:each|every|per|by|all)\s+(?:combination\s+of\s+)?(?:the\s+)?|每一?(?:个|家|种|类|台)?\s*|各个?\s*|分\s*|按照?\s*"
)


@dataclass(kw_only=True)
class Roles:
    """Roles found so far. A column has one role, the first that was found."""

    found: dict[str, list[str]] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    """Features that alone may be used; empty where nothing was said."""

    def add(self, role: str, columns: Iterable[str]) -> None:
        """Give columns a role, except those that have one."""
        new = [c for c in columns if c not in self.taken]
        if new:
            self.found[role] = [*self.found.get(role, []), *dict.fromkeys(new)]

    @property
    def taken(self) -> list[str]:
        """Columns with a role."""
        return [c for columns in self.found.values() for c in columns]

    def one(self, role: str) -> str | None:
        """The column with a role that only one can have."""
        return next(iter(self.found.get(role, [])), None)


def read_roles(sentence: Sentence, columns: Columns, mentions: Sequence[Mention]) -> Roles:
    """Give roles to the columns that the sentence says something about.

    Raises:
        UnknownName: The sentence asks to leave out a column that is not there.
    """
    text, roles = sentence.folded, Roles()
    _refuse_unknown_drops(sentence, columns, mentions)
    for role, before, after in _RULES:
        for mention in mentions:
            if before is not None and before.search(text[: mention.span.start]):
                roles.add(role, _names(list_after(text, mentions, mention.span.start), role))
            if after is not None and after.match(text, mention.span.end):
                roles.add(role, _names(list_before(text, mentions, mention.span.end), role))
        if role == "dropped":
            _read_groups(sentence, columns, mentions, roles)
    _read_said_time(sentence, columns, mentions, roles)
    for mention in mentions:
        if not roles.only and _ONLY_BEFORE.search(text[: mention.span.start]):
            roles.only = _names(list_after(text, mentions, mention.span.start), "only")
    return roles


_RULES: tuple[tuple[str, re.Pattern[str] | None, re.Pattern[str] | None], ...] = (
    ("dropped", _DROP_BEFORE, _DROP_AFTER),
    ("id", _ID_BEFORE, _ID_AFTER),
    ("weight", _WEIGHT_BEFORE, _WEIGHT_AFTER),
    ("text", _TEXT_BEFORE, _TEXT_AFTER),
    ("known_ahead", None, _KNOWN_AFTER),
)


def _names(mentions: Sequence[Mention], role: str) -> list[str]:
    names = [m.column for m in mentions]
    return names[:1] if role == "weight" else names


_NAMED_DROP = re.compile(
    r"(?:\b(?:ignore|drop|exclude|remove|do\s*not\s+use|don'?t\s+use|without)\s+(?:the\s+)?columns?\s+|(?:忽略|去掉|删除|不要使用|不要用)\s*(?:列\s*)?)(?:\"(?P<quoted>[^\"\n]+)\"|(?P<name>[a-z0-9_]+)(?=\s*(?:[,.;)]|$|and\b|or\b|列)))"
    r"|\b(?:ignore|drop|exclude|remove)\s+(?:the\s+)?(?:\"(?P<q2>[^\"\n]+)\"|(?P<n2>[a-z0-9_]+))\s+column\b"
)


def _refuse_unknown_drops(sentence: Sentence, columns: Columns, mentions: Sequence[Mention]) -> None:
    for found in _NAMED_DROP.finditer(sentence.folded):
        group = next(g for g in ("quoted", "name", "q2", "n2") if found[g])
        span = Span(start=found.start(group), end=found.end(group))
        name = sentence.raw[span.start : span.end]
        if not any(span.overlaps(m.span) for m in mentions) and columns.loosely(name) is None:
            raise UnknownName("column", name, columns.names)


def _read_groups(sentence: Sentence, columns: Columns, mentions: Sequence[Mention], roles: Roles) -> None:
    text = sentence.folded
    for mention in mentions:
        if _GROUP_AFTER.match(text, mention.span.end):
            roles.add("group", [mention.column])
    for pattern in _GROUP:
        for found in pattern.finditer(text):
            span = Span(start=found.start("of"), end=found.end("of"))
            column = _named_in(span, mentions) or entity_column(text[span.start : span.end], columns)
            is_time = _TIMELY.match(text, span.start) is not None or (column is not None and _is_date(columns, column))
            if column is not None and not is_time and not roles.found.get("group"):
                roles.add("group", [column])


def _read_said_time(sentence: Sentence, columns: Columns, mentions: Sequence[Mention], roles: Roles) -> None:
    text = sentence.folded
    for mention in mentions:
        near_time = columns.by_name[mention.column].kind in (
            ColumnKind.DATETIME,
            ColumnKind.NUMERIC,
            ColumnKind.IDENTIFIER,
        )
        before = _TIME_BEFORE.search(text[: mention.span.start])
        after = _TIME_AFTER.match(text, mention.span.end)
        split = before is not None and not text[: mention.span.start].rstrip("\"'( ").endswith(("按", "按照"))
        if near_time and (split or after) and not roles.found.get("time"):
            roles.add("time", [mention.column])


def _named_in(span: Span, mentions: Sequence[Mention]) -> str | None:
    return next((m.column for m in mentions if span.overlaps(m.span)), None)


def entity_column(phrase: str, columns: Columns) -> str | None:
    """The column that names the thing a phrase speaks of: "patient" and 患者 lead to `patient_id`."""
    words = set(words_of(phrase))
    for names in ENTITIES:
        if any(n in words or (not n.isascii() and n in phrase) for n in names):
            words |= set(names)
    near = {n for w in words for n in columns.with_word.get(w, [])}.union(columns.chinese)
    candidates = [c for c in columns.names if c in near and _is_entity(columns, c, words)]
    return min(
        candidates, key=lambda c: (columns.by_name[c].distinct == columns.table.rows, len(key_of(c))), default=None
    )


def _is_entity(columns: Columns, name: str, words: set[str]) -> bool:
    parts = columns.words[name]
    rest = [p for p in parts if p not in words and p not in _ID_WORDS]
    if parts and len(rest) < len(parts) and not rest and any(p in words for p in parts):
        return True
    return any(not w.isascii() and len(w) >= 2 and name.startswith(w) and len(name) <= len(w) + 3 for w in words)


_ID_WORDS = frozenset({"id", "no", "number", "code", "key", "name", "num", "nr", "uid", "编号", "号", "代码"})


def finish_roles(
    roles: Roles,
    sentence: Sentence,
    columns: Columns,
    mentions: Sequence[Mention],
    target: str,
    notes: Notes,
    *,
    forecasting: bool,
) -> ColumnRoles:
    """Add what follows from the task and the table to what was said."""
    others = [n for n in columns.names if n != target]
    _read_time(roles, sentence, columns, target, notes, forecasting=forecasting)
    if forecasting:
        _read_series(roles, sentence, columns, mentions, target)
    if roles.only:
        kept = {*roles.only, *roles.taken, target}
        roles.add("dropped", [n for n in others if n not in kept and not _is_id(columns, n)])
    ids = [n for n in others if n not in roles.taken and n not in roles.only and _is_id(columns, n)]
    if ids:
        roles.add("id", ids)
        notes.guess("columns.id", list(ids), "unique in every row and named like an id", "每行取值唯一，名称像编号")
    _refuse_useless_group(roles, columns, notes)
    said = {role: [c for c in names if c != target] for role, names in roles.found.items()}
    return ColumnRoles(
        id=said.get("id", []),
        time=next(iter(said.get("time", [])), None),
        group=next(iter(said.get("group", [])), None),
        series=said.get("series", []),
        weight=next(iter(said.get("weight", [])), None),
        text=said.get("text", []),
        known_ahead=said.get("known_ahead", []) if forecasting else [],
        dropped=said.get("dropped", []),
    )


def _refuse_useless_group(roles: Roles, columns: Columns, notes: Notes) -> None:
    group = roles.one("group")
    if group is None or not _is_id(columns, group):
        return
    if _names_parts(columns, group):
        roles.add("id", [group])
        return
    del roles.found["group"]
    roles.add("id", [group])
    reason = (
        f"{group!r} has another value in every row: there are no groups to keep together",
        f"{group!r} 每行取值不同，无法用来分组",
    )
    notes.guess("columns.group", None, *reason)


def _names_parts(columns: Columns, name: str) -> bool:
    """Whether the values look like the name of a thing and the number of its measurement: 309_1, 309_2, A-17/3."""
    examples = columns.by_name[name].examples
    return bool(examples) and all(NAME_AND_NUMBER.fullmatch(str(example).strip()) for example in examples)


def _is_id(columns: Columns, name: str) -> bool:
    return columns.by_name[name].kind is ColumnKind.IDENTIFIER


def _read_time(
    roles: Roles,
    sentence: Sentence,
    columns: Columns,
    target: str,
    notes: Notes,
    *,
    forecasting: bool,
) -> None:
    text = sentence.folded
    if roles.found.get("time") or not (forecasting or _TIME_WISH.wanted(text)):
        return
    dates = [n for n in columns.names if _is_date(columns, n) and n != target and n not in roles.taken]
    if not dates:
        return
    roles.add("time", dates[:1])
    notes.guess("columns.time", dates[0], "the first column of dates", "第一个日期列")
    if len(dates) > 1:
        text = notes.say("Which column gives the time?", "哪一列是时间？")
        notes.ask("columns.time", text, tuple(dates), notes.say("it is the first column of dates", "它是第一个日期列"))


def _is_date(columns: Columns, name: str) -> bool:
    return columns.by_name[name].kind is ColumnKind.DATETIME


def has_dates(columns: Columns) -> bool:
    """Whether any column holds dates."""
    return any(_is_date(columns, n) for n in columns.names)


def _read_series(roles: Roles, sentence: Sentence, columns: Columns, mentions: Sequence[Mention], target: str) -> None:
    text = sentence.folded
    for mention in mentions:
        if _SERIES_BEFORE.search(text[: mention.span.start]):
            names = [m.column for m in list_after(text, mentions, mention.span.start)]
            roles.add("series", [n for n in names if n != target and not _is_date(columns, n)])
    if roles.found.get("series"):
        return
    for found in _EACH.finditer(text):
        column = entity_column(found.group(1) or found.group(2), columns)
        if column is not None and column != target:
            roles.add("series", [column])


_EACH = re.compile(r"\b(?:each|every|per|by)\s+([a-z_]+)|(?:每一?(?:个|家|种|类|台)|各个?)\s*([\u4e00-\u9fff]{2,6})")
