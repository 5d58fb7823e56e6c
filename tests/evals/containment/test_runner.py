"""The runner sees what happens outside, tells each program its turn, and goes on after a failure."""

import json
import os
from pathlib import Path

from open_autoglm.errors import SandboxError, SandboxUnavailable
from open_autoglm.evals.containment.manifest import Program
from open_autoglm.evals.containment.runner import Outcome, run_programs
from open_autoglm.evals.containment.traps import VARIABLE
from open_autoglm.sandbox.backends.trial import NO_NETWORK
from open_autoglm.sandbox.base import Job, Profile, Readiness, Sandbox
from open_autoglm.sandbox.policy import Policy
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.report_pb2 import Isolation, Status, Stream
from open_autoglm.sandbox.scripted import Answer, ScriptedSandbox, ScriptedSession

BOMB = Program(name="fork_bomb", kind="hostile", row="1")


def report(said: str = "TRIED") -> ExecutionReport:
    where = Isolation(backend="scripted", tier="scripted")
    return ExecutionReport(status=Status.STATUS_OK, stdout=Stream(head=said), job_sha256="x", isolation=where)


class ScriptedWay:
    """Makes fakes that answer from one list, and takes down under which policies."""

    def __init__(self, answers: list[Answer], *, refused: str = "") -> None:
        self.sandbox, self.refused = ScriptedSandbox(answers), refused
        self.opened: list[tuple[str, ...]] = []

    def __call__(self, policy: Policy) -> Sandbox:
        self.opened.append(policy.network.allow)
        if policy.network.allow and self.refused:
            return _Refusing(self.refused)
        return self.sandbox


class _Refusing(ScriptedSandbox):
    def __init__(self, why: str) -> None:
        super().__init__([])
        self.why = why

    def probe(self) -> Readiness:
        return Readiness(backend="scripted", ready=False, isolating=True, tier="none", reason=f"No. {self.why}")

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> ScriptedSession:
        raise SandboxUnavailable(self.why)


def outcomes(*programs: Program, answers: list[Answer]) -> list[Outcome]:
    heard: list[Outcome] = []
    found = run_programs(ScriptedWay(answers), programs, listen=heard.append)
    assert heard == found
    return found


def test_a_contained_program_and_a_clean_machine_are_told() -> None:
    """The machine afterwards is the last line."""
    first, last = outcomes(BOMB, answers=[report()])

    assert (first.contained, first.status, first.problems) == (True, "ok", [])
    assert (last.program, last.contained) == ("nothing_is_left", True)


def test_a_secret_that_came_out_is_seen() -> None:
    """Whatever the program says of itself."""
    found = outcomes(BOMB, answers=[lambda _: report(f"TRIED {os.environ[VARIABLE]}")])

    assert found[0].problems == ["brought a secret of the host out"]


def test_artefacts_that_are_none_are_seen() -> None:
    """A link, and a program with the set-user bit."""

    def answer(job: Job) -> ExecutionReport:
        (job.collect / "link").symlink_to("a")
        (job.collect / "a").touch()
        (job.collect / "a").chmod(0o4755)
        return report()

    assert len(outcomes(BOMB, answers=[answer])[0].problems) == 2


def test_each_run_knows_its_turn() -> None:
    """And where the traps are."""
    turns = []

    def answer(job: Job) -> ExecutionReport:
        told = json.loads(Path(job.inputs["told.json"]).read_text())
        turns.append((told["turn"], "victim" in told["traps"]))
        return report()

    outcomes(BOMB.model_copy(update={"runs": 3}), answers=[answer] * 3)

    assert turns == [(0, True), (1, True), (2, True)]


def test_a_sandbox_that_fails_has_not_contained() -> None:
    """The programs after it run all the same."""
    found = outcomes(BOMB, BOMB.model_copy(update={"name": "daemon"}), answers=[SandboxError("lost"), report()])

    assert [(o.status, o.contained) for o in found[:2]] == [("raised", False), ("ok", True)]
    assert found[0].problems == ["the sandbox failed: lost"]


def test_what_this_machine_lacks_is_told() -> None:
    """Left out is neither contained nor not."""
    found = outcomes(BOMB.model_copy(update={"needs": ["no_such_module"]}), answers=[])

    assert (found[0].contained, found[0].problems) == (None, ["needs no_such_module"])


THROUGH = Program(name="way_out_taken_over", kind="hostile", row="71", network=["localhost:{door}"])


def test_programs_of_one_policy_share_a_session() -> None:
    """One under the default, one with the way out, in whatever order they come; the door's port is filled in."""
    way = ScriptedWay([report()] * 3)
    found = run_programs(way, [BOMB, THROUGH, BOMB.model_copy(update={"name": "daemon"})], listen=lambda _: None)
    (listed,) = {allow for allow in way.opened if allow}

    assert [outcome.contained for outcome in found] == [True] * 4
    assert listed[0].removeprefix("localhost:").isdecimal()
    assert len(way.sandbox.sessions) == 2
    assert all(session.closed for session in way.sandbox.sessions)


def test_where_a_policy_is_refused_its_programs_are_left_out() -> None:
    """With the sandbox's reason; all others run."""
    found = run_programs(ScriptedWay([report()], refused=NO_NETWORK), [THROUGH, BOMB], listen=lambda _: None)

    assert [outcome.contained for outcome in found] == [None, True, True]
    assert found[0].problems == [f"its policy is refused, as it must be: {NO_NETWORK}"]


def test_a_policy_that_is_refused_for_another_reason_is_a_fault() -> None:
    """What is broken must not look like what is not promised."""
    found = run_programs(ScriptedWay([report()], refused="It broke."), [THROUGH, BOMB], listen=lambda _: None)

    assert [(outcome.status, outcome.contained) for outcome in found] == [("raised", False), ("ok", True), ("ok", True)]
    assert found[0].problems == ["the sandbox failed: It broke."]
