"""What left the sandboxes of a run stands in its journal and in its report."""

from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.policy import default_policy
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.report_pb2 import Connection


def calling(job: Job, report: ExecutionReport) -> None:
    """Speak to one host, and wish to speak to another."""
    report.connections.append(Connection(host="example.org", port=443, count=1, bytes=100))
    report.connections.append(
        Connection(host="example.com", port=443, count=1, refused="not on the list of the policy")
    )


@pytest.mark.slow
def test_whom_code_reached_is_on_the_page(tmp_path: Path) -> None:
    """Also what was executed after the search, such as the check that fits anew."""
    policy = default_policy()
    network = policy.network.model_copy(update={"access": "proxy", "allow": ("example.org",)})
    engine.go(tmp_path, engine.Tampered("scored.fit", calling), policy=policy.model_copy(update={"network": network}))

    with engine.journal(tmp_path) as journal:
        made, stage = journal.connections(), journal.stage("sandbox")
    assert [(c.host, c.count, c.size_bytes) for c in made] == [("example.org", 1, 100), ("example.com", 1, 0)]
    assert stage is not None
    assert stage["allowed_hosts"] == ["example.org"]
    page = (tmp_path / "run" / "deliverable" / "report.html").read_text(encoding="utf-8")
    assert "example.org:443" in page
    assert "example.com:443" in page
