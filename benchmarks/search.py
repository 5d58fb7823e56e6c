"""Which search gets how far with so many attempts, on landscapes that are made up: greedy, uct, and one plain conversation.

Each policy picks through the real journal and the view that the product makes of it; what a pick brings is drawn from a landscape
instead of being executed. A landscape gives the same answer to the same pick of the same lineage, so that policies are compared on
equal luck. Regret is what the chosen attempt lacks, in truth and not as scored, of the best that could have been found.
"""

import heapq
import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench import arguments, provenance, publish

from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.search.base import Pick, SearchPolicy
from open_autoglm.agents.search.greedy import GreedyPolicy
from open_autoglm.agents.search.reward import EVEN, reward
from open_autoglm.agents.search.single_loop import SingleLoopPolicy
from open_autoglm.agents.search.uct import UctPolicy
from open_autoglm.agents.search.view import view_of
from open_autoglm.agents.strategist import Operator

POLICIES: Mapping[str, Callable[[], SearchPolicy]] = {
    "greedy": GreedyPolicy,
    "uct": UctPolicy,
    "single-loop": SingleLoopPolicy,
}
FOLDS = 5
FOLD_NOISE = 0.06
ORACLE_DRAFTS = 12
FIRST_SEED = 1000
"""Landscapes below it were used to choose the constants of uct; those that are measured were not."""
MEMORY = Path("/dev/shm")  # a folder in memory where there is one: the disk is not what is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """How well code is written, in units of the spread of drafts."""

    drafts: int
    """Different ideas there are."""
    spread: float
    room: float
    """How far improvements of a draft may lead, on average."""
    gains: float
    """Share of the improvements that help."""
    fails: float
    improvements: int
    """Different ones of one attempt."""


