"""Who writes the code of a run: what is named, what answers, and what the sandbox can be trusted with."""

from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.wire import LanguageModel
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.writers import writers_of
from open_autoglm.errors import EndpointFailed, SandboxUnavailable, SettingsError
from open_autoglm.sandbox.base import Readiness

URL = "http://127.0.0.1:9/v1"
SEALED = Readiness(backend="bubblewrap", ready=True, isolating=True, tier="namespaces", reason="")
OPEN = Readiness(backend="process", ready=True, isolating=False, tier="none", reason="")


def answers(base_url: str, model: str | None) -> LanguageModel:
    return ScriptedGLM([], name=model or "served")


def silent(base_url: str, model: str | None) -> LanguageModel:
    raise EndpointFailed("http://127.0.0.1:9/v1 did not answer.")


def never(base_url: str, model: str | None) -> LanguageModel:
    raise AssertionError("nobody is to be asked")


def options(**more: object) -> RunOptions:
    return RunOptions.model_validate({"prompt": "Predict y.", "data": ["t.csv"], **more})


@pytest.mark.parametrize("given", [{}, {"strategist": "recipes", "base_url": URL}])
def test_without_an_endpoint_nobody_is_asked(given: dict[str, object]) -> None:
    """Recipes write where no model is named, or where they are asked for."""
    assert writers_of(options(**given), SEALED, never).model is None


@pytest.mark.parametrize("strategist", ["auto", "glm"])
def test_a_named_model_that_answers_writes(strategist: str) -> None:
    """Auto takes it, too; its name is the one that was asked for."""
    found = writers_of(options(strategist=strategist, base_url=URL, model="glm-x"), SEALED, answers)
    assert found.model is not None
    assert (found.model.name, found.notes) == ("glm-x", ())


def test_glm_needs_an_endpoint() -> None:
    """Asked for by name, it is missed early, with how to get one."""
    with pytest.raises(SettingsError, match="--base-url"):
        writers_of(options(strategist="glm"), SEALED, never)


def test_an_endpoint_that_is_silent_is_an_error_or_a_note() -> None:
    """Asked for by name it fails early; auto goes on with recipes and says why."""
    with pytest.raises(EndpointFailed):
        writers_of(options(strategist="glm", base_url=URL), SEALED, silent)
    found = writers_of(options(base_url=URL), SEALED, silent)
    assert found.model is None
    assert "did not answer" in found.notes[0]


def test_a_model_needs_walls() -> None:
    """Where nothing isolates it is not even asked, unless somebody names the sandbox that does not."""
    with pytest.raises(SandboxUnavailable, match="--sandbox process"):
        writers_of(options(strategist="glm", base_url=URL), OPEN, never)
    found = writers_of(options(base_url=URL), OPEN, never)
    assert found.model is None
    assert "does not isolate" in found.notes[0]
    assert writers_of(options(base_url=URL, sandbox="process"), OPEN, answers).model is not None


def test_nothing_is_begun_for_a_model_that_is_not_there(tmp_path: Path) -> None:
    """A run that fails early leaves no directory."""
    with pytest.raises(EndpointFailed):
        engine.start_run(
            engine.options(tmp_path, strategist="glm", base_url=URL), sandbox=engine.sandbox(), connect=silent
        )
    assert not (tmp_path / "run").exists()
