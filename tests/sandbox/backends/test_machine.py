"""What a kernel offers, from what it says of itself."""

from pathlib import Path

import pytest

from open_autoglm.sandbox.backends.elsewhere import elsewhere
from open_autoglm.sandbox.backends.machine import features


def machine(root: Path, **files: str) -> dict[str, str]:
    """Write these files (`__` for `/`) and read the machine."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return features(root, platform="linux")


def test_a_machine_that_says_nothing_offers_nothing(tmp_path: Path) -> None:
    """Landlock is asked for by a call, the rest is read."""
    found = machine(tmp_path)

    assert (found["user_namespaces"], found["seccomp"], found["cgroup"]) == (
        "none (user.max_user_namespaces)",
        "none",
        "none",
    )
    assert found["landlock"].isdigit() or found["landlock"] == "none"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("user__max_user_namespaces", "0", "none"),
        ("kernel__unprivileged_userns_clone", "0", "for root alone"),
        ("kernel__apparmor_restrict_unprivileged_userns", "1", "by AppArmor profile"),
        ("kernel__apparmor_restrict_unprivileged_userns", "0", "allowed"),
    ],
)
def test_what_forbids_namespaces_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    """By the setting that does it."""
    found = machine(tmp_path, **{"proc__sys__user__max_user_namespaces": "100", f"proc__sys__{name}": text})

    assert found["user_namespaces"].startswith(said)


def test_each_layout_of_control_groups_is_known(tmp_path: Path) -> None:
    """Version 2, version 1, both, and one without limits."""
    places = {
        "v2": ("cgroup.controllers",),
        "v1": ("memory/tasks",),
        "v1 and v2 (hybrid)": ("memory/tasks", "unified/cgroup.controllers"),
        "v2 without limits": ("unified/cgroup.controllers",),
    }
    for said, names in places.items():
        files = {f"sys__fs__cgroup__{name.replace('/', '__')}": "" for name in names}
        assert machine(tmp_path / said, **files)["cgroup"] == said


def test_questions_to_the_supervisor_are_a_feature_of_their_own(tmp_path: Path) -> None:
    """Without them, refused calls are in no report."""
    place = "proc__sys__kernel__seccomp__actions_avail"

    assert machine(tmp_path / "old", **{place: "kill_process errno allow\n"})["seccomp"].startswith("without")
    assert machine(tmp_path / "new", **{place: "errno user_notif allow\n"})["seccomp"].startswith("with questions")


@pytest.mark.parametrize("backend", ["docker", "bubblewrap", "landlock"])
def test_other_systems_are_told_what_to_do(backend: str) -> None:
    """Windows has WSL, macOS a virtual machine; Linux needs no advice."""
    assert elsewhere(backend, "linux") is None
    assert "WSL 2" in str(elsewhere(backend, "win32"))
    assert "virtual machine" in str(elsewhere(backend, "darwin"))
    assert "Linux machine" in str(elsewhere(backend, "freebsd14"))
    assert features(platform="darwin") == {"platform": "darwin"}
