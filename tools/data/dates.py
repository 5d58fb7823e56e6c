"""Dates written as text: which format they follow, and how to turn them into moments."""

import re
import warnings

import pandas as pd

QUARTER = "quarter"
ISO = "ISO8601"
_CLOCK = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"]
_DAYS: list[tuple[str, list[str]]] = [
    (r"\d{4}/\d{1,2}/\d{1,2}", ["%Y/%m/%d"]),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", ["%Y.%m.%d"]),
    (r"\d{1,2}/\d{1,2}/\d{4}", ["%m/%d/%Y", "%d/%m/%Y"]),
    (r"\d{1,2}-\d{1,2}-\d{4}", ["%d-%m-%Y", "%m-%d-%Y"]),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ["%d.%m.%Y", "%m.%d.%Y"]),
    (r"\d{1,2}/\d{1,2}/\d{2}", ["%m/%d/%y", "%d/%m/%y"]),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", ["%d.%m.%y"]),
    (r"\d{1,2}[ -][A-Za-z]{3}[ -]\d{4}", ["%d %b %Y", "%d-%b-%Y"]),
    (r"\d{1,2}[ -][A-Za-z]{3}[ -]\d{2}", ["%d %b %y", "%d-%b-%y"]),
    (r"\d{1,2} [A-Za-z]{4,9} \d{4}", ["%d %B %Y"]),
    (r"[A-Za-z]{3} \d{1,2},? \d{4}", ["%b %d, %Y", "%b %d %Y"]),
    (r"[A-Za-z]{4,9} \d{1,2},? \d{4}", ["%B %d, %Y", "%B %d %Y"]),
    (r"[A-Za-z]{3}[ -]\d{4}", ["%b %Y", "%b-%Y"]),
    (r"\d{4}年\d{1,2}月\d{1,2}日", ["%Y年%m月%d日"]),
    (r"\d{4}年\d{1,2}月", ["%Y年%m月"]),
    (r"(?:19|20)\d{2}[01]\d[0-3]\d", ["%Y%m%d"]),
]
_WHOLE: list[tuple[str, str]] = [
    (r"\d{4}-\d{1,2}(-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?)?\s*(Z|[-+]\d{2}:?\d{2})?", ISO),
    (r"\d{4}[ -]?Q[1-4]", QUARTER),
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} [-+]\d{4} \d{4}", "%a %b %d %H:%M:%S %z %Y"),
]
_CLOCK_PATTERN = r"( \d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?"
_ENOUGH = 0.95


def date_format(texts: pd.Series) -> str | None:
    """Return the format that nearly all of these stripped, distinct texts follow, else None.

    Where day and month could change places, the one that every text allows wins, then the one that runs in order.
    """
    first = str(texts.iloc[0])
    for pattern, found in _WHOLE:
        if re.fullmatch(pattern, first) and _share(texts, found) >= _ENOUGH:
            return found
    candidates = [
        day + clock
        for pattern, days in _DAYS
        if re.fullmatch(pattern + _CLOCK_PATTERN, first)
        for day in days
        for clock in _CLOCK
    ]
    shares = {form: _share(texts, form) for form in candidates}
    good = [form for form in candidates if shares[form] >= _ENOUGH and shares[form] == max(shares.values())]
    if len(good) > 1:
        good.sort(key=lambda form: not parse_dates(texts, form).dropna().is_monotonic_increasing)
    return good[0] if good else None


def parse_dates(texts: pd.Series, form: str | None) -> pd.Series:
    """Turn texts (or dates already) into UTC moments without a zone; NaT where a text does not follow the format."""
    if texts.dtype.kind == "M":
        moments = texts
    elif form == QUARTER:
        parts = texts.str.strip().str.extract(r"^(\d{4})[ -]?Q([1-4])$")
        month = (pd.to_numeric(parts[1]) * 3 - 2).astype("Int64").astype("str")
        moments = pd.to_datetime(parts[0] + "-" + month + "-01", errors="coerce")
    else:
        utc = form == ISO or (form is not None and "%z" in form)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # says that it guesses, where no format is given
            moments = pd.to_datetime(texts.str.strip(), format=form, errors="coerce", utc=utc)
    return moments.dt.tz_convert("UTC").dt.tz_localize(None) if moments.dt.tz is not None else moments


def _share(texts: pd.Series, form: str) -> float:
    if form == ISO and not texts.str.match(r"\d{4}-\d").mean() >= _ENOUGH:
        return 0.0  # a bare year is ISO 8601 too, and here a number
    return float(parse_dates(texts, form).notna().mean())
