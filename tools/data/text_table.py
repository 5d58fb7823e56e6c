"""CSV and its relatives: what the user did not say about the file is sniffed, then pandas reads it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from pydantic import JsonValue

from open_autoglm.errors import InputError
from open_autoglm.tools.data import sniff
from open_autoglm.tools.data.container import Container
from open_autoglm.tools.words import said

HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a reader got out of a file."""

    frame: pd.DataFrame
    read: dict[str, JsonValue]
    """The options that read it again in the same way."""
    warnings: tuple[str, ...] = ()


def read_text_table(container: Container, options: Mapping[str, JsonValue]) -> Parsed:
    """Read a text table with the given options, and sniffed ones where nothing was said.

    Raises:
        InputError: Empty, header only, binary, undecodable or ragged.
    """
    name = container.path.name
    head, complete = container.head(HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf\r\n\t ,;\x00"):
        raise InputError(f"{name!r} is empty. Give a table with a row of column names and rows of data.")
    if "encoding" not in options and sniff.is_binary(head):
        raise InputError(
            f"{name!r} is not a table: it holds binary data. Possible: CSV, TSV, Parquet, JSON, Excel, SQLite."
        )
    read = {"encoding": sniff.sniff_encoding(head, complete=complete), **options}
    frame = None
    try:
        read = _sniff_layout(head, read)
        frame = _parse(container, head, read)
    except (UnicodeDecodeError, UnicodeError) as error:
        if "encoding" in options:
            raise InputError(
                f"{name!r} cannot be decoded as {options['encoding']}: {_brief(error)}. Leave the option out, or try gb18030 or latin-1."
            ) from error
    if frame is None:
        frame, read = _parse_legacy(container, head, dict(options))
    return _checked(container, head, frame, read)


def _parse_legacy(
    container: Container, head: bytes, options: dict[str, JsonValue]
) -> tuple[pd.DataFrame, dict[str, JsonValue]]:
    """Read again a file whose beginning was UTF-8 and whose rest was not."""
    with container.open() as file:
        options["encoding"] = sniff.legacy_encoding(file)
    try:
        read = _sniff_layout(head, options)
        return _parse(container, head, read), read
    except UnicodeError:
        read = _sniff_layout(head, {**options, "encoding": "latin-1"})  # decodes anything
        return _parse(container, head, read), read


def _sniff_layout(head: bytes, read: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    text = head_text(head, str(read["encoding"]))
    found = dict(read)
    skip = found.get("skiprows", 0)
    if isinstance(skip, int) and skip:
        text = "".join(text.splitlines(keepends=True)[skip:])
    if (comment := found.get("comment")) is not None:
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(str(comment)))
    quote = str(found.get("quotechar", '"'))
    found.setdefault("sep", sniff.sniff_separator(text, quote))
    rows = sniff.rows_of(text, str(found["sep"]), quote)
    if "header" not in found:
        found["header"] = 0 if sniff.has_header(rows) else None
    if "decimal" not in found and found["sep"] != ",":
        found = {**sniff.sniff_decimal(rows), **found}
    return found


def head_text(head: bytes, encoding: str) -> str:
    """Decode the beginning of a file and leave out what may be half a line (or half a character)."""
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    if len(head) >= HEAD_BYTES and "\n" in text:
        text = text[: text.rfind("\n") + 1]
    return text


def _parse(container: Container, head: bytes, read: Mapping[str, JsonValue]) -> pd.DataFrame:
    extra = _cells_beyond_header(head, read)
    if extra and not any(extra):  # every row ends with a separator
        return _pandas(container, read, {"index_col": False})
    frame = _pandas(container, read, {})
    if not extra and isinstance(frame.index, pd.RangeIndex):
        return frame
    return frame.reset_index(names=[f"row name {i}" if i else "row name" for i in range(frame.index.nlevels)])


def _cells_beyond_header(head: bytes, read: Mapping[str, JsonValue]) -> list[str]:
    """Return the last cells of the rows, where the first row has a name less than they have cells."""
    if read.get("header", 0) != 0 or read.get("skiprows") or read.get("comment"):
        return []
    rows = sniff.rows_of(head_text(head, str(read["encoding"])), str(read["sep"]), str(read.get("quotechar", '"')))
    if len(rows) < 2 or len(rows[1]) <= len(rows[0]):
        return []
    return [row[-1] for row in rows[1:] if len(row) > len(rows[0])]


def _pandas(container: Container, read: Mapping[str, JsonValue], extra: Mapping[str, object]) -> pd.DataFrame:
    name = container.path.name
    try:
        with container.open() as file:
            return pd.read_csv(file, low_memory=False, **read, **extra)
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{name!r} is empty. Give a table with a row of column names and rows of data.") from error
    except pd.errors.ParserError as error:
        raise InputError(
            f"{name!r} cannot be cut into columns by {read['sep']!r}: {_brief(error)}. "
            "Mend that line, name the separator (--read sep=...), or leave such lines out (--read on_bad_lines=skip)."
        ) from error
    except UnicodeError:
        raise
    except (ValueError, OverflowError, pd.errors.ParserWarning) as error:
        raise InputError(
            f"{name!r} cannot be read with {_listed(read)}: {_brief(error)}. Say otherwise with --read KEY=VALUE."
        ) from error


def _checked(container: Container, head: bytes, frame: pd.DataFrame, read: dict[str, JsonValue]) -> Parsed:
    warnings = []
    if container.member is not None:
        read["member"] = container.member
    if read.get("header", 0) is None:
        frame.columns = pd.Index([str(i) for i in range(len(frame.columns))])
        warnings.append(
            said(
                "{file!r} has no row of column names; the columns are called 0 to {last}.",
                file=container.path.name,
                last=len(frame.columns) - 1,
            )
        )
    elif doubled := _doubled_names(head, read):
        warnings.append(
            said(
                "{file!r} has duplicated column names, which were numbered: {names}.",
                file=container.path.name,
                names=doubled[:5],
            )
        )
    if "decimal" in read and read["decimal"] == ",":
        warnings.append(said("Numbers are read with a decimal comma."))
    return Parsed(frame=frame, read=read, warnings=tuple(warnings))


def _doubled_names(head: bytes, read: Mapping[str, JsonValue]) -> list[str]:
    lines = io.StringIO(head_text(head, str(read["encoding"])))
    skip = (read.get("skiprows") or 0, read.get("header") or 0)
    rows = sniff.rows_of(lines.read(), str(read["sep"]), str(read.get("quotechar", '"')))
    at = sum(n for n in skip if isinstance(n, int))
    names = rows[at] if at < len(rows) else []
    return sorted({repr(n) for n in names if n and names.count(n) > 1}) if len(set(names)) < len(names) else []


def _brief(error: BaseException) -> str:
    return str(error).removeprefix("Error tokenizing data. ").removeprefix("C error: ").strip().rstrip(".")[:200]


def _listed(read: Mapping[str, JsonValue]) -> str:
    return " ".join(f"{key}={value!r}" for key, value in read.items())
