"""Settings: where they come from, who wins, and what a file may not say."""

import json
from pathlib import Path

import pytest

from open_autoglm.agents.glm.prices import Prices
from open_autoglm.errors import InputError, SettingsError
from open_autoglm.merge import Given, merge_options, read_options
from open_autoglm.settings import KEYS, load_settings, settings_schema

SCHEMA = Path(__file__).parents[1] / "docs" / "settings.schema.json"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own, and a user without settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for key in KEYS:
        monkeypatch.delenv(f"AUTOGLM_{key.upper()}", raising=False)
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / "home" / "autoglm").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def user_says(project: Path, text: str) -> None:
    (project.parents[1] / "home" / "autoglm" / "config.toml").write_text(text, encoding="utf-8")


def project_says(project: Path, text: str) -> None:
    (project.parent / "autoglm.toml").write_text(text, encoding="utf-8")


def test_defaults_come_from_nowhere() -> None:
    """Without files and variables every value is a default."""
    settings = load_settings()
    assert set(settings.origins.values()) == {"default"}
    assert settings.given("workers") is None


def test_environment_beats_project_beats_user(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each layer wins over the one below, and the origin says which it was."""
    user_says(project, "time = '1m'\nseed = 1\nworkers = 2\n")
    project_says(project, "time = '2m'\nseed = 2\n")
    monkeypatch.setenv("AUTOGLM_TIME", "3m")
    settings = load_settings()
    assert (settings.values.time, settings.values.seed, settings.values.workers) == (180.0, 2, 2)
    assert settings.origins["time"] == "environment (AUTOGLM_TIME)"
    assert settings.origins["seed"].endswith("autoglm.toml")
    assert settings.origins["workers"].endswith("config.toml")


def test_packages_are_allowed_by_the_user_and_kept_in_the_cache(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their own file or the environment; both go along with the run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    user_says(project, "allowed_packages = ['one']\n")
    assert merge_options("p", [Path("t.csv")], Given(), load_settings()).allowed_packages == ["one"]

    monkeypatch.setenv("AUTOGLM_ALLOWED_PACKAGES", '["two"]')
    options = merge_options("p", [Path("t.csv")], Given(), load_settings())
    assert (options.allowed_packages, options.cache) == (["two"], project / "cache" / "autoglm")


def test_pyproject_is_a_project_file(project: Path) -> None:
    """`[tool.autoglm]` counts, found upwards; a pyproject without it is passed by."""
    (project / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    (project.parent / "pyproject.toml").write_text("[tool.autoglm]\nattempts = 7\n")
    assert load_settings().values.attempts == 7


def test_root_is_relative_to_the_file_that_names_it(project: Path) -> None:
    """A project's runs lie in one place, wherever in the project the command is started."""
    project_says(project, "root = 'experiments'\n")
    assert load_settings().values.root == project.parent / "experiments"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tiem = '1m'", ["autoglm.toml", "'tiem'", "'time'"]),
        ("time = 'soon'", ["autoglm.toml", "time", "soon"]),
        ("workers = 0", ["autoglm.toml", "workers", "1 or more"]),
        ("holdout = 'half'", ["autoglm.toml", "holdout", "fraction"]),
        ("time = ", ["autoglm.toml", "not valid TOML"]),
        ("sandbox = 'process'", ["autoglm.toml", "sandbox", "may not loosen"]),
        ("sandbox = 'paper'", ["autoglm.toml", "sandbox", "paper"]),
        ("share = 'rows'", ["autoglm.toml", "share", "may not share more"]),
        ("runtime = 'runc'", ["autoglm.toml", "runtime", "AUTOGLM_RUNTIME"]),
        ("policy = 'mine.yaml'", ["autoglm.toml", "policy", "--policy"]),
        ("allowed_packages = ['evil']", ["autoglm.toml", "allowed_packages", "what is fetched"]),
        ("base_url = 'http://elsewhere'", ["autoglm.toml", "base_url", "where prompts are sent"]),
        ("api_key = 'sk-1'", ["autoglm.toml", "api_key", "AUTOGLM_API_KEY"]),
        ("prices = { prompt = 0, output = 0 }", ["autoglm.toml", "prices", "cap on money"]),
    ],
)
def test_a_bad_project_file_is_named_with_its_key(project: Path, text: str, words: list[str]) -> None:
    """The error says which file, which key, and why."""
    project_says(project, text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_project_may_not_loosen_what_the_user_chose(project: Path) -> None:
    """The user's own file is the limit for sandbox and sharing, not the default."""
    user_says(project, "sandbox = 'docker'\nshare = 'schema'\n")
    project_says(project, "sandbox = 'bubblewrap'\n")
    with pytest.raises(SettingsError, match="sandbox"):
        load_settings()
    project_says(project, "share = 'summary'\n")
    with pytest.raises(SettingsError, match="share"):
        load_settings()


def test_lessons_are_kept_where_the_user_keeps_data_or_not_at_all(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the data folder of the user; a project may switch them off, and not on where the user switched them off."""
    monkeypatch.setenv("XDG_DATA_HOME", str(project / "share"))

    def lessons() -> Path | None:
        return merge_options("p", [Path("t.csv")], Given(), load_settings()).lessons

    assert lessons() == project / "share" / "autoglm" / "lessons.sqlite"
    project_says(project, "memory = false\n")
    assert lessons() is None
    project_says(project, "memory = true\n")
    user_says(project, "memory = false\n")
    with pytest.raises(SettingsError, match="may not keep what you do not wish"):
        lessons()


def test_a_project_may_share_less(project: Path) -> None:
    """Tightening is welcome."""
    project_says(project, "share = 'schema'\n")
    assert load_settings().values.share == "schema"


def test_the_user_may_do_what_a_project_may_not(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are for files that come with a project."""
    user_says(project, "sandbox = 'process'\nshare = 'rows'\n")
    monkeypatch.setenv("AUTOGLM_BASE_URL", "http://127.0.0.1:8000/v1")
    values = load_settings().values
    assert (values.sandbox, values.share, str(values.base_url)) == ("process", "rows", "http://127.0.0.1:8000/v1")


def test_unknown_variables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelled variable does not go unnoticed."""
    monkeypatch.setenv("AUTOGLM_WORKER", "2")
    with pytest.raises(SettingsError, match=r"AUTOGLM_WORKER.*'AUTOGLM_WORKERS'"):
        load_settings()


def test_bad_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is in the message."""
    monkeypatch.setenv("AUTOGLM_SEED", "many")
    with pytest.raises(SettingsError, match=r"AUTOGLM_SEED.*many"):
        load_settings()


def test_options_beat_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options win; where they are silent, settings hold."""
    monkeypatch.setenv("AUTOGLM_SEED", "5")
    monkeypatch.setenv("AUTOGLM_HOLDOUT", "none")
    options = merge_options("Predict y", [Path("t.csv")], Given(seed=6), load_settings())
    assert (options.seed, options.holdout) == (6, "none")


def test_the_budget_of_settings_stays_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What options said and what settings said travel apart, for the sentence stands between them."""
    monkeypatch.setenv("AUTOGLM_TIME", "5m")
    options = merge_options("Predict y", [Path("t.csv")], Given(attempts=3), load_settings())
    assert (options.budget.seconds, options.budget.attempts) == (None, 3)
    assert options.defaults.seconds == 300.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Given(time="0"), "0"),
        (Given(time="soon"), "not a duration"),
        (Given(attempts=0), "--attempts"),
        (Given(holdout="half"), "--holdout"),
        (Given(holdout="1.5"), "--holdout"),
        (Given(workers=0), "--workers"),
        (Given(max_cost=-1.0), "--max-cost"),
        (Given(read=["sep"]), "--read"),
    ],
)
def test_an_option_that_cannot_be_is_named(given: Given, words: str) -> None:
    """The message names the option."""
    with pytest.raises(InputError, match=words):
        merge_options("Predict y", [Path("t.csv")], given, load_settings())


