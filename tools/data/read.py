"""From a file or a DataFrame to a plain table, with a record of how it was read.

Nothing is asked that the content can answer: format, compression, encoding, separator, header. What the user says
(`--read KEY=VALUE`) overrides what would be found out.
"""

import difflib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

import pandas as pd
from pydantic import JsonValue

from open_autoglm.errors import InputError
from open_autoglm.sandbox.supervision.folders import make_folder, remove
from open_autoglm.tools.data.cells import plain_frame
from open_autoglm.tools.data.container import TABLE_SUFFIXES, Container, open_container, unpack_several
from open_autoglm.tools.data.formats import READERS, binary_format
from open_autoglm.tools.data.read_options import ANYWHERE, KEYS, parse_options
from open_autoglm.tools.data.sketch import ColumnSketch, TableSketch, sketch
from open_autoglm.tools.data.text_table import Parsed, read_text_table
from open_autoglm.tools.task import Source, SourceRole
from open_autoglm.tools.words import said

__all__ = ["ColumnSketch", "Table", "TableSketch", "new_rows", "read_table", "sketch", "tables_given"]

_FORMATS = get_args(Source.model_fields["format"].annotation)
LONGEST_NAME = 100
"""Characters of a file's name that a message shows."""
_NEED_COLUMNS = (SourceRole.TRAIN, SourceRole.TEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows as pandas reads them, made plain (see `cells`), and where they came from."""

    frame: pd.DataFrame
    source: Source
    warnings: tuple[str, ...] = ()


def read_table(
    source: Path | pd.DataFrame, *, role: SourceRole = SourceRole.TRAIN, read: Mapping[str, JsonValue] | None = None
) -> Table:
    """Read a table; `Table.source.read` holds the options that read it again in the same way.

    Args:
        source: A file (CSV, TSV, Parquet, JSON, JSONL, Excel, SQLite), also as gz, bz2 or xz, or alone in a zip or a tar; or
            a frame, which is not changed.
        role: What it is for. Training rows need two columns and two rows.
        read: What the user says about the file, by the names in `read_options.KEYS`.

    Raises:
        InputError: The file cannot be read or holds no such table; one line with what to do.
    """
    options = parse_options(read)
    if isinstance(source, pd.DataFrame):
        return _table(Parsed(frame=source, read={}), uri="frame", form="frame", role=role)
    path = _at_home(source)
    with _in_words(path):
        require_file(path)
        with _unpacked(open_container(path, _text_or_none(options.get("member")))) as (container, form):
            parsed = _read(container, str(options.get("format", form)), options)
    return _table(parsed, uri=str(path.resolve()), form=str(options.get("format", form)), role=role)


def tables_given(source: Path, folder: Path, *, member: bool) -> list[Path]:
    """Return the file itself, or what it stands for: the tables in it, unpacked into `folder`, where it is an archive of several.

    Args:
        source: A file that the user gave.
        folder: Where to unpack; it is made. What is there already was unpacked from this file.
        member: Whether the user named one of its tables.

    Raises:
        InputError: As `read_table`; or it is an archive that is not to be trusted.
    """
    path = _at_home(source)
    if member:
        return [path]
    if folder.is_dir():
        return sorted(inner for inner in folder.rglob("*") if inner.is_file())
    draft = folder.with_name(f".{folder.name}.draft")
    with _in_words(path):
        require_file(path)
        if draft.exists():
            shutil.rmtree(draft)
        tables = unpack_several(path, draft)
        if tables is None:
            return [path]
        draft.rename(folder)
    return [folder / table.relative_to(draft) for table in tables]


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:  # no HOME, and a user that the system does not know
        raise InputError(f"{str(path)!r} cannot be found: there is no home folder. Write out the path.") from error


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Say what is wrong with a file that cannot be read."""
    try:
        yield
    except PermissionError as error:
        raise InputError(
            f"{path.name!r} may not be read (permission denied). Change its permissions, or copy it."
        ) from error
    except MemoryError as error:
        raise InputError(f"{path.name!r} does not fit into memory. Give fewer rows or columns.") from error
    except OSError as error:
        name = path.name if len(path.name) <= LONGEST_NAME else f"{path.name[:LONGEST_NAME]}..."
        raise InputError(f"{name!r} cannot be read: {error.strerror or error}.") from error


def new_rows(source: Path | pd.DataFrame, like: Source, *, read: Mapping[str, JsonValue] | None = None) -> Table:
    """Read rows to predict in the way that the training table was read; the target may be absent.

    What the user says about the file (`read`) is taken as said, and what it leaves open is sniffed anew. Else a file of another format, or one that the recorded options do not fit, is sniffed anew, with a warning.

    Raises:
        InputError: As `read_table`.
    """
    role = SourceRole.PREDICT
    if isinstance(source, pd.DataFrame):
        return read_table(source, role=role)
    if read:
        meaning = {k: v for k, v in like.read.items() if k in ("na_values", "keep_default_na", "decimal", "thousands")}
        return read_table(source, role=role, read={**meaning, **read})
    recorded = {k: v for k, v in like.read.items() if k not in ("member", "compression", "sheet", "table")}
    chosen = {k: v for k, v in like.read.items() if k in ("sheet", "table")}
    named = {k: v for k, v in recorded.items() if k not in ("encoding", "sep", "header")}
    try:
        as_recorded = read_table(source, role=role, read={**recorded, **_if_present(source, chosen)})
    except InputError:
        afresh = read_table(source, role=role)  # its error is the one to tell
        return _with_warning(afresh, said("it cannot be read in the same way"))
    if like.format != "csv" or as_recorded.source.format != "csv":
        return as_recorded
    sniffed = _sniffed(source, {**named, "header": like.read.get("header", 0)})
    if sniffed is not None and len(as_recorded.frame.columns) == 1 < len(sniffed.frame.columns):
        return _with_warning(sniffed, said("its separator is {sep!r}", sep=sniffed.source.read.get("sep")))
    return _with_right_encoding(as_recorded, sniffed)


def _with_right_encoding(as_recorded: Table, sniffed: Table | None) -> Table:
    """Prefer UTF-8 where a one-byte encoding was recorded, which decodes anything, also UTF-8 wrongly."""
    if sniffed is None or sniffed.source.read.get("encoding") != "utf-8":
        return as_recorded
    if as_recorded.source.read.get("encoding") in ("utf-8", "utf-8-sig", "ascii") or sniffed.frame.equals(
        as_recorded.frame
    ):
        return as_recorded
    return _with_warning(sniffed, said("its encoding is utf-8"))


def _sniffed(source: Path, read: Mapping[str, JsonValue]) -> Table | None:
    try:
        return read_table(source, role=SourceRole.PREDICT, read=read)
    except InputError:
        return None


def _if_present(source: Path, chosen: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Keep the recorded sheet or table where the new file has it."""
    if not chosen:
        return {}
    try:
        read_table(source, role=SourceRole.PREDICT, read=chosen)
    except InputError:
        return {}
    return dict(chosen)


def _with_warning(table: Table, reason: str) -> Table:
    told = said(
        "{file!r} was not read as the training table was: {reason}.", file=Path(table.source.uri).name, reason=reason
    )
    return replace(table, warnings=(*table.warnings, told))


def _table(parsed: Parsed, *, uri: str, form: str, role: SourceRole) -> Table:
    name = Path(uri).name if uri != "frame" else "The table"
    frame, changes = plain_frame(parsed.frame)
    rows, columns = frame.shape
    if columns == 0:
        raise InputError(f"{name!r} has no columns.")
    if rows == 0:
        raise InputError(f"{name!r} has column names and no rows. Give a table with rows of data.")
    if role in _NEED_COLUMNS and columns == 1:
        hint = " If its columns are cut by an unusual character, name it: --read sep=..." if form == "csv" else ""
        raise InputError(
            f"{name!r} has one column ({frame.columns[0]!r}): a target needs at least one more to predict from.{hint}"
        )
    if role is SourceRole.TRAIN and rows == 1:
        raise InputError(f"{name!r} has one row: nothing can be learned from it. Give at least a few dozen rows.")
    source = Source.model_validate({"uri": uri, "format": form, "role": role, "read": parsed.read})
    return Table(frame=frame, source=source, warnings=(*parsed.warnings, *changes))


def _read(container: Container, form: str, options: Mapping[str, JsonValue]) -> Parsed:
    if form not in _FORMATS:
        raise InputError(f"{form!r} is no table format. Possible: {', '.join(KEYS)}.")
    fitting = {k: v for k, v in options.items() if k in KEYS[form]}
    others = [k for k in options if k not in fitting and k not in ANYWHERE]
    parsed = read_text_table(container, fitting) if form == "csv" else READERS[form](container, fitting)
    if not others:
        return parsed
    told = said(
        "{file!r} is {form}, for which these read options say nothing: {options}.",
        file=container.path.name,
        form=form,
        options=others,
    )
    return replace(parsed, warnings=(*parsed.warnings, told))


class _unpacked:  # noqa: N801  # used as a context manager, like a function
    """Yields the container and its format; what only opens by path (Parquet, Excel, SQLite) is unpacked to a temporary file."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._folder: Path | None = None

    def __enter__(self) -> tuple[Container, str]:
        container = self._container
        head, _ = container.head(4096)
        form = binary_format(head, _inner_path(container)) or _text_format(head, _inner_path(container))
        if container.compression is None or form in ("csv", "json", "jsonl"):
            return container, form
        self._folder = make_folder("table")
        unpacked = self._folder / "unpacked" / _inner_path(container).name
        unpacked.parent.mkdir()
        with container.open() as file, unpacked.open("wb") as out:
            while chunk := file.read(1 << 20):
                out.write(chunk)
        return Container(path=unpacked, compression=None), form

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            remove(self._folder)


def _inner_path(container: Container) -> Path:
    if container.member is not None:
        return Path(container.member)
    return container.path.with_suffix("") if container.compression else container.path


def _text_format(head: bytes, path: Path) -> str:
    suffix = path.suffix.lower()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    if suffix == ".json" or (start == b"{" and suffix not in (".csv", ".tsv", ".txt")):
        first, _, rest = head.lstrip().partition(b"\n")
        one_a_line = first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")
        return "jsonl" if one_a_line else "json"
    return "csv"


def _text_or_none(value: JsonValue) -> str | None:
    return None if value is None else cast("str", value)


def require_file(path: Path) -> None:
    """Refuse what cannot be a table at all.

    Raises:
        InputError: There is no such file (the nearest are named), it is empty, or it is something else.
    """
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a directory. {_tables_in(path)}")
    if path.exists():
        if not path.is_file():
            raise InputError(f"{str(path)!r} is neither a file nor a directory. Name a file.")
        if path.stat().st_size == 0:
            raise InputError(f"{path.name!r} is empty. Give a table with a row of column names and rows of data.")
        return
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"There is no file {str(path)!r}, nor its folder {str(folder)!r}. Check the path.")
    names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    hint = f"Nearest: {', '.join(near)}." if near else _tables_in(folder)
    raise InputError(f"There is no file {str(path)!r}. {hint}")


def _tables_in(folder: Path) -> str:
    names = sorted(e.name for e in folder.iterdir() if e.is_file() and set(e.suffixes) & {*TABLE_SUFFIXES, ".zip"})
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"Tables in that folder: {', '.join(names[:10])}{more}." if names else "There are no tables in that folder."
