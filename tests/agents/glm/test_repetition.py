"""Repetition is found, and nothing else is taken for it."""

import inspect
import time

import pytest

from open_autoglm.agents.glm import client, edits
from open_autoglm.agents.glm.repetition import Watch, end_of_sense


@pytest.mark.parametrize(
    "unit", ["a", "ab", "\n", "x = x + 1\n", "I will now write the code. ", "好的，我来写。", "0.0, ", "b" * 700 + "\n"]
)
def test_a_unit_that_comes_again_and_again_is_kept_once(unit: str) -> None:
    """Whatever stood before it stays."""
    text = "Here it is:" + unit * (8_000 // len(unit))
    end = end_of_sense(text)

    assert end is not None
    assert text[:end].startswith("Here it is:")
    assert len(text[:end].strip()) <= len("Here it is:" + unit)


def test_blanks_without_order_are_found() -> None:
    """Under a grammar, white space is what a model can always add."""
    assert end_of_sense('{"a":' + " \n\t  \n \t\t\n" * 40 + "\n \t" * 150 + " " * 40) == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        inspect.getsource(client),
        inspect.getsource(edits),
        "WEIGHTS = [" + ", ".join(str(number * 0.37) for number in range(2_000)) + "]",
        "| a | b |\n" + "".join(f"| {number} | {number**2} |\n" for number in range(1_000)),
        "x = [" + "0, " * 400 + "]",
        "# " + "-" * 1_500 + "\n",
        "Step by step. " * 20,
    ],
)
def test_real_text_is_none(text: str) -> None:
    """Code, tables and lists of numbers hold no repetition, at no moment of their making."""
    watch = Watch()

    assert not any(watch.repeats(text[at : at + 50]) for at in range(0, len(text), 50))
    assert watch.sense() == text


def test_looking_is_cheap() -> None:
    """A megabyte in pieces of a few characters takes a fraction of a second."""
    watch = Watch()
    before = time.process_time()
    for number in range(150_000):
        watch.repeats(f"{number:07d}")

    assert watch.chars > 1_000_000
    assert time.process_time() - before < 1.5
