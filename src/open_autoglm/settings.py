"""Settings: what holds for every run unless an option (or, for the budget, the sentence) says otherwise.

Precedence: option > sentence (task fields only) > `AUTOGLM_*` > the project's file > the user's file > default.
The project's file is `autoglm.toml`, or `[tool.autoglm]` in `pyproject.toml`, in the working directory or above it.
It comes with whatever was cloned or unpacked, so it may not loosen the sandbox, share more, or choose where prompts go.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AnyHttpUrl, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from open_autoglm.agents.glm.prices import Prices
from open_autoglm.durations import parse_duration
from open_autoglm.errors import InputError, SettingsError
from open_autoglm.wrong import reason

ENVIRONMENT_PREFIX = "AUTOGLM_"
PROJECT_FILE = "autoglm.toml"
SHARE_LEVELS = ("schema", "summary", "rows")
"""From the least to the most that a prompt may hold."""

SandboxName: TypeAlias = Literal["auto", "docker", "jupyter", "bubblewrap", "landlock", "process"]
_USERS_OWN = (
    ("allowed_packages", "choose what is fetched for written code", ""),
    ("policy", "choose what written code may do", "--policy, "),
    ("runtime", "choose what containers are started by", ""),
    ("base_url", "choose where prompts are sent", ""),
    ("api_key", "choose whose account pays", ""),
    ("prices", "say what tokens cost, which would lift a cap on money", ""),
)
"""Keys that a project's file may not set: what it would do by them, and what else sets them."""
Layer: TypeAlias = Mapping[str, Any]


def _seconds(value: object) -> object:
    """Let `time` be written as a duration; pydantic judges the rest."""
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except InputError as problem:
        raise ValueError(str(problem)) from None


def _fraction(value: object) -> object:
    """Read `0.2` from the environment, where everything is text."""
    if not isinstance(value, str) or value in ("auto", "none"):
        return value
    try:
        return float(value)
    except ValueError:
        raise ValueError("give a fraction such as 0.2, or none, or auto") from None


class Settings(BaseSettings):
    """Keys of `autoglm.toml`, and in capitals behind `AUTOGLM_` of the environment."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True, title="Settings of Open-AutoGLM"
    )

    time: Annotated[float, Field(gt=0), BeforeValidator(_seconds, json_schema_input_type=float | str)] | None = Field(
        None, description="Time budget of a run: seconds, or text such as 10m or 1h30m."
    )
    attempts: Annotated[int, Field(gt=0)] | None = Field(None, description="Most attempts of a run.")
    max_tokens: Annotated[int, Field(ge=0)] | None = Field(None, description="Most language-model tokens of a run.")
    max_cost: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Most money that a run may spend on tokens."
    )
    strategist: Literal["auto", "recipes", "glm"] = Field("auto", description="Who writes the code.")
    search: Literal["auto", "greedy", "uct", "single-loop"] = Field(
        "auto", description="What is tried next; auto suits who writes the code."
    )
    memory: bool = Field(True, description="Whether a language model learns from earlier runs.")  # noqa: FBT003 - the default
    sandbox: SandboxName = Field("auto", description="Where written code runs; auto takes the strongest that is ready.")
    runtime: Annotated[str, Field(pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*")] | None = Field(
        None, description="What Docker starts containers by, such as gVisor's runsc; none is the engine's own choice."
    )
    policy: Path | None = Field(
        None, description="File that says what written code may do in a sandbox, where it departs from the default."
    )
    holdout: Annotated[
        Annotated[float, Field(gt=0, lt=0.9)] | Literal["auto", "none"],
        BeforeValidator(_fraction, json_schema_input_type=float | str),
    ] = Field("auto", description="Share of the rows that only judges the winner, or none.")
    refit: bool = Field(True, description="Whether the delivered model is fitted again on all rows.")  # noqa: FBT003 - the default
    workers: Annotated[int, Field(ge=1, le=64)] = Field(1, description="Attempts that run side by side.")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="Seed that every other seed derives from.")
    share: Literal["schema", "summary", "rows"] = Field(
        "summary", description="The most that may be told about the data to a language model."
    )
    allowed_packages: list[str] = Field(
        [], description="Packages that written code may wish for, beside the usual ones."
    )
    root: Path = Field(Path("autoglm-runs"), description="Folder in which run directories are made.")
    base_url: AnyHttpUrl | None = Field(None, description="Endpoint of a language model (OpenAI-compatible).")
    model: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        None, description="Which of the endpoint's models is asked; none is the one that it serves."
    )
    api_key: SecretStr | None = Field(None, description="Key of the endpoint; never written into a run directory.")
    prices: Prices | None = Field(None, description="What the endpoint charges for a million tokens.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the files, which arrive merged as arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


KEYS = tuple(Settings.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """The settings in force, and where each comes from."""

    values: Settings
    origins: Mapping[str, str]
    """For each key: `default`, a file's path, or `environment (AUTOGLM_...)`."""

    def given(self, key: str) -> object:
        """Return the value of `key` if anything but the default named it, else None."""
        return None if self.origins[key] == "default" else getattr(self.values, key)


def load_settings(directory: Path | None = None) -> LoadedSettings:
    """Read the user's file, the project's file as seen from `directory`, and the environment.

    Raises:
        SettingsError: An unreadable file, an unknown key, a bad value, or a project's file that asks for too much.
    """
    user_path, user = _read_user_file()
    project_path, project = _read_project_file(directory or Path.cwd())
    _refuse_raised_rights(project_path, project, user)
    merged: dict[str, Any] = {}
    origins = dict.fromkeys(KEYS, "default")
    for path, layer in ((user_path, user), (project_path, project)):
        merged |= layer
        origins |= dict.fromkeys(layer, str(path))
    origins |= {key: f"environment ({ENVIRONMENT_PREFIX}{key.upper()})" for key in _environment_keys()}
    try:
        values = Settings(**merged)
    except ValidationError as error:
        raise _explained(error, origins) from None
    except UnreadableSetting as error:
        key = next((key for key in KEYS if f'"{key}"' in str(error)), "?")
        raise SettingsError(
            f'environment ({_variable(key)}): it holds more than one thing, so it must be JSON, such as ["one", "two"].'
        ) from None
    return LoadedSettings(values=values, origins=origins)


