"""Looking at runs, finished, unfinished and damaged, and deleting them."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from open_autoglm.agents.attempts import AttemptStatus, Execution
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.strategist import Operator
from open_autoglm.cli import main
from open_autoglm.columns import aligned, width
from open_autoglm.errors import RunDirectoryError
from open_autoglm.events import Json
from open_autoglm.front import Front
from open_autoglm.runs import list_runs, remove_run
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.report_pb2 import Connection
from open_autoglm.scripted_engine import RUN_ID, example_outcome, write_run
from open_autoglm.show import look_at, view_as_record, view_as_text, why_nothing_worked
from open_autoglm.terminal import Terminal
from open_autoglm.tools.export.words import size_text


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a folder for runs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "autoglm-runs"
    folder.mkdir()
    return folder


def with_journal(run_dir: Path, scores: list[float | None]) -> Path:
    """Write a journal with an attempt per score, None for a failed one."""
    journal = Journal(run_dir / "journal.sqlite")
    for slot, score in enumerate(scores):
        attempt = journal.reserve(worker=0, operator=Operator.DRAFT, slot=slot, parents=[], seed=slot)
        status = AttemptStatus.FAILED if score is None else AttemptStatus.SCORED
        changed = replace(
            attempt, status=status, mean=score, standard_error=0.01, title=f"模型 {slot}", detail={"fit_seconds": 1.5},
            failure="ValueError: no\nmore" if score is None else "",
        )  # fmt: skip
        journal.update(changed)
    journal.close()
    return run_dir


def run_cli(*tokens: str, typed: str | None = None) -> tuple[int, str, str]:
    """Run a command; `typed` is what a person at a terminal answers."""
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out, err, io.StringIO())
    if typed is not None:
        terminal = Terminal(out, Screen(), Screen())
    answer = typed or ""
    status = main(tokens, front=Front(terminal=terminal, reader=lambda: lambda prompt, completions: answer))
    return status, out.getvalue(), err.getvalue()


class Screen(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_code_tried_and_may_not_is_told(root: Path) -> None:
    """The serious by name and attempt, the rest as a number; where nothing was tried, nothing is said."""
    run_dir = root / RUN_ID
    write_run(run_dir, example_outcome(run_dir))
    with_journal(run_dir, [0.9, 0.8])
    assert "tried and may not" not in view_as_text(look_at(run_dir))
    journal = Journal(run_dir / "journal.sqlite")
    name = look_at(run_dir).attempts[0].attempt
    report = ExecutionReport()
    report.violations.add(
        kind="system_call", subject="ptrace", detail="reading another process", severity="high", count=3
    )
    report.violations.add(kind="system_call", subject="open /x", detail="read-only", severity="low", count=1200)
    journal.seal.sign(report)
    journal.record(Execution(attempt=name, phase="fold.fit", fold=0, report=report, ok=True))
    journal.close()

    view = look_at(run_dir)

    text = view_as_text(view)
    assert f"What code tried and may not (seen from outside, and stopped):\n  {name}: ptrace (3 ×)\n" in text
    assert "And 1,200 of low severity" in text
    record = view_as_record(view)["leaderboard"]
    assert isinstance(record, list)
    assert record[0]["violations"] == [{"what": "ptrace", "why": "reading another process", "count": 3}]
    assert (record[0]["low_violations"], record[1]["violations"]) == (1200, [])


def with_connections(run_dir: Path, *made: Connection, hosts: list[Json]) -> Path:
    """Write a journal in which one execution spoke to these hosts, under a policy that lists some."""
    journal = Journal(with_journal(run_dir, [0.9]) / "journal.sqlite")
    journal.record_stage("sandbox", {"warnings": [], "allowed_hosts": hosts})
    report = ExecutionReport(connections=made)
    journal.seal.sign(report)
    journal.record(Execution(attempt="a0001", phase="fold.fit", fold=0, report=report, ok=True))
    journal.close()
    return run_dir


def test_whom_code_reached_is_told(root: Path) -> None:
    """Let out and refused, in text and as JSON; a name can move no cursor and begin no line."""
    write_run(root / RUN_ID, example_outcome(root / RUN_ID))
    made = (
        Connection(host="evil\x1b[2J\nhost\u202e", port=443, refused="not on the list of the policy", count=2),
        Connection(host="example.org", port=443, count=1234, bytes=5_600_000),
    )
    view = look_at(with_connections(root / RUN_ID, *made, hosts=["example.org"]))

    assert (
        "Connections by the way that the policy opens (seen from outside):\n"
        "  a0001  example.org:443        1,234 ×  6 MB  let out\n"
        "  a0001  evil [2J host :443      2 ×        refused: not on the list of the policy"
    ).replace(" ", "") in view_as_text(view).replace(" ", "")
    record = view_as_record(view)
    assert record["allowed_hosts"] == ["example.org"]
    assert record["connections"] == [
        {"attempt": "a0001", "host": c.host, "port": 443, "refused": c.refused, "count": c.count, "size_bytes": c.bytes}
        for c in reversed(made)
    ]


def test_a_way_out_that_nobody_used_is_one_line(root: Path) -> None:
    """And where the policy opens none, nothing is said of it; of many connections, the first are shown."""
    for name in ("used", "unused", "none"):
        write_run(root / name, example_outcome(root / name))
    many = [Connection(host=f"h{n}.example", port=443, refused="no", count=1) for n in range(20)]
    used = view_as_text(look_at(with_connections(root / "used", *many, hosts=["example.org"])))
    unused = view_as_text(look_at(with_connections(root / "unused", hosts=["example.org"])))
    none = look_at(with_journal(root / "none", [0.9]))

    assert "and 5 more (--json shows all)" in used
    assert "The policy lets code reach example.org. No code did." in unused
    assert (none.allowed_hosts, none.connections) == ((), ())
    assert "policy" not in view_as_text(none)


def test_a_finished_run_shows_its_leaderboard(root: Path) -> None:
    """Best first, failures last, with what the journal really writes."""
    write_run(root / "one", example_outcome(root / "one"))
    view = look_at(with_journal(root / "one", [0.7, None, 0.9]))
    assert [row.mean for row in view.attempts] == [0.9, 0.7, None]
    assert [row.status for row in view.attempts] == ["scored", "scored", "failed"]
    text = view_as_text(view)
    for words in ("3 attempts, 2 with a complete score", "0.9000 ± 0.0100", "模型 2", "1.5 s", "ValueError: no"):
        assert words in text


def test_what_was_run_again_is_no_attempt_of_its_own(root: Path) -> None:
    """It is listed, and not counted: the summary above counts as many as the leaderboard."""
    write_run(root / "one")
    journal = Journal(with_journal(root / "one", [0.7, 0.9]) / "journal.sqlite")
    again = journal.reserve(worker=0, operator=Operator.RERUN, slot=0, parents=["a0002"], seed=9)
    journal.update(replace(again, status=AttemptStatus.SCORED, mean=0.8, standard_error=0.01))
    journal.close()

    view = look_at(root / "one")

    assert "Leaderboard: 2 attempts, 2 with a complete score" in view_as_text(view)
    assert view_as_record(view)["attempts"] == 2
    assert len(view.attempts) == 3


def test_what_most_attempts_failed_of_is_told(root: Path) -> None:
    """One sentence for the user who got no model, and none where nothing failed."""
    run_dir = root / "one"
    write_run(run_dir)
    failed = look_at(with_journal(run_dir, [None, None, 0.9]))
    assert why_nothing_worked(failed) == "2 of 3 attempts failed with: ValueError: no"
    other = root / "two"
    write_run(other)
    assert why_nothing_worked(look_at(with_journal(other, [0.9]))) == ""


def test_an_unfinished_run_says_how_to_go_on(root: Path) -> None:
    """Without an outcome there is still the task, the leaderboard and the command to resume."""
    write_run(root / "one")
    status, out, _ = run_cli("show", "one")
    assert status == 0
    assert "is unfinished" in out
    assert "autoglm resume autoglm-runs/one" in out
    assert "No attempts yet." in out
    with_journal(root / "one", [0.7, 0.9])
    assert [row.mean for row in look_at(root / "one").attempts] == [0.9, 0.7]


def test_show_json_has_the_keys_of_run_and_more(root: Path) -> None:
    """One object: that of `run --json`, with leaderboard and problems."""
    write_run(root / "one", example_outcome(root / "one"))
    with_journal(root / "one", [0.7])
    _, out, _ = run_cli("show", "one", "--json")
    record = json.loads(out)
    assert record["score"]["holdout"] == 0.87
    assert record["leaderboard"][0]["mean"] == 0.7
    assert record["problems"] == []
    (root / "one" / "result.json").unlink()
    unfinished = view_as_record(look_at(root / "one"))
    assert set(unfinished) == set(record)
    assert unfinished["status"] == "unfinished"


@pytest.mark.parametrize("name", ["result.json", "task.json", "journal.sqlite"])
def test_a_damaged_file_is_named_and_the_rest_is_shown(root: Path, name: str) -> None:
    """One clear line for each damaged file; exit code 2 where the run cannot be judged."""
    write_run(root / "one")
    with_journal(root / "one", [0.7])
    (root / "one" / name).write_bytes(b"\x00garbage" * 200)
    status, out, err = run_cli("show", "one")
    assert status == 2
    assert f"{name} cannot be read" in out
    assert err == ""


def test_a_moved_run_finds_its_deliverable(root: Path) -> None:
    """Paths in the outcome follow the directory."""
    write_run(root / "one", example_outcome(Path("/elsewhere/one")))
    outcome = look_at(root / "one").outcome
    assert outcome is not None
    assert outcome.deliverable == root / "one" / "deliverable"
    (root / "one" / "deliverable").rmdir()
    assert "deliverable is gone" in view_as_text(look_at(root / "one"))


@pytest.mark.parametrize("header", ["", "{}", "[]", '{"run_id": 3}'])
def test_a_damaged_header_is_one_line(root: Path, header: str) -> None:
    """It is listed as damaged, and cannot be shown."""
    write_run(root / "one")
    (root / "one" / "run.json").write_text(header)
    assert [row.status for row in list_runs(root)] == ["damaged"]
    with pytest.raises(RunDirectoryError, match=r"run\.json is damaged"):
        look_at(root / "one")


def test_runs_are_listed_latest_first(root: Path) -> None:
    """Id, status, target, metric, score, start and size; other folders are passed by."""
    write_run(root / "one", example_outcome(root / "one"))
    write_run(root / "two")
    (root / "two" / "run.json").write_text(json.dumps({"run_id": "20270101-000000-ffffff"}))
    (root / "notes").mkdir()
    status, out, _ = run_cli("runs")
    assert status == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["RUN", "autoglm-runs/two", "autoglm-runs/one"]
    assert "0.8700" in lines[2]
    assert "2026-01-02 03:04" in lines[2]
    _, out, _ = run_cli("runs", "--json", "--root", str(root))
    assert [row["status"] for row in json.loads(out)] == ["unfinished", "delivered"]


def test_no_runs_is_no_error(root: Path) -> None:
    """Neither an empty folder nor a missing one."""
    assert run_cli("runs") == (0, "No runs in autoglm-runs.\n", "")
    assert run_cli("runs", "--json", "--root", "nowhere") == (0, "[]\n", "")


def test_a_run_is_deleted_after_asking(root: Path) -> None:
    """Yes deletes, anything else does not, nobody there needs `--yes`."""
    write_run(root / "one")
    assert run_cli("runs", "rm", "one")[0] == 77
    assert run_cli("runs", "rm", "one", typed="n")[0] == 130
    assert (root / "one").exists()
    assert run_cli("runs", "rm", "one", typed="y")[0] == 0
    assert not (root / "one").exists()
    write_run(root / "one")
    assert run_cli("runs", "rm", "autoglm-runs/one", "--yes")[0] == 0
    assert not (root / "one").exists()


def test_only_run_directories_are_deleted(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not another folder, not through a link, not the one we stand in, and not what a link in it points to."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("words")
    write_run(root / "one")
    (root / "link").symlink_to(root / "one")
    (root / "one" / "data").symlink_to(tmp_path / "precious")
    for folder in (tmp_path / "precious", root / "link", root, tmp_path / "nowhere"):
        with pytest.raises(RunDirectoryError):
            remove_run(folder)
    monkeypatch.chdir(root / "one")
    with pytest.raises(RunDirectoryError, match="working directory"):
        remove_run(root / "one")
    monkeypatch.chdir(tmp_path)
    remove_run(root / "one")
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "words"


def test_the_example_id_tells_its_time(root: Path) -> None:
    """Run ids begin with the time; a strange id falls back to the file's."""
    write_run(root / "one")
    started = look_at(root / "one").started
    assert started is not None
    assert started.isoformat() == "2026-01-02T03:04:05+00:00"
    assert RUN_ID.startswith("20260102-030405")
    (root / "one" / "run.json").write_text(json.dumps({"run_id": "mine"}))
    assert look_at(root / "one").started is not None


def test_columns_align_east_asian_text() -> None:
    """Wide characters take two cells."""
    assert width("模型 é") == 6
    assert [width(line) for line in aligned([("模型", "x"), ("abc", "x")])] == [7, 7]
    assert aligned([]) == []


def test_sizes_are_for_people() -> None:
    """Powers of a thousand."""
    assert [size_text(size) for size in (0, 1500, 2_000_000, 3e9, 4e12)] == ["0 B", "2 kB", "2 MB", "3 GB", "4.0 TB"]
