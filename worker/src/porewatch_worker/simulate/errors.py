"""What a nanopore sequencer makes of a fragment: errors and qualities, many fragments at once.

Error model after real reads (lambda, E. coli, mpox, SARS-CoV-2, aligned with minimap2): a read's
identity (matches / alignment columns) is Beta distributed; errors split into substitutions,
insertions and deletions; half of the deletions hit bases that repeat their neighbour; qualities
scatter by 5 Phred around a centre that makes their mean error probability the read's own error.
An aligner explains a read with as few errors as it can and turns an insertion beside a deletion
into a substitution, so the presets put in a little more error, and fewer substitutions, than the
figures that alignment then finds. Longer gaps arise only from neighbouring single edits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from porewatch_worker.simulate.edits import Codes, edit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ErrorModel:
    """Shares of errors add up to 1; `identity_*` are those of the Beta distribution."""

    name: str
    identity_mean: float
    identity_sd: float
    substitutions: float
    insertions: float
    deletions: float
    in_homopolymers: float = 0.5
    quality_sd: float = 5.0

    def draw_identities(self, reads: int, rng: np.random.Generator) -> Floats:
        """Beta with the model's mean and standard deviation, at most 0.9999."""
        mean = self.identity_mean
        weight = mean * (1 - mean) / self.identity_sd**2 - 1
        return np.minimum(rng.beta(mean * weight, (1 - mean) * weight, reads), 0.9999)


R10 = ErrorModel("r10.4.1", 0.974, 0.020, 0.420, 0.215, 0.365)
"""Aligned back: identity 0.975, sd 0.020, substitutions : insertions : deletions 45 : 20 : 35."""

R9 = ErrorModel("r9.4.1", 0.8955, 0.045, 0.245, 0.305, 0.450)
"""Aligned back: identity 0.905, sd 0.040, substitutions : insertions : deletions 35 : 25 : 40."""


def add_errors(
    codes: Codes, lengths: Ints, identities: Floats, model: ErrorModel, rng: np.random.Generator
) -> tuple[Codes, Ints]:
    """Sequence fragments. `codes` is all of them joined, `lengths` theirs (each at least 1).

    Returns the joined reads and their lengths. Per column of the alignment the error is
    e = 1 - identity; per base of the fragment that makes i = e*ins / (1 - e*ins) insertions and
    e*(1 + i) times the other shares.
    """
    e = 1 - identities
    insert = e * model.insertions / (1 - e * model.insertions)
    change = e * (1 + insert) * model.substitutions
    delete = _deletion_rates(codes, lengths, e * (1 + insert) * model.deletions, model)
    drawn = rng.random(len(codes), np.float32)
    deleted = drawn < delete
    changed = ~deleted & (drawn < delete + np.repeat(change.astype(np.float32), lengths))
    inserted = rng.random(len(codes), np.float32) < np.repeat(insert.astype(np.float32), lengths)
    out, counts = edit(codes, changed, deleted, inserted, rng)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    return out, np.add.reduceat(counts, starts)


def _deletion_rates(
    codes: Codes, lengths: Ints, rates: Floats, model: ErrorModel
) -> NDArray[np.float32]:
    """Per base: raised where it repeats a neighbour, so that the model's share falls there."""
    same = codes[1:] == codes[:-1]
    in_run = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    share = np.clip(np.add.reduceat(in_run.astype(np.int64), starts) / lengths, 0.05, 0.95)
    inside = (rates * model.in_homopolymers / share).astype(np.float32)
    outside = (rates * (1 - model.in_homopolymers) / (1 - share)).astype(np.float32)
    return np.where(in_run, np.repeat(inside, lengths), np.repeat(outside, lengths))


def draw_qualities(
    lengths: Ints, identities: Floats, model: ErrorModel, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Phred values 1..50 of all reads, joined.

    A normal Phred value with mean m and deviation s has the mean error 10^(-m/10) times
    exp((s ln10/10)^2 / 2), so the centre is s^2 ln10/20 above the read's own Phred value.
    """
    own = -10 * np.log10(1 - identities)
    centre = (own + model.quality_sd**2 * math.log(10) / 20).astype(np.float32)
    drawn = rng.standard_normal(int(lengths.sum()), np.float32)
    drawn *= np.float32(model.quality_sd)
    drawn += np.repeat(centre, lengths)
    return np.clip(np.rint(drawn), 1, 50).astype(np.uint8)
