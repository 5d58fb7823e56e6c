"""What code in an isolating sandbox may do, as data: `policy.yaml`. One policy drives every backend.

The file is the place to read and to change; this module gives it types, names for what it may say, and its hash, which
every execution report carries.
"""

import errno
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from open_autoglm.errors import SettingsError

FILE = Path(__file__).with_name("policy.yaml")
SCHEMA_VERSION = 1
_HOST = re.compile(
    r"localhost|(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z][a-z0-9-]*[a-z0-9]"
)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
HIGHEST_PORT = 65_535
FAMILY_NUMBERS = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16}
IOCTL_NUMBERS = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C}


class Severity(StrEnum):
    """How much an attempt says about the code."""

    LOW = "low"
    """Innocent libraries do it, too."""
    HIGH = "high"
    """No solution has a reason to."""


def _absolute(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} is no absolute path")
    return path


def _bare(name: str) -> str:
    if not name or "/" in name or name.startswith("."):
        raise ValueError(f"{name!r} is no bare name")
    return name


def _host(text: str) -> str:
    name, colon, port = text.partition(":")
    known = not colon or (_PORT.fullmatch(port) and int(port) <= HIGHEST_PORT)
    if not _HOST.fullmatch(name) or not known or (name == "localhost" and not port):
        raise ValueError(f"{text!r} is no host name such as example.org or example.org:8443")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSystem(_Part):
    """What there is to see, and how much may be written."""

    system: tuple[Annotated[str, AfterValidator(_absolute)], ...]
    settings: tuple[Annotated[str, AfterValidator(_bare)], ...]
    devices: tuple[Annotated[str, AfterValidator(_bare)], ...]
    inodes: int = Field(gt=0)


class Network(_Part):
    """What can be reached."""

    access: Literal["none", "proxy"]
    allow: tuple[Annotated[str, AfterValidator(_host)], ...]

    @model_validator(mode="after")
    def _a_list_is_for_a_proxy(self) -> "Network":
        if bool(self.allow) != (self.access == "proxy"):
            raise ValueError("hosts are allowed by 'access: proxy' with a list 'allow', and by both")
        return self


class Refusal(_Part):
    """System calls that fail, as what, and what an attempt means."""

    calls: tuple[str, ...] = Field(min_length=1)
    answer: Literal["EPERM", "ENOSYS", "EACCES", "DONE", "DONE_IF_THERE"]
    severity: Severity
    why: str


class SystemCalls(_Part):
    """Which calls reach the kernel."""

    socket_families: tuple[Literal["unix", "inet", "inet6", "netlink"], ...]
    refused: tuple[Refusal, ...]
    refused_without_namespaces: tuple[Refusal, ...]
    clone_namespaces: Literal["refused"]
    refused_ioctls: tuple[Literal["TIOCSTI", "TIOCLINUX"], ...]
    device_nodes: Literal["refused"]
    raw_sockets: Literal["refused"]
    reported: tuple[Literal["addresses", "writes", "signals", "limits"], ...]


class Ceilings(_Part):
    """The most that one execution gets, where a job does not ask for less. Time and memory are the run's to share out."""

    processes: int = Field(gt=0)
    open_files: int = Field(ge=64)
    disk_bytes: int = Field(gt=0)
    output_bytes: int = Field(gt=0)
    stall_seconds: float = Field(gt=0)


class Policy(_Part):
    """The whole of it."""

    schema_version: Literal[1]
    filesystem: FileSystem
    network: Network
    system_calls: SystemCalls
    limits: Ceilings

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of what it says, the same for the same rules however they are written down."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def error_number(answer: str) -> int:
    """Return the number of an answer such as `EPERM`; 0 for `DONE`, and what `DONE_IF_THERE` is where nobody can look."""
    return 0 if answer == "DONE" else int(getattr(errno, answer, errno.EPERM))


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One place where a policy says something else than the default; `value` in place of `default`, or entries it has more or less."""

    place: str
    """Such as `limits.processes`."""
    value: str = ""
    default: str = ""
    more: tuple[str, ...] = ()
    fewer: tuple[str, ...] = ()


def departures(policy: Policy) -> list[Departure]:
    """Return everything in which a policy differs from the default, in the order of the file."""
    return list(_departures("", policy.model_dump(mode="json"), default_policy().model_dump(mode="json")))


def _departures(place: str, own: Any, default: Any) -> Iterator[Departure]:
    if own == default:
        return
    if isinstance(own, dict):
        for name in own:
            yield from _departures(f"{place}.{name}".lstrip("."), own[name], default[name])
    elif isinstance(own, list):
        mine, usual = _entries(own), _entries(default)
        more, fewer = (
            tuple(item for item in one if item not in other) for one, other in ((mine, usual), (usual, mine))
        )
        yield Departure(place=place, more=more, fewer=fewer)
    else:
        yield Departure(place=place, value=str(own), default=str(default))


def _entries(listed: Sequence[Any]) -> list[str]:
    """Return the entries of a list in words; of rules for system calls every call with its answer and weight."""
    return [
        entry
        for item in listed
        for entry in (
            [f"{call} ({item['answer']}, {item['severity']})" for call in item["calls"]]
            if isinstance(item, dict)
            else [str(item)]
        )
    ]


def read_policy(path: Path) -> Policy:
    """Read a policy from a YAML file. What the file does not name is as in the default; a list that it names replaces the default's.

    Raises:
        SettingsError: It cannot be read, is no YAML, or says what no policy can; the message names the place.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Policy.model_validate(
            content if path == FILE else _over(default_policy().model_dump(mode="json"), content)
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"The policy {path} cannot be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(f"The policy {path} is wrong at {where}: {first['msg']}.") from error


def _over(default: Any, own: Any) -> Any:
    """Return what a file says, with the default where it says nothing."""
    if not isinstance(default, dict) or not isinstance(own, dict):
        return own
    return {**default, **{name: _over(default.get(name), value) for name, value in own.items()}}


@cache
def default_policy() -> Policy:
    """Return the policy that ships with the package."""
    return read_policy(FILE)
