"""How a text table is written: its encoding, separator, decimal mark, and whether its first row names the columns."""

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable

from charset_normalizer import from_bytes

SEPARATORS = ("\t", ";", "|", ",")
"""In this order where several fit equally well: a comma is the likeliest to stand inside a value."""
WHITESPACE = r"\s+"
_BOMS = [
    (codecs.BOM_UTF8, "utf-8"),  # pandas leaves the mark out
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_LEGACY = [
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1250",
    "cp1252",
    "latin_1",
]
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$")
_COMMA_NUMBER = re.compile(r"[-+]?\d{1,3}(\.\d{3})*,\d+$|[-+]?\d+,\d+$")
_ROWS = 300


def is_binary(head: bytes) -> bool:
    """Whether these bytes are no text in any encoding known here."""
    if not head or any(head.startswith(mark) for mark, _ in _BOMS) or _wide(head) is not None:
        return False
    controls = sum(head.count(bytes([byte])) for byte in range(32) if byte not in (9, 10, 12, 13, 27))
    return b"\x00" in head[:4096] or controls > 0.02 * len(head)


def sniff_encoding(head: bytes, *, complete: bool) -> str:
    """Return the encoding of the beginning of a file; `utf-8` where it is plain ASCII."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if (wide := _wide(head)) is not None:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, complete)
    except UnicodeDecodeError:
        return legacy_encoding(io.BytesIO(head))
    return "utf-8"


def legacy_encoding(lines: Iterable[bytes]) -> str:
    """Return the likeliest encoding of lines that are not UTF-8, judged by those with bytes beyond ASCII."""
    sample, size = [], 0
    for line in lines:
        if not line.isascii():
            sample.append(line[:10_000])
            size += len(sample[-1])
        if size > 100_000:
            break
    text = b"".join(sample)
    if _chinese(text):
        return "gb18030"
    letters = sum(1 for byte in text if byte > 127 or chr(byte).isalpha())
    if sum(1 for byte in text if byte > 127) < 0.2 * letters:
        return _western(text)  # mostly Latin letters: too little of anything else to tell which script
    best = from_bytes(text, cp_isolation=_LEGACY).best()
    if best is None or best.encoding in ("cp1252", "latin_1", "cp1250"):
        return _western(text)
    return str(best.encoding)


def sniff_separator(text: str, quotechar: str = '"') -> str:
    """Return the separator that cuts these lines into the most regular rows; a comma where none does."""
    scores: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        widths = [len(row) for row in rows_of(text, separator, quotechar)]
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        share = count / len(widths) - (0.5 if widths[0] != width else 0.0)
        if width > 1:
            scores[separator] = (share, width)
    if scores and (best := max(share for share, _ in scores.values())) > 0.4:
        return next(s for s in SEPARATORS if s in scores and scores[s][0] >= best - 0.005)
    return WHITESPACE if _is_columns_of_numbers(text) else ","


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns and is not data like the rows below it.

    A name stands out: it is a word over numbers, or a word that never comes again in its column. Numbers that count
    up by one step (`0, 1, 2` or `2001, 2002`) are names too.
    """
    if len(rows) < 3 or not rows[0]:
        return True
    first = [_bare(cell) for cell in rows[0]]
    columns = [[_bare(row[i]) for row in rows[1:] if i < len(row)] for i in range(len(first))]
    verdicts = [_fits(cell, column) for cell, column in zip(first, columns, strict=True)]
    if False in verdicts or _counts_up(first):
        return True
    if len(set(first)) == len(first) > 1 and not any(_NUMBER.match(cell) for cell in first):
        return not all(verdicts)  # only words, each of which comes again below: a table of categories
    return sum(1 for v in verdicts if v) < 0.6 * len(first)


def sniff_decimal(rows: list[list[str]]) -> dict[str, str]:
    """Return `decimal` (and `thousands`) where a column is written like `1.234,5`."""
    found: list[str] = []
    for i in range(max((len(row) for row in rows), default=0)):
        cells = [row[i].strip() for row in rows[1:] if i < len(row) and row[i].strip()]
        commas = [cell for cell in cells if _COMMA_NUMBER.match(cell)]
        if (
            len(commas) >= 2
            and len(commas) >= 0.5 * len(cells)
            and all(_COMMA_NUMBER.match(c) or c.isdigit() for c in cells)
        ):
            found += commas
    if not found:
        return {}
    return {"decimal": ",", "thousands": "."} if any("." in cell for cell in found) else {"decimal": ","}


def rows_of(text: str, separator: str, quotechar: str = '"') -> list[list[str]]:
    """Return the first rows that are not blank."""
    rows: list[list[str]] = []
    if separator == WHITESPACE:
        return [line.split() for line in text.splitlines()[:_ROWS] if line.strip()]
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, quotechar=quotechar or None):
            if row:
                rows.append(row)
            if len(rows) >= _ROWS:
                break
    except csv.Error:  # a field beyond the reader's limit; what came before it is enough to judge by
        return rows
    return rows


def _wide(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    sample = head[:2000]
    if len(sample) < 4:
        return None
    if sample[1::2].count(0) > 0.4 * len(sample) and sample[::2].count(0) == 0:
        return "utf-16-le"
    if sample[::2].count(0) > 0.4 * len(sample) and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _chinese(text: bytes) -> bool:
    """Whether these bytes read as common Chinese: nearly all are pairs in the first level of GB 2312."""
    pairs = re.findall(rb"[\x80-\xff]+", text)
    length = sum(len(run) for run in pairs)
    if any(len(run) % 2 for run in pairs):
        return False
    common = sum(1 for run in pairs for i in range(0, len(run), 2) if 0xB0 <= run[i] <= 0xD7 or 0xA1 <= run[i] <= 0xA3)
    try:
        text.decode("gb18030")
    except UnicodeDecodeError:
        return False
    hanzi = sum(1 for run in pairs for i in range(0, len(run), 2) if 0xB0 <= run[i] <= 0xD7)
    return length >= 4 and 2 * common > 0.9 * length and 2 * hanzi > 0.5 * length


def _western(text: bytes) -> str:
    if not re.search(rb"[\x80-\x9f]", text):
        return "latin-1"
    try:
        text.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _is_columns_of_numbers(text: str) -> bool:
    rows = [line.split() for line in text.splitlines()[:_ROWS] if line.strip()]
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1} or not rows:
        return False
    cells = [cell for row in rows[1:] for cell in row]
    return bool(cells) and sum(1 for cell in cells if _NUMBER.match(cell)) > 0.5 * len(cells)


def _bare(cell: str) -> str:
    return cell.strip().strip("'\"").strip()


def _fits(cell: str, column: list[str]) -> bool | None:
    """True where a cell is like those below, False where it stands out, None where nothing can be said."""
    filled = [value for value in column if value]
    if not cell or not filled:
        return None
    numeric = sum(1 for value in filled if _NUMBER.match(value)) > 0.8 * len(filled)
    if _NUMBER.match(cell):
        return True if numeric else None
    if cell.lower() in ("nan", "na", "null", "none", "?", "-"):
        return None
    if numeric:
        return False
    return True if cell in filled else None


def _counts_up(cells: list[str]) -> bool:
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,9}", cell)]
    if len(numbers) < max(2, len(cells) - 2):
        return False
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    return steps == {1} or (len(numbers) > 2 and len(steps) == 1 and steps != {0})
