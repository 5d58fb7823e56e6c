"""Packages that written code wishes for: what may be written there, and which names are allowed.

A wish is a name and perhaps versions. Addresses, paths, options, extras and conditions are refused: a wish is a line that a
stranger wrote and that an installer would read.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from open_autoglm.errors import InputError

ALLOWED_FILE = Path(__file__).with_name("packages.yaml")
MAX_WISHES = 50
_TWINS = {"xgboost-cpu": "xgboost", "xgboost": "xgboost-cpu"}
_WISH = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99} *(?:\(?(?!===)(?:==|~=|!=|<=|>=|<|>)[A-Za-z0-9.*+!,<>=~ -]{1,100}\)?)?"
)


class WishRefused(InputError):
    """A package that written code wishes for and cannot have. The message says why, and what is possible."""


@cache
def allowed_modules() -> Mapping[str, str]:
    """Return the packages that may be wished for anywhere, each with its module."""
    known: Mapping[str, str | None] = yaml.safe_load(ALLOWED_FILE.read_text(encoding="utf-8"))
    return {canonicalize_name(name): module or name.replace("-", "_") for name, module in known.items()}


def parse(wishes: Sequence[str]) -> list[Requirement]:
    """Read wishes; each name is made canonical.

    Raises:
        WishRefused: One of them is no plain name with versions, or there are more than `MAX_WISHES`.
    """
    if len(wishes) > MAX_WISHES:
        raise WishRefused(f"The code wishes for {len(wishes)} packages; it may for {MAX_WISHES}.")
    return [_parsed(wish) for wish in wishes]


def _parsed(wish: str) -> Requirement:
    requirement = _requirement(wish) if _WISH.fullmatch(wish.strip()) else None
    if requirement is None:
        raise WishRefused(
            f"{wish[:200]!r} is no package that code may wish for: write a name, and versions if they matter, such as 'polars>=1.0'. "
            "No addresses, paths, options or extras."
        )
    requirement.name = canonicalize_name(requirement.name)
    return requirement


def _requirement(wish: str) -> Requirement | None:
    try:
        return Requirement(wish)
    except InvalidRequirement:
        return None


def installed_version(name: str, installed: Mapping[str, str]) -> str | None:
    """Return the version of a package, or of one that brings the same modules under another name; None where there is neither."""
    return installed.get(name) or installed.get(_TWINS.get(name, name))


def not_installed(wishes: Iterable[Requirement], installed: Mapping[str, str]) -> list[Requirement]:
    """Return the wishes that what is installed does not fulfil.

    Raises:
        WishRefused: One is for another version of something installed: code that was loaded already cannot be replaced.
    """
    missing = []
    for wish in wishes:
        version = installed_version(wish.name, installed)
        if version is None:
            missing.append(wish)
        elif not wish.specifier.contains(version, prereleases=True):
            raise WishRefused(
                f"The code wishes for {wish}, and its sandbox holds {wish.name} {version}, which cannot be replaced. Use that version."
            )
    return missing


def require_allowed(wishes: Iterable[Requirement], more: Iterable[str]) -> None:
    """Refuse names that are on no list.

    Raises:
        WishRefused: The message holds the nearest allowed names, and how the user allows another.
    """
    allowed = {*allowed_modules(), *(canonicalize_name(name) for name in more)}
    for wish in wishes:
        if wish.name not in allowed:
            near = difflib.get_close_matches(wish.name, sorted(allowed), n=3, cutoff=0.6)
            hint = f" Nearest: {', '.join(near)}." if near else ""
            raise WishRefused(
                f"The code wishes for the package {wish.name!r}, which is not among those it may.{hint} Do without it; or, if you trust "
                f"that package, allow it: AUTOGLM_ALLOWED_PACKAGES='[\"{wish.name}\"]', or allowed_packages in your own settings file."
            )
