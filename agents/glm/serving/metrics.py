"""What a vLLM server counts, read from its /metrics: the text format of Prometheus, of which names, labels and values are needed."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LINE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r'(?P<name>\w+)="(?P<value>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Yield the samples of a page; what is none is passed over."""
    for line in text.splitlines():
        found = None if line.startswith("#") else _LINE.match(line)
        if found is None:
            continue
        try:
            value = float(found["value"])
        except ValueError:
            continue
        labels = {label["name"]: label["value"] for label in _LABEL.finditer(found["labels"] or "")}
        yield Sample(name=found["name"], labels=labels, value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the server counted since it started, over all its engines."""

    running: int
    """Requests that are being answered."""
    waiting: int
    cache_usage: float
    """Share of the room for context that is in use, of the fullest engine."""
    prompt_tokens: int
    output_tokens: int
    prefix_queries: int
    """Prompt tokens that were looked up in the prefix cache."""
    prefix_hits: int
    """Of these, found."""
    preemptions: int
    """Requests that had to make room for others and start anew."""

    @property
    def prefix_share(self) -> float | None:
        """Share of prompt tokens that were found in the prefix cache; None before the first."""
        return self.prefix_hits / self.prefix_queries if self.prefix_queries else None


def read_counts(text: str) -> Counts | None:
    """Return the counts on a page; None if it is not of a vLLM server."""
    totals: dict[str, float] = {}
    fullest = 0.0
    for sample in samples(text):
        if sample.name.startswith("vllm:") and math.isfinite(sample.value):
            totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
            if sample.name == "vllm:kv_cache_usage_perc":
                fullest = max(fullest, sample.value)
    if not totals:
        return None

    def count(name: str) -> int:
        return int(totals.get(f"vllm:{name}", totals.get(f"vllm:{name}_total", 0.0)))

    return Counts(
        running=count("num_requests_running"),
        waiting=count("num_requests_waiting"),
        cache_usage=fullest,
        prompt_tokens=count("prompt_tokens"),
        output_tokens=count("generation_tokens"),
        prefix_queries=count("prefix_cache_queries"),
        prefix_hits=count("prefix_cache_hits"),
        preemptions=count("num_preemptions"),
    )