def api_key() -> str | None:
    """Return the key of the language model's endpoint, if the environment or the user's file names one."""
    key = load_settings().values.api_key
    return None if key is None else key.get_secret_value() or None


def user_file() -> Path:
    """Return the path of the user's settings file, which need not exist."""
    return _at_home("XDG_CONFIG_HOME", ".config") / "config.toml"


def lessons_file() -> Path:
    """Return the path of the user's lessons of earlier runs, which need not exist."""
    return _at_home("XDG_DATA_HOME", ".local/share") / "lessons.sqlite"


def cache_folder() -> Path:
    """Return the folder for what can be fetched or made again; it need not exist."""
    return _at_home("XDG_CACHE_HOME", ".cache")


def _at_home(variable: str, name: str) -> Path:
    try:
        home = os.environ.get(variable) or str(Path("~").expanduser() / name)
    except RuntimeError:  # a user without a home folder, as containers have them
        home = "/nonexistent"
    return Path(home) / "autoglm"


def _read_user_file() -> tuple[Path, Layer]:
    path = user_file()
    if not path.is_file():
        return path, {}
    return path, _checked_keys(path, _read_toml(path))


def _read_project_file(directory: Path) -> tuple[Path, Layer]:
    start = directory.absolute()
    for folder in (start, *start.parents):
        own, shared = folder / PROJECT_FILE, folder / "pyproject.toml"
        if own.is_file():
            return own, _rooted(own, _checked_keys(own, _read_toml(own)))
        if shared.is_file():
            table = _read_toml(shared).get("tool", {}).get("autoglm")
            if table is not None:
                return shared, _rooted(shared, _checked_keys(shared, table))
    return start / PROJECT_FILE, {}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not valid TOML ({error}).") from None


def _rooted(path: Path, layer: Layer) -> Layer:
    """Read a relative `root` as seen from the file that names it."""
    root = layer.get("root")
    return {**layer, "root": path.parent / root} if isinstance(root, str) else layer


def _checked_keys(path: Path, layer: object) -> Layer:
    if not isinstance(layer, dict):
        raise SettingsError(f"{path}: [tool.autoglm] must be a table of settings.")
    for key in layer:
        if key not in KEYS:
            raise SettingsError(f"{path}: unknown key {key!r}. {_nearest(key)}")
    return layer


def _environment_keys() -> list[str]:
    """Return the settings that the environment names, in lower case."""
    keys = [
        name[len(ENVIRONMENT_PREFIX) :].lower() for name in os.environ if name.upper().startswith(ENVIRONMENT_PREFIX)
    ]
    for key in keys:
        if key not in KEYS:
            raise SettingsError(f"environment: unknown variable {_variable(key)}. {_nearest(key, _variable)}")
    return keys


def _variable(key: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{key.upper()}"


def _nearest(key: str, spell: Callable[[str], str] = str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    return f"Did you mean {spell(near[0])!r}?" if near else f"Known: {', '.join(map(spell, KEYS))}."


def _refuse_raised_rights(path: Path, project: Layer, user: Layer) -> None:
    """Hold a project's file to what the user's own settings allow."""
    own_sandbox = user.get("sandbox", "auto")
    wished_sandbox = project.get("sandbox", own_sandbox)
    weaker = wished_sandbox == "process" or (wished_sandbox == "landlock" and own_sandbox != "process")
    loosened = weaker or own_sandbox not in ("auto", "process")
    if wished_sandbox != own_sandbox and loosened:
        raise SettingsError(
            f"{path}: sandbox = {wished_sandbox!r} is refused: a project's file may not loosen the sandbox. "
            f"Use --sandbox, AUTOGLM_SANDBOX or {user_file()}."
        )
    own_share = user.get("share", "summary")
    wished_share = project.get("share", own_share)
    if _share_level(wished_share) > _share_level(own_share):
        raise SettingsError(
            f"{path}: share = {wished_share!r} is refused: a project's file may not share more than {own_share!r}. "
            f"Use --share, AUTOGLM_SHARE or {user_file()}."
        )
    if project.get("memory") is True and user.get("memory") is False:
        raise SettingsError(
            f"{path}: memory = true is refused: a project's file may not keep what you do not wish kept. "
            f"Use AUTOGLM_MEMORY or {user_file()}."
        )
    for key, reason_, instead in _USERS_OWN:
        if key in project:
            raise SettingsError(
                f"{path}: {key} is refused: a project's file may not {reason_}. "
                f"Use {instead}{_variable(key)} or {user_file()}."
            )


def _share_level(name: object) -> int:
    """Rank a level; an unknown one ranks lowest, and is refused as a bad value afterwards."""
    return SHARE_LEVELS.index(name) if isinstance(name, str) and name in SHARE_LEVELS else -1


def _explained(error: ValidationError, origins: Mapping[str, str]) -> SettingsError:
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else "?"
    key = key.removeprefix(ENVIRONMENT_PREFIX.lower())
    given = "..." if key == "api_key" else repr(first["input"])
    return SettingsError(f"{origins.get(key, 'settings')}: {key} = {given} cannot be used: {reason(first)}.")


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of a settings file (published as docs/settings.schema.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema(mode="validation")}
