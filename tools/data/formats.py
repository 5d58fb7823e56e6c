"""Tables that are not plain text: Parquet, JSON, Excel, SQLite. Each reader raises InputError for what it cannot read."""

import json
import sqlite3
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.tools.data.container import Container
from open_autoglm.tools.data.guard import BROKEN
from open_autoglm.tools.data.sniff import sniff_encoding
from open_autoglm.tools.data.text_table import HEAD_BYTES, Parsed
from open_autoglm.tools.words import said

Options = Mapping[str, JsonValue]


def read_parquet(container: Container, options: Options) -> Parsed:
    """Read a Parquet file; an index that pandas stored with a name becomes a column."""
    del options
    try:
        frame = pq.read_table(container.path).to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{container.path.name!r} is not a readable Parquet file: {_brief(error)}. Write it again."
        ) from error
    return Parsed(frame=frame, read={})


def read_json(container: Container, options: Options) -> Parsed:
    """Read a JSON table: a list of records, columns by name, or pandas' `split` layout."""
    text, encoding = _text(container, options)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{container.path.name!r} is not valid JSON: {_brief(error)}. (One object a line is read as .jsonl.)"
        ) from error
    return Parsed(frame=_json_frame(content, container.path.name), read={"encoding": encoding})


def read_jsonl(container: Container, options: Options) -> Parsed:
    """Read one JSON object a line."""
    text, encoding = _text(container, options)
    records = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"Line {number} of {container.path.name!r} is not valid JSON: {_brief(error)}. Mend or remove it."
            ) from error
    return Parsed(frame=_json_frame(records, container.path.name), read={"encoding": encoding})


def read_excel(container: Container, options: Options) -> Parsed:
    """Read one sheet of an Excel file: the one named, else the first."""
    name = container.path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
            with pd.ExcelFile(container.path, engine="openpyxl") as book:
                sheets = [str(sheet) for sheet in book.sheet_names]
                sheet = _named_sheet(options.get("sheet", 0), sheets, name)
                rest = {k: v for k, v in options.items() if k not in ("sheet", "format", "member")}
                frame = book.parse(sheet, **rest)
    except (
        *BROKEN,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        SyntaxError,
    ) as error:  # XML that does not parse
        raise InputError(
            f"{name!r} is not a readable Excel file: {_brief(error)}. Save it again as .xlsx or .csv."
        ) from error
    if rest.get("header", 0) is None:
        frame.columns = pd.Index([str(i) for i in range(len(frame.columns))])
    told: tuple[str, ...] = ()
    if len(sheets) > 1 and "sheet" not in options:
        told = (
            said(
                "{file!r} has {count} sheets; {sheet!r} was read (others by --read sheet=NAME).",
                file=name,
                count=len(sheets),
                sheet=sheet,
            ),
        )
    return Parsed(frame=frame, read={**rest, "sheet": sheet}, warnings=told)


def read_sqlite(container: Container, options: Options) -> Parsed:
    """Read one table (or view) of an SQLite file: the one named, else the only one."""
    name = container.path.name
    try:
        connection = sqlite3.connect(f"{container.path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            table = _named_table(options.get("table"), _tables(connection), name)
            frame = pd.read_sql_query(f'SELECT * FROM "{table.replace(chr(34), chr(34) * 2)}"', connection)  # noqa: S608  # a name cannot be bound; it is quoted and stands in the list of tables
        finally:
            connection.close()
    except (sqlite3.Error, pd.errors.DatabaseError, UnicodeError) as error:
        raise InputError(
            f"{name!r} is not a readable SQLite file: {_brief(error)}. Export the table as CSV."
        ) from error
    return Parsed(frame=frame, read={"table": table})


READERS: Mapping[str, Callable[[Container, Options], Parsed]] = {
    "parquet": read_parquet,
    "json": read_json,
    "jsonl": read_jsonl,
    "excel": read_excel,
    "sqlite": read_sqlite,
}


def binary_format(head: bytes, path: Path) -> str | None:
    """Recognise a format by its first bytes; None for text."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SQLite format 3\x00"):
        return "sqlite"
    if head.startswith(b"PK"):
        return "excel"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(f"{path.name!r} is an old Excel (.xls) file. Save it as .xlsx or .csv.")
    for suffixes, kind in (
        ((".parquet", ".pq"), "Parquet"),
        ((".xlsx", ".xlsm"), "Excel"),
        ((".sqlite", ".sqlite3"), "SQLite"),
    ):
        if path.suffix.lower() in suffixes:
            raise InputError(
                f"{path.name!r} is named like a {kind} file, and it is none. Write it again, or rename it if it is CSV."
            )
    return None


def _text(container: Container, options: Options) -> tuple[str, str]:
    with container.open() as file:
        data = file.read()
    encoding = str(options.get("encoding") or sniff_encoding(data[:HEAD_BYTES], complete=len(data) <= HEAD_BYTES))
    try:
        return data.decode(encoding).removeprefix("\ufeff"), encoding
    except UnicodeError as error:
        raise InputError(
            f"{container.path.name!r} cannot be decoded as {encoding}: {_brief(error)}. Name the encoding: --read encoding=..."
        ) from error


def _json_frame(content: object, name: str) -> pd.DataFrame:
    if (
        isinstance(content, dict)
        and len(content) == 1
        and isinstance(inner := next(iter(content.values())), list | dict)
    ):
        content = inner if isinstance(inner, dict) or all(isinstance(item, dict) for item in inner) else content
    try:
        if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
            return pd.DataFrame.from_records(content)
        if isinstance(content, dict) and {"columns", "data"} <= content.keys():
            return pd.DataFrame(content["data"], columns=content["columns"])
        if (
            isinstance(content, dict)
            and content
            and all(isinstance(column, list | dict) for column in content.values())
        ):
            return pd.DataFrame(content)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{name!r} holds columns that do not fit together: {_brief(error)}. Give each as many values, or a list of records."
        ) from error
    raise InputError(f"{name!r} holds no table. Possible: a list of records, or columns by name.")


def _named_sheet(wanted: JsonValue, sheets: list[str], name: str) -> str:
    if isinstance(wanted, str) and wanted in sheets:
        return wanted
    if isinstance(wanted, int | str) and str(wanted).isdigit() and int(wanted) < len(sheets):
        return sheets[int(wanted)]
    raise UnknownName(f"sheet of {name!r}", str(wanted), sheets)


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [row[0] for row in connection.execute(query)]


def _named_table(wanted: JsonValue, tables: list[str], name: str) -> str:
    if wanted is not None:
        if wanted not in tables:
            raise UnknownName(f"table of {name!r}", str(wanted), tables)
        return str(wanted)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise InputError(f"{name!r} holds no table. Name another file.")
    raise InputError(f"{name!r} holds {len(tables)} tables: {', '.join(tables[:20])}. Name one with --read table=NAME.")


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200]
