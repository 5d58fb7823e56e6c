"""The trust rule: whose code may run where."""

from typing import ClassVar

import pytest

from open_autoglm.errors import SandboxUnavailable, UnknownName
from open_autoglm.sandbox import choice
from open_autoglm.sandbox.base import Readiness, Session
from open_autoglm.sandbox.bundles.bundle import Author


class Fake:
    """A backend that is ready, or not."""

    def __init__(self, name: str, *, isolating: bool, ready: bool) -> None:
        self.name, self.isolating, self.ready = name, isolating, ready

    def probe(self) -> Readiness:
        return Readiness(
            backend=self.name, ready=self.ready, isolating=self.isolating, tier="t", reason=f"{self.name} says so."
        )

    def open(self, *, cpus: int = 2) -> Session:
        raise NotImplementedError


class Machine:
    """What is ready here."""

    plain: ClassVar = Fake("process", isolating=False, ready=True)

    @staticmethod
    def use(monkeypatch: pytest.MonkeyPatch, *, isolating_ready: bool) -> None:
        strong = Fake("bubblewrap", isolating=True, ready=isolating_ready)
        monkeypatch.setattr(choice, "backends", lambda *_: (strong, Machine.plain))


@pytest.mark.parametrize("author", list(Author))
def test_auto_takes_the_strongest(monkeypatch: pytest.MonkeyPatch, author: Author) -> None:
    """Whoever wrote the code."""
    Machine.use(monkeypatch, isolating_ready=True)

    assert choice.select_sandbox("auto", author=author).name == "bubblewrap"


def test_without_isolation_only_recipes_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says why nothing better is ready, and what to do."""
    Machine.use(monkeypatch, isolating_ready=False)

    assert choice.select_sandbox("auto", author=Author.RECIPES).name == "process"
    for author in (Author.MODEL, Author.USER):
        with pytest.raises(SandboxUnavailable, match=r"bubblewrap says so.*--sandbox process"):
            choice.select_sandbox("auto", author=author)
        assert choice.select_sandbox("process", author=author).name == "process"


def test_a_backend_asked_for_by_name_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not ready, or unknown: each has its own sentence."""
    Machine.use(monkeypatch, isolating_ready=False)

    with pytest.raises(SandboxUnavailable, match="'bubblewrap' is not ready: bubblewrap says so"):
        choice.select_sandbox("bubblewrap", author=Author.RECIPES)
    with pytest.raises(UnknownName, match="bubblewrap"):
        choice.select_sandbox("bublewrap", author=Author.RECIPES)


def test_every_backend_can_be_probed() -> None:
    """Without raising, the strongest first, each with a reason."""
    found = choice.probe_all()

    assert [readiness.backend for readiness in found] == ["docker", "bubblewrap", "jupyter", "landlock", "process"]
    assert all(readiness.reason for readiness in found)


def test_a_runtime_is_dockers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for it gets Docker or an error, never something else; nor does another sandbox take it quietly."""
    docker = Fake("docker", isolating=True, ready=False)
    monkeypatch.setattr(choice, "backends", lambda *_: (docker, Machine.plain))

    with pytest.raises(SandboxUnavailable, match="'docker' is not ready: docker says so"):
        choice.select_sandbox("auto", author=Author.RECIPES, runtime="runsc")
    with pytest.raises(SandboxUnavailable, match="'runsc' is Docker's"):
        choice.select_sandbox("process", author=Author.RECIPES, runtime="runsc")
    docker.ready = True
    assert choice.select_sandbox("auto", author=Author.RECIPES, runtime="runsc").name == "docker"
