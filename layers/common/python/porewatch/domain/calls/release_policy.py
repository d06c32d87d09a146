"""The release policy: which controls a run must have before a sample's result may be relied on.

It is data (worker data file `release.json`), versioned, and its digest is printed in the report. A
run names its policy in the manifest; the one named `default` only remarks on missing controls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from porewatch.domain.base import Model
from porewatch.domain.errors import ManifestRefused

DEFAULT = "default"
ANY = "any"
"""In place of the policies that a stack takes: all of them."""


class Consequence(StrEnum):
    """What follows for the samples that a control governs."""

    NONE = "none"
    REMARK = "remark"
    REFUSE = "refuse"  # the outcome is `not_reportable`, with the reason


class ReleasePolicy(Model):
    """`missing_*`: neither the run nor the sample's batch has that control. `contaminated`: a code
    that the no-template control holds as detected is also found in the sample. `positive_failed`:
    a positive control misses what it must show. `crosstalk_over_budget`: in the sample itself;
    `crosstalk_in_control`: in any control, for it and for every sample that was pooled with it (a
    batch is extracted together, but barcodes leak in the pool). Budgets are shares of reads."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    purpose: str
    missing_no_template_control: Consequence
    missing_positive_control: Consequence
    missing_spike_in: Consequence
    contaminated: Consequence
    positive_failed: Consequence
    spike_out_of_bounds: Consequence
    crosstalk_over_budget: Consequence
    crosstalk_in_control: Consequence = Consequence.REMARK
    expected_codes: Annotated[
        tuple[str, ...], Field(description="a positive control shows these, if its row says none")
    ] = ()
    positive_unstated: Annotated[
        Consequence, Field(description="a positive control that states no code it must show")
    ] = Consequence.REMARK
    plausible_from_reads: Annotated[
        int, Field(ge=1, description="fewer passed reads are too few to doubt the sample")
    ] = 100
    least_host_share: Annotated[
        float, Field(ge=0, lt=1, description="of passed reads, in a sample of the host")
    ] = 0.01
    most_unassigned_share: Annotated[
        float, Field(gt=0, le=1, description="of passed reads that fit nothing in the bundle")
    ] = 0.5
    min_passed_reads: Annotated[int, Field(ge=1)] = 1
    min_spike_reads: Annotated[
        int | None, Field(ge=1, description="None: as the screening parameters say")
    ] = None
    spike_recovery: Annotated[
        tuple[float, float] | None,
        Field(description="least and most, relative to the run's median"),
    ] = None
    crosstalk_budget: Annotated[float, Field(gt=0, lt=1)] = 0.001
    min_read_length: Annotated[
        int | None, Field(ge=40, description="None: by material, else as the parameters say")
    ] = None
    min_block: Annotated[int | None, Field(ge=40)] = None
    filtered_remark: Annotated[
        float, Field(gt=0, le=1, description="share of reads lost to filters that is remarked on")
    ] = 0.2
    filtered_refuse: Annotated[
        float, Field(gt=0, le=1, description="share of them above which nothing may be relied on")
    ] = 0.5


class Ground(Model):
    """What a number rests on. `number`: a field of the policy or of the screening parameters.
    `source`: who published what; blank where nobody did and the number is our choice."""

    number: str
    source: str = ""
    why: str


class ReleasePolicies(Model):
    """All policies of this version of the file, and what numbers of policy and bench rest on."""

    schema_version: Literal["1"] = "1"
    version: str
    provenance: str
    policies: Annotated[tuple[ReleasePolicy, ...], Field(min_length=1)]
    grounds: tuple[Ground, ...] = ()

    @model_validator(mode="after")
    def _named_once(self) -> ReleasePolicies:
        twice = [n for n, times in Counter(p.name for p in self.policies).items() if times > 1]
        if twice:
            raise ValueError(f"duplicate policy: {', '.join(twice)}")
        return self

    def of(self, name: str) -> ReleasePolicy:
        """The policy of that name. Raises ManifestRefused: an unknown one must not be lax."""
        for policy in self.policies:
            if policy.name == name:
                return policy
        raise ManifestRefused(
            f"there is no release policy {name!r}.",
            file="run.json",
            remedy=f"use one of {', '.join(p.name for p in self.policies)}.",
        )


def refuse_other(policy: str, taken: Collection[str]) -> None:
    """Raises ManifestRefused for a policy that the stack does not take. `taken` by name, or ANY."""
    if ANY in taken or policy in taken:
        return
    names = " or ".join(taken)
    raise ManifestRefused(
        f"this stack takes no run under release policy {policy!r}, only under {names}.",
        file="run.json",
        remedy=f"submit it with --release-policy {next(iter(taken))}, "
        "or write release_policy into run.json, or into the name of the tar's folder.",
    )


def of_summary(taken: Sequence[str]) -> str:
    """The policy of a run that a sequencer seals, which names none: the first that is taken."""
    return DEFAULT if ANY in taken else taken[0]
