"""What a person reads before anything is sent: the endpoint, what it is told, and what not."""

import pytest

from open_autoglm.agents.glm.sharing import Share, leaves
from open_autoglm.tools.words import Words

LEVELS: list[Share] = ["schema", "summary", "rows"]


@pytest.mark.parametrize("share", LEVELS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_level_says_who_is_told_what(share: Share, language: str) -> None:
    """Two sentences: what is sent to whom, and what is not."""
    told, kept = leaves(share, "http://127.0.0.1:8000/v1", Words(language=language))  # type: ignore[arg-type]  # one of the two
    assert "http://127.0.0.1:8000/v1" in told
    assert kept.startswith("Not sent" if language == "en" else "不发送")


def test_the_levels_differ_in_what_they_name() -> None:
    """The rule of ten belongs to summaries, rows to the last level."""
    schema, summary, rows = (" ".join(leaves(share, "x", Words(language="en"))) for share in LEVELS)
    assert "10 rows share" in summary
    assert "10 rows" not in schema
    assert "a few rows" in rows
    assert "a few rows" not in summary + schema
