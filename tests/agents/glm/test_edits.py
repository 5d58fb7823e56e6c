"""Code in answers: whole files, and edits that must apply exactly once."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_autoglm.agents.glm.edits import apply, code_of, has_edits
from open_autoglm.errors import EditRefused

CODE = "def fit(train, ctx):\n    return 1\n"
SOURCE = """import pandas as pd


def fit(train, ctx):
    model = make()
    model.fit(train)
    return model


def predict(model, rows, ctx):
    x = rows.copy()
    return model.predict(x)
"""


def edit(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


def refusal(read: Callable[[str], object], text: str) -> str:
    """Return why a text is refused, or nothing where it is not."""
    try:
        read(text)
    except EditRefused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    "text",
    [
        f"solution.py\n```python\n{CODE}```\n",
        f"Here you are.\n\n```python\n{CODE}```\nDone.",
        f"### `solution.py`\n\n```py\n{CODE}\n```",
        f"**solution.py**:\n~~~python\n{CODE}~~~",
        f"```python solution.py\n{CODE}```",
        f"```python:solution.py\n{CODE}```",
        f'```python title="solution.py"\n{CODE}```',
        f"```solution.py\n{CODE}```",
        f"File: ./solution.py\n```\n{CODE}```",
        "1. The file:\n   ```python\n   def fit(train, ctx):\n       return 1\n   ```\n",
        f"solution.py\r\n```python\r\n{CODE}```\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"<think>```python\nx\n```</think>\n```python\n{CODE}```",
        f"Run:\n```bash\npip list\n```\n```python\n{CODE}```\n",
        f"A sketch:\n```python\nfit\n```\nAnd all of it:\n```python\n{CODE}```\n",
        f"````python\n{CODE}````",
        CODE,
    ],
)  # fmt: skip
def test_a_file_is_found_however_it_is_written(text: str) -> None:
    """The ways in which models hand over one file."""
    assert code_of(text) == {"solution.py": CODE}


def test_several_files_keep_their_names() -> None:
    """Names before fences, or in a comment on top, which stays."""
    text = f"solution.py\n```python\n{CODE}```\nand `features.py`\n```python\nA = 1\n```\n\n```python\n# blocks/b.py\nB = 2\n```"

    assert code_of(text) == {"solution.py": CODE, "features.py": "A = 1\n", "blocks/b.py": "# blocks/b.py\nB = 2\n"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("I would use trees.", "holds no file"),
        ("", "holds no file"),
        (f"```python\n{CODE}", "not closed"),
        (f"../solution.py\n```python\n{CODE}```", "no name for a file"),
        (f"/etc/solution.py\n```python\n{CODE}```", "no name for a file"),
        (f"a.py\n```python\n{CODE}```\na.py\n```python\n{CODE}x = 1\n```", "given twice"),
        ("x" * 3_000_000, "Be shorter"),
    ],
)  # fmt: skip
def test_an_answer_without_a_usable_file_is_refused(text: str, told: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(EditRefused, match=told):
        code_of(text)


@pytest.mark.parametrize(
    "text",
    [
        edit("    model = make()", "    model = make(seed=1)"),
        "Seed it:\n```python\n" + edit("    model = make()", "    model = make(seed=1)") + "```\n",
        edit("    model = make()", "    model = make(seed=1)").replace("\n", "\r\n"),
        edit("    model = make()   ", "    model = make(seed=1)"),
        edit("model = make()", "model = make(seed=1)"),
        edit("        model = make()\n        model.fit(train)", "        model = make(seed=1)\n        model.fit(train)"),
        edit("```python\n    model = make()\n```", "```python\n    model = make(seed=1)\n```"),
        "  " + edit("    model = make()", "    model = make(seed=1)").replace("\n", "\n  "),
        edit("\n    model = make()\n", "    model = make(seed=1)"),
    ],
)  # fmt: skip
def test_an_edit_applies_however_it_is_indented(text: str) -> None:
    """CRLF, fences, trailing blanks and a block that is indented differently mean the same edit."""
    assert has_edits(text)
    assert apply(SOURCE, text) == SOURCE.replace("make()", "make(seed=1)")


def test_edits_apply_one_after_the_other() -> None:
    """The second sees what the first did; lines may be put in and taken out."""
    text = edit("import pandas as pd", "import numpy as np\nimport pandas as pd") + edit("    x = rows.copy()\n", "")

    assert apply(SOURCE, text) == SOURCE.replace("import pandas", "import numpy as np\nimport pandas").replace("    x = rows.copy()\n", "")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing", "holds no edit"),
        (edit("    modle = make()", "x"), r"fits nowhere.*\n(.*\n)*    model = make\(\)"),
        (edit("zzzzzz", "x"), "fits nowhere.*Copy the lines exactly"),
        (edit("", "x = 1"), "nothing under SEARCH"),
        (edit("    model = make()", "    model = make()"), "change nothing"),
        ("<<<<<<< SEARCH\nimport pandas as pd\n=======\nx", "broken off.*>>>>>>> REPLACE"),
        ("<<<<<<< SEARCH\nimport pandas as pd\n", "broken off"),
        (edit("import pandas as pd", "a") * 60, "More than 50"),
    ],
)  # fmt: skip
def test_an_edit_that_does_not_apply_is_refused(text: str, told: str) -> None:
    """The message shows the model where it went wrong."""
    with pytest.raises(EditRefused, match=told):
        apply(SOURCE, text)


def test_an_edit_that_fits_twice_is_refused() -> None:
    """Which of two places was meant is not guessed; the lines are named."""
    with pytest.raises(EditRefused, match=r"fits more than one place \(lines 1, 3\)"):
        apply("a = 1\nb = 2\na = 1\n", edit("a = 1", "a = 3"))


def test_an_edit_may_write_an_empty_file() -> None:
    """Nothing under SEARCH is fine where nothing stands."""
    assert apply("", edit("", "a = 1")) == "a = 1\n"


LINES = st.lists(st.text(alphabet="ab =()\t", max_size=12), min_size=1, max_size=12)


@given(lines=LINES, data=st.data())
@settings(max_examples=150, deadline=None)
def test_what_stands_once_is_replaced_and_nothing_else(lines: list[str], data: st.DataObject) -> None:
    """For any file: replacing one unique line leaves all others as they were."""
    place = data.draw(st.integers(0, len(lines)))
    source = "\n".join([*lines[:place], "unique = 1", *lines[place:]])

    assert apply(source, edit("unique = 1", "other = 2")) == source.replace("unique = 1", "other = 2")


@given(text=st.text(alphabet="<>=`~SEARCHREPLACE \n#./py", max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_answer_is_survived(text: str) -> None:
    """Whatever the text, there is a result or a refusal."""
    for read in (code_of, lambda answer: apply(SOURCE, answer)):
        assert len(refusal(read, text)) < 2_000


@pytest.mark.parametrize(
    "unit", ["a\n", "\n", "```\n", "<<<<<<< SEARCH\n", "x.py ", "#x.py\n", "=======\n", "(((", " ", "9" * 160 + "\n"]
)
def test_hostile_answers_cost_little(unit: str) -> None:
    """As many characters as are read, all the same, are answered within moments."""
    big = unit * (400_000 // len(unit))
    before = time.process_time()
    for read in (
        code_of,
        lambda answer: apply(SOURCE, answer),
        lambda answer: apply(answer, edit(answer[:1000] + "x", "z")),
    ):
        refusal(read, big)

    assert time.process_time() - before < 5