def test_read_options_are_json_or_text() -> None:
    r"""Numbers, booleans and null mean themselves, `\t` is a tab, the rest is text."""
    given = ["sep=\\t", "header=0", "index=false", "na=null", "encoding=latin-1", "thousands=,", "sep2=="]
    assert read_options(given) == {
        "sep": "\t", "header": 0, "index": False, "na": None, "encoding": "latin-1", "thousands": ",", "sep2": "="
    }  # fmt: skip


@pytest.mark.checkout
def test_the_published_schema_is_current() -> None:
    """docs/settings.schema.json is what the code accepts; write it anew when settings change on purpose."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == settings_schema()


def test_the_key_is_shown_nowhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in what is printed of the settings, nor in an error about them."""
    monkeypatch.setenv("AUTOGLM_API_KEY", "sk-secret")
    loaded = load_settings()
    assert loaded.values.api_key is not None
    assert loaded.values.api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in f"{loaded!r} {loaded.values.model_dump_json()}"
    monkeypatch.delenv("AUTOGLM_API_KEY")
    user_says(project, "api_key = ['sk-secret']\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "sk-secret" not in str(caught.value)


def test_prices_are_a_table_or_json(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file as a table; in the environment, where everything is text, as JSON."""
    user_says(project, "model = 'glm'\n[prices]\nprompt = 0.6\noutput = 2.2\n")
    values = load_settings().values
    assert (values.model, values.prices) == ("glm", Prices(prompt=0.6, output=2.2))
    monkeypatch.setenv("AUTOGLM_PRICES", '{"prompt": 1, "cached": 0.1, "output": 3}')
    assert load_settings().values.prices == Prices(prompt=1, cached=0.1, output=3)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("ALLOWED_PACKAGES", "numba", "JSON"),
        ("PRICES", "cheap", "table"),
        ("PRICES", '{"prompt": -1, "output": 2}', "0.0 or more"),
    ],
)
def test_a_variable_that_holds_more_than_one_thing_is_json(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, told: str
) -> None:
    """Anything else is named with what to write, not with a trace."""
    monkeypatch.setenv(f"AUTOGLM_{key}", value)
    with pytest.raises(SettingsError, match=rf"AUTOGLM_{key}.*{told}"):
        load_settings()
