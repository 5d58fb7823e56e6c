"""Packages that code wishes for: what may be written, and which names are allowed."""

import pytest

from open_autoglm.sandbox.packages.wishes import (
    MAX_WISHES,
    WishRefused,
    allowed_modules,
    not_installed,
    parse,
    require_allowed,
)


@pytest.mark.parametrize("wish", ["polars", " polars>=1.0,<2", "Polars ==1.2.*", "polars~=1.0", "polars (>=1)"])
def test_a_name_with_versions_is_a_wish(wish: str) -> None:
    """Its name is made canonical, so that it is found however it is spelled."""
    assert [requirement.name for requirement in parse([wish])] == ["polars"]


@pytest.mark.parametrize(
    "wish",
    [
        "", "--index-url=http://elsewhere", "-e .", "./polars", "/tmp/polars.whl", "polars.whl/../x y", "polars @ http://elsewhere/p.whl",
        "git+https://elsewhere/p", "polars[gpu]", "polars; python_version > '3'", "polars==1\n--pre", "polars --pre", "polars #x",
        "polars===1.0", "polars>=1 <2", "pölars", "polars\\", "-r other.txt", "polars==${HOME}",
    ],
)  # fmt: skip
def test_anything_else_is_none(wish: str) -> None:
    """Whatever an installer would take for an option, an address, a path or a condition."""
    with pytest.raises(WishRefused, match="write a name"):
        parse([wish])


def test_wishes_have_a_number() -> None:
    """Nobody needs more."""
    with pytest.raises(WishRefused, match=str(MAX_WISHES)):
        parse(["polars"] * (MAX_WISHES + 1))


def test_what_is_installed_is_not_missing() -> None:
    """In any version that fits, also one before its release; another one cannot be had."""
    installed = {"numpy": "2.4.6", "polars": "1.0rc1"}
    wishes = parse(["NumPy>=2", "polars>=1.0rc0", "shap"])

    assert [wish.name for wish in not_installed(wishes, installed)] == ["shap"]
    assert not not_installed(parse(["xgboost-cpu>=3"]), {"xgboost": "3.1.0"})  # the same modules
    with pytest.raises(WishRefused, match=r"numpy<2.*holds numpy 2\.4\.6"):
        not_installed(parse(["numpy<2"]), installed)


def test_only_names_on_a_list_are_allowed() -> None:
    """That of the package, or what the user adds; the nearest is named, and how to add one."""
    require_allowed(parse(["shap", "My.Own_package"]), ["my-own-package"])
    with pytest.raises(WishRefused, match=r"'shapp'.*Nearest: shap.*AUTOGLM_ALLOWED_PACKAGES"):
        require_allowed(parse(["shapp"]), [])
    with pytest.raises(WishRefused, match=r"among those it may\. Do without"):
        require_allowed(parse(["qqqqqqqqqqqq"]), [])


def test_every_allowed_package_has_a_module() -> None:
    """By its own name where none is written."""
    modules = allowed_modules()
    assert (modules["umap-learn"], modules["shap"], modules["feature-engine"]) == ("umap", "shap", "feature_engine")
    assert all(module.isidentifier() for module in modules.values())
