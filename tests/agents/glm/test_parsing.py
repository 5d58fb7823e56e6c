"""The tolerant parser: what weak models write when they mean JSON, and text that is written to hurt."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_autoglm.agents.glm.parsing import MAX_CHARS, MAX_DEPTH, thought_and_answer, values_in

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def first(text: str) -> Any:
    return next(values_in(text), None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure! Here it is:\n```json\n{"a": 1}\n```\nHope that helps {smile}.', {"a": 1}),
        ('{"a": [1, 2,], "b": {"c": 3,},}', {"a": [1, 2], "b": {"c": 3}}),
        ("{'a': True, 'b': None, 'c': False}", {"a": True, "b": None, "c": False}),
        ("{'it''s': 1}", None),
        ('{"say": "it\'s \\"so\\""}', {"say": 'it\'s "so"'}),
        ('{a: 1, b_c: "x"}', {"a": 1, "b_c": "x"}),
        ("<think>maybe {\"a\": 0}?</think>\n{\"a\": 1}", {"a": 1}),
        ('<think>\n{"a": 1}', {"a": 1}),
        ('{"a": 1 // one\n, /* two */ "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": 1\n "b": 2}', {"a": 1, "b": 2}),
        ('{"a": (1, 2), "b": """x "y" z"""}', {"a": [1, 2], "b": 'x "y" z'}),
        ('{"a": -1.5e-3, "b": +2, "c": 1_000}', {"a": -1.5e-3, "b": 2, "c": 1000}),
        ('{"a": "\\u4f60\\ud83d\\ude00\\n"}', {"a": "你😀\n"}),
        ('first {"a": 1} then {"a": 2}', {"a": 2}),
        ("[1, 2]", [1, 2]),
        ("no JSON at all", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_was_meant_is_read(text: str, meant: object) -> None:
    """Each of these was seen from a model, and means one thing."""
    assert first(text) == meant


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ('{"a": 1, "b": "half a sen', [{"a": 1}]),
        ('{"a": 1, "b": 12', [{"a": 1}]),
        ('{"a": 1, "b": tru', [{"a": 1}]),
        ('{"a": 1, "b', [{"a": 1}]),
        ('{"a": 1, "b":', [{"a": 1}]),
        ('{"ideas": [{"t": "x", "u": 1}, {"t": "y", "u"', [{"ideas": [{"t": "x", "u": 1}, {"t": "y"}]}, {"ideas": [{"t": "x", "u": 1}]}]),
    ],
)  # fmt: skip
def test_a_cut_end_gives_what_is_whole(text: str, pieces: list[object]) -> None:
    """Half a sentence or number is never taken for the whole; a list's incomplete last item is, then is not."""
    found = [value for value in values_in(text) if value in pieces]

    assert [value for index, value in enumerate(found) if value not in found[:index]] == pieces


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        ("a\n</think>\nb", "a", "b"),
        ("<think>a</think>b</think>c", "a</think>b", "c"),
        ("<think>endless", "", "endless"),
        ('x = t.split("</think>")', "", 'x = t.split("</think>")'),
        ("p = r'<think>.*?</think>'", "", "p = r'<think>.*?</think>'"),
        ('<think>a</think>x = "</think>"', "a", 'x = "</think>"'),
    ],
)
def test_thinking_is_told_from_the_answer(text: str, thought: str, answer: str) -> None:
    """Also where the template opened it; a mark in quotes is code."""
    assert thought_and_answer(text) == (thought, answer)


@given(value=st.dictionaries(st.text(), PLAIN, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_json_is_read_as_json(value: dict[str, object]) -> None:
    """Whatever a strict parser reads is read as the same."""
    assert first(json.dumps(value)) == value


@given(value=st.dictionaries(st.text(), PLAIN, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_python_literals_are_read(value: dict[str, object]) -> None:
    """So is what Python prints."""
    assert first(repr(value)) == value


@given(text=st.text(alphabet="{}[]()\"'\\,:#/*<>think` \na1-.eNu", max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_is_survived(text: str) -> None:
    """No text raises anything."""
    list(values_in(text))


@pytest.mark.parametrize(
    "unit", ["{", "[", '{"a":', "[[", "{'", '"', "/*", "/* /", "#", "(", '{"a":[', "\\", "{a", '["', "1,", "[1,", "<think>", "`", "{}", "[],", "{1:"],
)  # fmt: skip
def test_hostile_text_costs_little(unit: str) -> None:
    """A million characters of the same are read within moments, without deep recursion."""
    before = time.process_time()
    list(values_in(unit * (MAX_CHARS * 4 // len(unit))))

    assert time.process_time() - before < 3


def test_depth_is_bounded() -> None:
    """What is nested deeper than anything we ask for is no answer."""
    assert first("[" * (MAX_DEPTH + 10) + "]" * (MAX_DEPTH + 10)) != []
    assert first('{"a":' * 5 + "1" + "}" * 5) is not None