AUTHORS = {
    "recipes": Author(drafts=10, spread=0.3, room=0.15, gains=0.3, fails=0.02, improvements=8),
    "a strong model": Author(drafts=60, spread=0.4, room=0.5, gains=0.35, fails=0.15, improvements=60),
    "a weak model": Author(drafts=60, spread=0.5, room=0.4, gains=0.2, fails=0.45, improvements=60),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A solution as it truly is."""

    key: tuple[int, ...]
    """The places of the picks that led to it."""
    quality: float
    ceiling: float
    """Where improvements of it lead at most."""


class Landscape:
    """What picks bring: the same pick brings the same, in whatever order."""

    def __init__(self, author: Author, seed: int) -> None:
        self.author = author
        self.seed = seed
        drafts = [self.draft(index) for index in range(min(ORACLE_DRAFTS, author.drafts))]
        self.oracle = max(point.ceiling for point in drafts if point is not None)

    def draft(self, index: int) -> Point | None:
        """Return the draft of that place; None where it fails."""
        luck = self._luck((index,))
        if luck.random() < self.author.fails / 2 and index:
            return None
        quality = luck.normal(0, self.author.spread)
        return Point(key=(index,), quality=quality, ceiling=quality + luck.exponential(self.author.room))

    def improve(self, point: Point, place: int) -> Point | None:
        """Return the improvement of that place; None where it fails."""
        luck = self._luck((*point.key, place))
        if luck.random() < self.author.fails:
            return None
        ceiling = point.ceiling + (luck.exponential(0.3) if luck.random() < 0.04 else 0.0)
        gained = luck.random() < self.author.gains
        step = luck.uniform(0, 0.5) * (ceiling - point.quality) if gained else -abs(luck.normal(0, 0.15))
        return Point(key=(*point.key, place), quality=point.quality + step, ceiling=ceiling)

    def tune(self, point: Point, place: int) -> Point:
        """Return the trial of that place: small steps, mostly to no avail."""
        luck = self._luck((*point.key, -1 - place))
        return replace(point, key=(*point.key, -1 - place), quality=point.quality + min(0.05, luck.normal(-0.02, 0.05)))

    def merge(self, points: Sequence[Point]) -> Point:
        """Return the ensemble: more is better as long as the members are good, and of different drafts."""
        heads: dict[int, Point] = {}
        for point in sorted(points, key=lambda point: -point.quality):
            heads.setdefault(point.key[0], point)
        members = [point.quality for point in heads.values()]
        values = [statistics.mean(members[:k]) + 0.12 * (1 - 1 / k) for k in range(1, len(members) + 1)]
        return Point(key=(), quality=max([*values, max(members) + 0.01]), ceiling=0.0)

    def scores(self, point: Point, number: int) -> list[float]:
        """Return the score of each fold."""
        noise = self._luck((*point.key, number, 7)).normal(0, FOLD_NOISE, FOLDS)
        return [float(score) for score in point.quality + noise]

    def _luck(self, key: tuple[int, ...]) -> np.random.Generator:
        return np.random.default_rng([self.seed, 999, *(part % 100_003 for part in key)])


class Run:
    """One search with so many attempts and workers."""

    def __init__(self, policy: SearchPolicy, landscape: Landscape, attempts: int, workers: int, folder: Path) -> None:
        self._policy, self._landscape = policy, landscape
        self._attempts, self._workers = attempts, workers
        self._journal = Journal(folder / "journal.sqlite")
        self._points: dict[str, Point] = {}
        self._made = 0

    def regret(self) -> float:
        """Search to the end of the budget; return what the chosen attempt lacks."""
        flying: list[tuple[float, str]] = []
        now = 0.0
        pace = np.random.default_rng(self._landscape.seed)
        while True:
            while len(flying) < self._workers and (attempt := self._begin()) is not None:
                heapq.heappush(flying, (now + float(pace.uniform(0.5, 1.5)), attempt))
            if not flying:
                break
            now, ended = heapq.heappop(flying)
            self._end(self._journal.attempt(ended))
        best = self._journal.best_attempts(greater_is_better=True, count=1)
        self._journal.close()
        return self._landscape.oracle - self._points[best[0].id].quality

    def _begin(self) -> str | None:
        """Reserve the next pick; one that has no ideas left is closed as empty, and another is made."""
        while self._made < self._attempts:
            view = view_of(
                self._journal,
                greater_is_better=True,
                share_spent=self._made / self._attempts,
                last=self._attempts - self._made == 1,
            )
            pick = self._policy.choose(view)
            if pick is None:
                return None
            attempt = self._journal.reserve(
                worker=0, operator=pick.operator, slot=pick.slot, parents=pick.parents, seed=0
            )
            if pick.operator is Operator.MERGE:
                self._journal.set_meta("scored_at_last_merge", str(view.scored))
            if self._has_ideas(pick, attempt):
                self._made += 1
                return attempt.id
            self._journal.update(replace(attempt, status=AttemptStatus.EMPTY))
        return None

    def _has_ideas(self, pick: Pick, attempt: Attempt) -> bool:
        author = self._landscape.author
        if pick.operator is Operator.DRAFT:
            return pick.slot < author.drafts
        if pick.operator is Operator.IMPROVE:
            return self._place(attempt) < author.improvements
        return True

    def _place(self, attempt: Attempt) -> int:
        """Return the how-manieth of its operator the attempt is on its parent."""
        rows = self._journal.rows(
            "SELECT COUNT(*) AS n FROM attempts WHERE operator = ? AND parents = (SELECT parents FROM attempts WHERE id = ?) "
            "AND number < (SELECT number FROM attempts WHERE id = ?)",
            attempt.operator, attempt.id, attempt.id,
        )  # fmt: skip
        return int(rows[0]["n"])

    def _end(self, attempt: Attempt) -> None:
        point = self._point(attempt)
        if point is None:
            self._journal.update(replace(attempt, status=AttemptStatus.FAILED, reward=0.0))
            return
        self._points[attempt.id] = point
        scores = self._landscape.scores(point, int(attempt.id[1:]) if attempt.operator is Operator.MERGE else 0)
        before = self._journal.attempt(attempt.parents[0]).fold_scores if len(attempt.parents) == 1 else []
        self._journal.update(
            replace(
                attempt,
                status=AttemptStatus.SCORED,
                mean=statistics.mean(scores),
                standard_error=statistics.stdev(scores) / FOLDS**0.5,
                detail={"fold_scores": list(scores)},
                reward=reward(scores, before, greater_is_better=True, test_share=0.25) if before else EVEN,
            )
        )

    def _point(self, attempt: Attempt) -> Point | None:
        if attempt.operator is Operator.DRAFT:
            return self._landscape.draft(attempt.slot)
        parents = [self._points[parent] for parent in attempt.parents]
        if attempt.operator is Operator.MERGE:
            return self._landscape.merge(parents)
        if attempt.operator is Operator.TUNE:
            return self._landscape.tune(parents[0], self._place(attempt))
        return self._landscape.improve(parents[0], self._place(attempt))


def regrets(policy: str, author: Author, attempts: int, workers: int, seeds: int) -> list[float]:
    """Return the regret on each of so many landscapes."""
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        folder = Path(tempfile.mkdtemp(prefix="autoglm-bench-", dir=MEMORY if MEMORY.is_dir() else None))
        try:
            found.append(Run(POLICIES[policy](), Landscape(author, seed), attempts, workers, folder).regret())
        finally:
            shutil.rmtree(folder)
    return found


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=40, help="landscapes of each kind")
    parser.add_argument("--attempts", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    given = parser.parse_args()
    lines = [f"| author | attempts | workers | {' | '.join(POLICIES)} | uct against greedy |", f"|{'---|' * 7}"]
    for name, author in AUTHORS.items():
        for attempts in given.attempts:
            for workers in given.workers:
                found = {policy: regrets(policy, author, attempts, workers, given.seeds) for policy in POLICIES}
                paired = [ours - theirs for ours, theirs in zip(found["uct"], found["greedy"], strict=True)]
                error = statistics.stdev(paired) / len(paired) ** 0.5
                cells = [f"{statistics.mean(values):.3f}" for values in found.values()]
                lines.append(
                    f"| {name} | {attempts} | {workers} | {' | '.join(cells)} | {statistics.mean(paired):+.3f} ± {error:.3f} |"
                )
                print(lines[-1], flush=True)
    about = (
        f"Mean regret over {given.seeds} landscapes, smaller is better; first drafts spread by 0.3 to 0.5, and ensembles and lucky improvements may lead below zero. The last column "
        "is the mean difference on the same landscapes with its standard error: below zero, uct found better attempts. The landscapes "
        "are made up (`benchmarks/search.py` says how), so that the table ranks policies and predicts no scores. The constants of uct were "
        "chosen on other landscapes of the same kinds, which those of greedy were not: read small differences with that in mind."
    )
    publish(
        "\n".join(["# Search policies on made-up landscapes", "", provenance(), "", *lines, "", about, ""]),
        "search", write=given.write,
    )  # fmt: skip


if __name__ == "__main__":
    main()
