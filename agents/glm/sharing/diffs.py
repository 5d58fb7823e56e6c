"""What changed between two bundles, as a prompt shows it."""

import difflib
from collections.abc import Mapping

from open_autoglm.agents.glm.sharing.disclosure import Share
from open_autoglm.agents.glm.sharing.shared import Shared, fenced
from open_autoglm.agents.glm.sharing.source import source_for
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import ENTRY, CodeBundle

LONGEST_DIFF_LINES = 60
LONGEST_DIFF_LINE = 160
CONTEXT_LINES = 1


def diff_for(before: CodeBundle, after: CodeBundle, share: Share, brief: Brief) -> Shared:
    """Show what changed from one bundle to the next, as a short unified diff; long ones are cut."""
    old, new = _files(before, share, brief), _files(after, share, brief)
    lines: list[str] = []
    for name in sorted({*old, *new}, key=lambda name: (name != ENTRY, name)):
        was, is_now = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        changed = list(difflib.unified_diff(was, is_now, n=CONTEXT_LINES, lineterm=""))[2:]
        lines += [f"--- {name}", *(line[:LONGEST_DIFF_LINE] for line in changed)] if changed else []
    if len(lines) > LONGEST_DIFF_LINES:
        lines = [*lines[:LONGEST_DIFF_LINES], f"... {len(lines) - LONGEST_DIFF_LINES} more lines"]
    return fenced("diff", "\n".join(lines))


def _files(bundle: CodeBundle, share: Share, brief: Brief) -> Mapping[str, str]:
    return source_for(bundle, share, brief, paths=sorted(bundle.files)).files
