"""The PERV type of a read's env, and where it changes from one type to another.

Input is one `MatchLine` a type. A base supports the types on whose reference it matches; a type
that does not align there gets half a match, since clipped bases would match by a half or more. Only
bases at which types differ matter.

- Path: the sequence of types with most matches, where each change costs `margin` matches (Viterbi
  1967). A read errs in single bases; a change needs more evidence on each side than it costs.
- Type: that of a path without change, if it leads every other type by `margin` matches and by the
  share `lead` of its env bases (the transmembrane parts are closer to each other than that).
  Otherwise the read is PERV without a type.
- Junction: a path with one change or more, each between stretches that lead by `margin` and whose
  places in env follow each other within HOMOLOGOUS bases, as recombination leaves them. Two
  molecules ligated in one read do not. Positions are compared where envs are aligned
  (`homologous`), on the left type's env and on the right one's: one that lacks bases at the break
  shows it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from porewatch_worker.science.sequence.base_alignment import MatchLine
from porewatch_worker.science.sequence.homologous import Columns

LEAST_ENV = 100
HOMOLOGOUS = 60
"""Bases by which positions at a break may differ once envs are aligned: the aligner's uncertainty
where a third of the bases differ."""

UNALIGNED = 0.5
LIKE_ITSELF = 0.10
"""A stretch may match worse than the read's best stretch by this share, not more."""

LEAST_LIKE = 0.75
"""Share of bases that must match: less is a type that the bundle does not hold."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """One change of type: env positions [low, high) hold the place."""

    left: str
    right: str
    low: int
    high: int
    homologous: bool


@dataclass(frozen=True)
class EnvVerdict:
    """`kind` None and no change: the read decides for no type."""

    bases: int
    kind: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class _Env:
    """The env part of a read: `where` are its bases, `scores[i, j]` supports type i at base j.
    `margin` (20 matches are about 70 bases of surface env, 30 % apart) and `lead`: see above."""

    kinds: tuple[str, ...]
    lines: Mapping[str, MatchLine]
    envs: Mapping[str, tuple[int, int]]
    where: Ints
    scores: Floats
    margin: float
    lead: float
    columns: Mapping[str, Columns]

    def hub(self, kind: int, place: int) -> int:
        """The place in env where all types are aligned."""
        there = self.columns.get(self.kinds[kind])
        return there.hub(place) if there else place

    def own(self, kind: int, column: int) -> int:
        """The place in env of that type that answers to it."""
        there = self.columns.get(self.kinds[kind])
        return there.own(column) if there else column

    def place(self, kind: int, base: int) -> int:
        """Position in env of that base, on the reference of that type."""
        name = self.kinds[kind]
        return int(self.lines[name].place[self.where[base]]) - self.envs[name][0]


def judge_env(
    lines: Mapping[str, MatchLine],
    envs: Mapping[str, tuple[int, int]],
    margin: float,
    lead: float,
    columns: Mapping[str, Columns] | None = None,
) -> EnvVerdict:
    """`lines` and `envs` (interval on the line's reference) by type, at least one; `columns`: how
    the envs are aligned (without: by their starts)."""
    kinds = tuple(sorted(lines))
    where = np.flatnonzero(np.any([_inside(lines[k], envs[k]) for k in kinds], axis=0))
    if len(where) < LEAST_ENV or len(kinds) < 2:
        return EnvVerdict(len(where))
    scores = np.array([_scores(lines[k], where) for k in kinds])
    env = _Env(kinds, lines, envs, where, scores, margin, lead, columns or {})
    path = _path(scores, margin)
    if (path == path[0]).all():
        return EnvVerdict(len(where), _pure(env, int(path[0])))
    return EnvVerdict(len(where), None, _changes(env, path))


def _inside(line: MatchLine, env: tuple[int, int]) -> NDArray[np.bool_]:
    return (line.place >= env[0]) & (line.place < env[1])


def _scores(line: MatchLine, where: Ints) -> Floats:
    return np.where(line.place[where] < 0, UNALIGNED, line.match[where].astype(np.float64))


def _pure(env: _Env, best: int) -> str | None:
    totals = env.scores.sum(axis=1)
    second = max(total for i, total in enumerate(totals) if i != best)
    bases = len(env.where)
    leads = totals[best] - second >= max(env.margin, env.lead * bases)
    return env.kinds[best] if leads and totals[best] >= LEAST_LIKE * bases else None


def _path(scores: Floats, margin: float) -> Ints:
    """The best type at each base, by dynamic programming over the bases at which types differ."""
    differ = np.flatnonzero((scores != scores[0]).any(axis=0))
    if not len(differ):
        return np.zeros(scores.shape[1], np.int64)
    total = scores[:, differ[0]].tolist()
    came: list[list[int]] = []
    for column in scores[:, differ[1:]].T.tolist():
        best = max(range(len(total)), key=total.__getitem__)
        least = total[best] - margin
        came.append([i if t >= least else best for i, t in enumerate(total)])
        total = [max(t, least) + gain for t, gain in zip(total, column, strict=True)]
    state = max(range(len(total)), key=total.__getitem__)
    chosen = [state]
    for step in reversed(came):
        state = step[state]
        chosen.append(state)
    nearest = np.searchsorted(differ, np.arange(scores.shape[1])).clip(0, len(differ) - 1)
    path: Ints = np.array(chosen[::-1])[nearest]
    return path


def _changes(env: _Env, path: Ints) -> tuple[Change, ...]:
    """Every change, when all stretches of the path look like their own type; else none."""
    cuts = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    likeness = [float(env.scores[path[a], a:b].mean()) for a, b in pairwise(cuts)]
    if min(likeness) < max(LEAST_LIKE, max(likeness) - LIKE_ITSELF):
        return ()
    changes = [
        _change(env, (a, cut, b), int(path[a]), int(path[cut]))
        for a, cut, b in zip(cuts, cuts[1:], cuts[2:], strict=False)
    ]
    return tuple(c for c in changes if c) if all(changes) else ()


def _change(env: _Env, span: tuple[int, int, int], left: int, right: int) -> Change | None:
    """The change at the middle of `span`; None when a side leads by too little. It is between the
    last base that supports the left type and the first that supports the right."""
    a, cut, b = span
    ahead = env.scores[left] - env.scores[right]
    if min(ahead[a:cut].sum(), -ahead[cut:b].sum()) < env.margin:
        return None
    before = a + np.flatnonzero((ahead[a:cut] > 0) & (env.scores[left, a:cut] == 1))[-1]
    after = cut + np.flatnonzero((ahead[cut:b] < 0) & (env.scores[right, cut:b] == 1))[0]
    mine, theirs = env.place(left, int(before)), env.place(right, int(after))
    low, high = env.hub(left, mine), env.hub(right, theirs)
    between = int(env.where[after] - env.where[before])
    on_left = env.own(left, high) - mine - between
    on_right = theirs - env.own(right, low) - between
    apart = min(abs(on_left), abs(on_right))
    names = env.kinds[left], env.kinds[right]
    return Change(*names, min(low, high), max(low, high) + 1, apart <= HOMOLOGOUS)
