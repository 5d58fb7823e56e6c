"""Parts of the supervisor that hostile code and odd machines reach only by chance: streams, claims, groups, leftovers."""

import json
import os
import random
import string
from pathlib import Path

import pytest

from open_autoglm.sandbox.cgroup import Cgroup
from open_autoglm.sandbox.claims import ClaimReader
from open_autoglm.sandbox.exchange import sweep
from open_autoglm.sandbox.streams import BoundedStream, sanitise


def test_a_stream_keeps_its_two_ends() -> None:
    """And counts and hashes everything in between; short output is whole in `head`."""
    short, long = BoundedStream(), BoundedStream()
    short.add(b"x" * 30_000)
    for number in range(20_000):
        long.add(b"%6d\n" % number)

    assert (len(short.as_message().head), short.as_message().tail) == (30_000, "")
    message = long.as_message()
    assert message.total_bytes == 140_000
    assert message.head.startswith("     0\n     1\n")
    assert message.tail.endswith(" 19998\n 19999\n")
    assert len(message.head) + len(message.tail) == 32 << 10


def test_sanitised_text_holds_nothing_that_moves_a_cursor() -> None:
    """Whatever the input; ordinary text in any script stays as it is."""
    draw = random.Random(0)
    letters = string.ascii_letters + "\x1b\x9b\x07\r\n\t[]();0123456789\u202e\u200b\x00\x7f\x90\\"
    for _ in range(2_000):
        text = sanitise("".join(draw.choices(letters, k=40)))
        assert not set(text) & set("\x1b\x9b\x07\r\u202e\u200b\x00\x7f\x90")
    assert sanitise("naïve 预测 नमस्ते\u200d 👍\n\tx") == "naïve 预测 नमस्ते\u200d 👍\n\tx"


def test_claims_of_any_shape_are_survived() -> None:
    """Wrong types are left out, texts are cut, numbers that are none are dropped."""
    reader = ClaimReader()
    lines: list[object] = [
        1, None, [], {"progress": 3}, {"progress": [1, True, 2]}, {"progress": [1, 1e999, 2]}, {"seconds": {"read": 1, "x": "y"}},
        {"exception": {"type": "T" * 999, "message": 5, "frames": [{"file": "a\x1b", "line": -1}, 4, {"line": 1 << 40}]}},
    ]  # fmt: skip
    reader.add("\n".join(map(json.dumps, lines)).encode() + b"\n" + b"[" * 100_000)
    reader.read()

    assert reader.progress == []
    assert reader.seconds == {"read": 1.0}
    assert reader.exception is not None
    assert (len(reader.exception.type), reader.exception.message) == (200, "")
    assert [(f.file, f.line) for f in reader.exception.frames] == [("a�", 0), ("", 0)]


def fake_hierarchy(root: Path, version: int) -> Path:
    root.mkdir()
    if version == 2:
        (root / "cgroup.controllers").write_text("memory pids")
    for folder in ("memory", "pids") if version == 1 else ():
        (root / folder).mkdir()
    return root


@pytest.mark.parametrize("version", [1, 2])
def test_groups_are_made_limited_and_removed(tmp_path: Path, version: int) -> None:
    """In the layout of either version; files of a plain folder stand in for the kernel's."""
    group = Cgroup.make(root=fake_hierarchy(tmp_path / "cg", version))
    assert group is not None
    group.limit(memory_bytes=1000, processes=7)
    group.add(4321)
    memory = group.folders["memory"]

    assert (memory / ("memory.max" if version == 2 else "memory.limit_in_bytes")).read_text() == "1000"
    assert (group.folders["pids"] / "pids.max").read_text() == "7"
    assert group.members() == [4321]
    (memory / ("memory.events" if version == 2 else "memory.oom_control")).write_text("low 0\noom_kill 2\n")
    assert (group.counters().oom_kills, group.counters().process_limit_hits) == (2, 0)


def test_without_the_right_there_is_no_group(tmp_path: Path) -> None:
    """The supervisor then watches from outside."""
    assert Cgroup.make(root=tmp_path / "nothing") is None


def test_what_a_killed_host_left_is_swept(tmp_path: Path) -> None:
    """Folders of living processes, and of other names, stay."""
    for name in (f"s-{os.getpid()}-a", "s-999999999-b", "other-999999999-c", "s-x-d"):
        (tmp_path / name / "job").mkdir(parents=True)

    sweep(tmp_path, "s-")

    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([f"s-{os.getpid()}-a", "other-999999999-c", "s-x-d"])
