"""What kernels say of their cells: bounded and harmless."""

import base64
import struct
from typing import Any

import pytest

from open_autoglm.sandbox.kernels.cells import HTML_CHARACTERS, MOST_PIECES, PNG_BYTES, Outputs, clean, picture
from open_autoglm.sandbox.kernels.messages import Message, Messages

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 3, 2) + b"\x08\x02\0\0\0" + b"\0" * 8


def collected(*said: tuple[str, dict[str, Any]]) -> Outputs:
    outputs = Outputs()
    for kind, content in said:
        outputs.take(Message(kind=kind, parent="", content=content))
    return outputs


def test_outputs_come_in_their_order() -> None:
    """What was printed in one go is one piece; cleared ones are gone; what is no output is left alone."""
    found = collected(
        ("stream", {"name": "stdout", "text": "gone"}),
        ("clear_output", {}),
        ("stream", {"name": "stdout", "text": "a"}),
        ("stream", {"name": "stdout", "text": "b"}),
        ("stream", {"name": "stderr", "text": "c"}),
        ("status", {"execution_state": "idle"}),
        ("display_data", {"data": {"text/plain": "a picture", "image/png": base64.b64encode(PNG).decode()}}),
        ("execute_result", {"data": {"text/plain": "a table", "text/html": "<table><tr><td>1</td></tr></table>"}}),
        ("error", {"ename": "ValueError", "evalue": "no", "traceback": ["\x1b[31mline\x1b[0m", 7, "end"]}),
        ("error", {"ename": "ValueError", "evalue": "no"}),
    ).all()

    assert [(piece.kind, piece.text) for piece in found] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("display", "a picture"),
        ("result", "a table"),
        ("error", "line\n\nend"),
        ("error", "ValueError: no"),
    ]
    assert found[2].png == PNG
    assert "<td>1</td>" in found[3].html


def test_there_is_a_most_of_everything() -> None:
    """Pieces are counted, long prints keep their head and tail."""
    many = collected(*[("display_data", {"data": {"text/plain": str(n)}}) for n in range(MOST_PIECES + 5)])
    long = collected(("stream", {"name": "stdout", "text": "x" * 200_000 + "end"})).all()[0]

    assert (len(many.all()), many.left_out) == (MOST_PIECES, 5)
    assert "bytes left out" in long.text
    assert long.text.endswith("end")
    assert len(long.text) < 40_000


@pytest.mark.parametrize("content", [{}, {"data": 3}, {"data": {"text/plain": 3, "text/html": [], "image/png": {}}}])
def test_nonsense_is_an_empty_output_or_none(content: dict[str, Any]) -> None:
    """Nothing is raised, whatever its shape."""
    assert all(piece.text == "" for piece in collected(("execute_result", content), ("stream", content)).all())


def test_html_does_nothing() -> None:
    """No script, handler, style, link, form, picture or frame; the text and the tables stay."""
    html = (
        "<script>bad()</script><style>b{}</style><table onclick='bad()' style='x'><tr><th colspan=2 onmouseover=bad()>A</th></tr></table>"
        "<a href='javascript:bad()'>link</a><img src='http://evil/x.png'><iframe src='//evil'></iframe><svg onload=bad()></svg>"
        "<form action='//evil'><input></form><b>bold</b>\x1b[31m\u202e"
    )
    cleaned = clean(html)

    assert '<th colspan="2">A</th>' in cleaned
    assert "<b>bold</b>" in cleaned
    assert not any(word in cleaned for word in ("bad", "evil", "href", "style", "svg", "\x1b", "\u202e"))
    assert clean("<b>x</b>" + " " * HTML_CHARACTERS) == ""


def test_pictures_are_small_pngs() -> None:
    """Others are left out: no base64, another format, a file or a picture that is too large, one that is cut."""
    huge = PNG[:16] + struct.pack(">II", 1 << 20, 1 << 20) + PNG[24:]
    for content in (b"GIF89a" + bytes(40), huge, PNG[:20], PNG + bytes(PNG_BYTES)):
        assert picture(base64.b64encode(content).decode()) == b""
    assert picture("!!!!") == b""
    assert picture("A" * (PNG_BYTES * 2)) == b""
    assert picture(base64.b64encode(PNG).decode()) == PNG


def _of_kind(messages: Messages, kind: Any) -> list[bytes]:
    """Return a signed message whose kind is no name."""
    message = messages._session.msg("x", {})
    message["header"]["msg_type"] = message["msg_type"] = kind
    return list(messages._session.serialize(message))


def test_only_signed_messages_are_read() -> None:
    """Others, and what is no message at all, are nothing."""
    ours, others = Messages("a" * 32), Messages("b" * 32)
    identity, parts = ours.execute("1 + 1")
    read = ours.read(parts)

    assert read is not None
    assert (read.kind, read.content["code"], len(identity) > 8) == ("execute_request", "1 + 1", True)
    assert ours.read(others.execute("1")[1]) is None
    assert ours.read([b"nothing"]) is None
    assert ours.read(parts) is None, "the same once more"
    assert ours.read([]) is None
    assert ours.read([*ours.write("x", {})[1][:-1], b"[]"]) is None
    assert ours.read([b"", *ours.write("x", {"content": 1})[1]]) is not None
    assert ours.read(_of_kind(ours, 3)) is None
    deep = b"[" * 100_000
    assert ours.read([*ours.write("x", {})[1][:2], deep, deep, deep, deep]) is None
