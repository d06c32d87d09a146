"""Poison units: parts of the input on which the worker fails again and again, and what is given up.

One bad stretch of reads must not fail a run for ever, and must not be dropped silently: the
unit is left out, its reads are counted as `quarantined`, and every statement about its samples
says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model
from porewatch.domain.reasons.reason import Code, Reason, Reasons, because, clauses, of_version_1

QUARANTINED = "quarantined"
"""The reason under which a sample's account of reads counts what was left out."""


class QuarantineRules(Model):
    """When a unit is given up, and how many may be before the stage fails instead.

    They are no part of a checkpoint's fingerprint: changing them keeps the work that is done.
    """

    tries: Annotated[int, Field(ge=1, description="failures of one unit that end its tries")] = 3
    most_units: Annotated[int, Field(ge=0, description="units of a stage, at most")] = 3
    most_share: Annotated[
        float, Field(ge=0, le=1, description="share of a stage's units; one is always allowed")
    ] = 0.05

    def allowed(self, units: int) -> int:
        """How many of `units` may be left out. Never all of them."""
        share = max(1, int(units * self.most_share))
        return max(0, min(self.most_units, share, units - 1))


class QuarantinedUnit(Model):
    """One unit that was given up. `samples` is None when any sample of the run may be concerned,
    `reads` is None when they could not be counted."""

    unit: int
    what: Annotated[str, Field(description="file, and reads of it by number; of many, the first")]
    stretches: Annotated[
        tuple[str, ...], Field(description="every file of the unit, and its reads by number")
    ] = ()
    reads: int | None = None
    samples: tuple[str, ...] | None = None
    tries: int
    why: Annotated[Reasons, Field(description="what its last try ended with, by code")] = ()

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def reason(self) -> str:
        return clauses(self.why)

    @property
    def killed(self) -> bool:
        """Whether it kills the process that computes it."""
        return any(reason.code is Code.UNIT_KILLED for reason in self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, reason="why")

    def concerns(self, sample: str) -> bool:
        return self.samples is None or sample in self.samples

    def remark(self) -> Reason:
        """What is missing and why."""
        if self.reads is None:
            return because(
                Code.UNIT_GIVEN_UP_UNCOUNTED, unit=self.unit, stretch=self.what, tries=self.tries,
                why=self.why,
            )  # fmt: skip
        return because(
            Code.UNIT_GIVEN_UP, unit=self.unit, stretch=self.what, tries=self.tries, why=self.why,
            reads=self.reads,
        )  # fmt: skip

    def sentence(self) -> str:
        """The same for people, in English."""
        return self.remark().text()


def names_of(units: Sequence[QuarantinedUnit]) -> str:
    """`unit 3 (fastq/a.fastq.gz, reads 8,001 to 12,000): why; unit 9 (...): why`."""
    return "; ".join(f"unit {u.unit} ({u.what}): {u.reason}" for u in units)
