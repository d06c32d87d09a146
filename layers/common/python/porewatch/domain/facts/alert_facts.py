"""Facts about suspected pathogens and the alerts raised for them."""

from __future__ import annotations

from porewatch.domain.base import Moment, Problem
from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.facts.fact import Fact
from porewatch.domain.reasons.reason import BesideText


class PathogenSuspected(Fact):
    """The rule of a severe detection is met: over the reads so far, while the run goes on (level
    provisional), or by the final result without having been met before (final). It carries the
    evidence that met it; `why` has `rule` by code."""

    sample: str
    code: str
    name: str
    severity: str
    reads: int
    level: Level = Level.PROVISIONAL
    starts: int | None = None
    breadth: float | None = None
    identity: float | None = None
    rule: str = ""
    why: BesideText = ()


class AboutAlert(Fact):
    """Common to facts about an alert that was raised; `revision` is the alert's."""

    sample: str
    code: str
    name: str
    severity: str


class SuspicionConfirmed(AboutAlert):
    """The report holds what was alerted. `by_revision`: whose report; `outcome`: whether the
    sample's results are reportable; `alerted_reads`: what the alert rested on.
    `why` has `rule` by code."""

    by_revision: int
    alerted_reads: int
    call: str
    rule: str
    outcome: str = ""
    why: BesideText = ()


class SuspicionWithdrawn(AboutAlert):
    """The report does not hold what was alerted: its call and rule say what changed. `why` has
    `rule` by code."""

    by_revision: int
    alerted_reads: int
    call: str
    rule: str
    outcome: str = ""
    why: BesideText = ()


class SuspicionUnconfirmed(AboutAlert):
    """The run ended without a report: the suspicion stands, neither confirmed nor withdrawn."""

    alerted_reads: int
    problem: Problem


class AlertAcknowledged(AboutAlert):
    """A person has seen the alert; `note` says what was decided."""

    by: str
    note: str


class AlertEscalated(AboutAlert):
    """A critical alert was not acknowledged in time: it goes to the escalation address, for the
    `number`-th time."""

    number: int
    raised_at: Moment
    verdict: str
    alerted_reads: int
