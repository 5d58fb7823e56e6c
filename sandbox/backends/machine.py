"""What this machine's kernel offers for isolation, nearly all of it read and not tried: for `autoglm doctor` and the details of each backend.

Whether a backend works is found by running a job in it; this says why it may not.
"""

import sys
from pathlib import Path

from open_autoglm.sandbox.inside import confine
from open_autoglm.sandbox.supervision import cgroup


def features(root: Path = Path("/"), platform: str = sys.platform) -> dict[str, str]:
    """Return what the kernel says of user namespaces, Landlock, the filter of system calls and control groups, in words."""
    if platform != "linux":
        return {"platform": platform}
    return {
        "user_namespaces": _user_namespaces(root / "proc/sys"),
        "landlock": str(confine.version() or "none"),
        "seccomp": _seccomp(root / "proc/sys/kernel/seccomp/actions_avail"),
        "cgroup": _cgroup(root / "sys/fs/cgroup"),
    }


def limits_kept() -> str:
    """Return, in words, what keeps executions within their limits where no engine does; tries it."""
    return "control groups" if cgroup.is_possible() else "rlimits, and watched from outside"


def _user_namespaces(settings: Path) -> str:
    if _text(settings / "user/max_user_namespaces") in ("0", ""):
        return "none (user.max_user_namespaces)"
    if _text(settings / "kernel/unprivileged_userns_clone") == "0":
        return "for root alone (kernel.unprivileged_userns_clone)"
    if _text(settings / "kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "by AppArmor profile alone (kernel.apparmor_restrict_unprivileged_userns)"
    return "allowed"


def _seccomp(actions: Path) -> str:
    known = _text(actions).split()
    if not known:
        return "none"
    return "with questions to the supervisor" if "user_notif" in known else "without questions to the supervisor"


def _cgroup(folder: Path) -> str:
    """Return the version of control groups: 2, 1, or both side by side."""
    if (folder / "cgroup.controllers").exists():
        return "v2"
    unified, old = (folder / "unified/cgroup.controllers").exists(), (folder / "memory").is_dir()
    return {(True, True): "v1 and v2 (hybrid)", (True, False): "v2 without limits", (False, True): "v1"}.get(
        (unified, old), "none"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
