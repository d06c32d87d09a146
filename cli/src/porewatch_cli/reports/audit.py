"""`porewatch audit`: does a report still fit its own audit trail, and the head that somebody kept?

A chain that was rewritten as a whole is sound in itself: only a head kept elsewhere tells it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain.errors import InputRefused
from porewatch.domain.results.audit_anchors import (
    Anchor,
    AnchorDay,
    AnchorFound,
    DayFound,
    breaks,
    found_by_day,
    heads_of,
    recorded_on,
)
from porewatch.domain.results.report import Report
from porewatch_cli.plurals import plural
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.pages.run_record.audit_trail import Document, trail_faults

if TYPE_CHECKING:
    from porewatch.adapters.ledger.anchors import Anchors
    from porewatch_cli.stack import Stack

HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
REMEDY = "give the 64 characters that `porewatch audit` or the sign-off printed, or a file of them."


@dataclass(frozen=True)
class Anchored:
    """What the stack holds of a report's head, by code and values, and as sentences for people.

    `head`, `at`: of the anchor, None without one. `day`: whose record names it; `newest`: the last
    day of the chain, with the digest of its record (which covers all before it). `deleted`: what
    the run's record says of its deletion.
    """

    found: AnchorFound
    chain: DayFound
    head: str | None = None
    at: datetime | None = None
    day: date | None = None
    newest: tuple[date, str] | None = None
    deleted: str = ""

    @property
    def denies(self) -> bool:
        return self.found.denies or self.chain.denies

    def told(self) -> dict[str, object]:
        """For scripts."""
        newest = self.newest
        return {
            "code": self.found,
            "head": self.head,
            "at": self.at.isoformat() if self.at else None,
            "says": self.says,
            "chain": {
                "code": self.chain,
                "day": self.day.isoformat() if self.day else None,
                "newest": newest[0].isoformat() if newest else None,
                "newest_digest": newest[1] if newest else None,
                "says": self.chain_says,
            },
        }

    @property
    def says(self) -> str:
        """One sentence about the anchor."""
        return {
            AnchorFound.NONE: "the stack keeps no anchor of it (reports of earlier versions have "
            "none)",
            AnchorFound.SIGNED: f"the stack signed this head when it was published ({self._when})",
            AnchorFound.FORGED: "the anchor in the ledger was not made by the stack's audit key",
            AnchorFound.OTHER: "the stack published another report: its head was "
            f"{self.head} ({self._when})",
            AnchorFound.REMOVED: f"its anchor was removed: the record of {self.day} names the head "
            f"{self.head}",
            AnchorFound.DELETED: f"its anchor went with its run: {self.deleted}",
        }[self.found]

    @property
    def chain_says(self) -> str:
        """One sentence about the daily records."""
        newest = self.newest
        upto = f"; the chain holds up to {newest[0]}, digest {newest[1]}" if newest else ""
        return {
            DayFound.NONE: "no day was recorded yet",
            DayFound.UNNAMED: f"no daily record names it{upto}",
            DayFound.BEFORE: "it was published before the first daily record, or by a version that "
            f"made none{upto}",
            DayFound.NOT_YET: f"its day has no record yet{upto}",
            DayFound.RECORDED: f"the signed record of {self.day} names this head{upto}",
            DayFound.MISSING: "the signed record of its day does not name it",
            DayFound.BROKEN: f"the daily records do not follow each other from {self.day} on",
            DayFound.FORGED: f"the record of {self.day} was not made by the stack's audit key",
        }[self.chain]

    @property
    def _when(self) -> str:
        when = self.at or self.day
        return f"{when:%Y-%m-%d}" if when else ""


def anchored(report: Report, stack: Stack) -> Anchored:
    """The anchor that the stack kept when it published the report, compared and proved, and the
    daily record that names it."""
    anchors = stack.anchors
    if anchors is None:
        return Anchored(AnchorFound.NONE, DayFound.NONE)
    days = anchors.days()
    anchor = anchors.of(report.run_id, report.revision)
    chain = _chain(anchors, days, since=anchor.at.astimezone(UTC).date() if anchor else date.min)
    if anchor is None:
        return _unanchored(report, days, chain, _deleted(stack, report))
    chain = _of_the_anchor(anchor, anchors, days, chain)
    told = replace(chain, head=anchor.head, at=anchor.at)
    if not anchors.proves(anchor):
        return replace(told, found=AnchorFound.FORGED)
    if report.audit is None or anchor.head != report.audit.head:
        return replace(told, found=AnchorFound.OTHER)
    return replace(told, found=AnchorFound.SIGNED)


def _chain(anchors: Anchors, days: Sequence[AnchorDay], since: date) -> Anchored:
    """Whether the daily records follow each other, and each one from day `since` on, and the newest
    anyway, is the key's. A record vouches for the one before it only as far as its maker looked."""
    if not days:
        return Anchored(AnchorFound.NONE, DayFound.NONE)
    broken = next(breaks(days), None)
    if broken is not None:
        return Anchored(AnchorFound.NONE, DayFound.BROKEN, day=broken)
    asked = (record for record in days if record.day >= since or record is days[-1])
    forged = next((record for record in asked if not anchors.proves_day(record)), None)
    if forged is not None:
        return Anchored(AnchorFound.NONE, DayFound.FORGED, day=forged.day)
    newest = (days[-1].day, days[-1].digest())
    return Anchored(AnchorFound.NONE, DayFound.NOT_YET, newest=newest)


def _deleted(stack: Stack, report: Report) -> str:
    """What the run's record says of its deletion; nothing of a run that was not deleted."""
    run = stack.runs.find(report.run_id)
    return run.deletion.sentence(run.run_id) if run and run.deletion else ""


def _unanchored(
    report: Report, days: Sequence[AnchorDay], chain: Anchored, deleted: str
) -> Anchored:
    """A report whose anchor is not there: a record may name what was published. The anchors of a
    run that was `deleted` went with it."""
    told = replace(chain, deleted=deleted)
    for record in days:
        for head in heads_of(report.run_id, report.revision, [record]):
            other = report.audit is None or head != report.audit.head
            gone = AnchorFound.OTHER if other else AnchorFound.DELETED
            by_chain = DayFound.RECORDED if chain.newest else chain.chain
            found = gone if deleted else AnchorFound.REMOVED
            return replace(told, found=found, chain=by_chain, head=head, day=record.day)
    told = replace(told, found=AnchorFound.DELETED if deleted else AnchorFound.NONE)
    return replace(told, chain=DayFound.UNNAMED) if chain.newest else told


def _of_the_anchor(
    anchor: Anchor, anchors: Anchors, days: Sequence[AnchorDay], chain: Anchored
) -> Anchored:
    if chain.chain.denies:
        return chain
    record = recorded_on(anchor, days)
    by_day = found_by_day(anchor, days, listed=anchors.lists(anchor))
    return replace(chain, chain=by_day, day=record.day if record else None)


def audit_report(
    report: Report,
    document: Document | None = None,
    *,
    as_json: bool,
    kept: str | None = None,
    anchor: Anchored | None = None,
) -> bool:
    """Show every fault. True when all fits, the head `kept` from an earlier time and the stack's
    `anchor` included."""
    head = report.audit.head if report.audit else ""
    found = list(trail_faults(report, document))
    if kept is not None and head and kept != head:
        found.append(
            f"the head is not the one that was kept ({kept}): the trail was rewritten, "
            "or that head is another report's (of another run or revision)"
        )
    if anchor is not None:
        found += [anchor.says] * anchor.found.denies + [anchor.chain_says] * anchor.chain.denies
    entries = len(report.audit.entries) if report.audit else 0
    if as_json:
        told = {"run_id": report.run_id, "holds": not found, "head": head, "entries": entries}
        signed = anchor.told() if anchor else None
        print_json({**told, "kept_head": kept, "anchor": signed, "faults": found})
        return not found
    for fault in found:
        console.print(Text.assemble(("changed", "bold red"), f" {fault}"), soft_wrap=True)
    if not found:
        console.print(f"{report.run_id}: {plural(entries, 'entry', 'entries')}, the chain holds.")
    if head:
        console.print(f"head {head}{_of_the_kept(head, kept)}", soft_wrap=True)
    if anchor is not None and not anchor.found.denies:
        console.print(anchor.says, soft_wrap=True)
    if anchor is not None and not anchor.chain.denies:
        console.print(anchor.chain_says, soft_wrap=True)
    return not found


def kept_head(given: str) -> str:
    """The head that `--head` means: the hash itself, or the one in a file (what `porewatch audit`
    printed, an earlier report.json, a note). Raises InputRefused when there is none, or several."""
    if HASH.fullmatch(given.strip().lower()):
        return given.strip().lower()
    path = Path(given)
    if not path.is_file():
        raise InputRefused("this is neither a head nor a file.", file=given, remedy=REMEDY)
    text = path.read_text(encoding="utf-8", errors="replace")
    told = _in_json(text)
    there: dict[str, None] = dict.fromkeys(HASH.findall(text.lower()) if told is None else told)
    if len(there) != 1:
        raise InputRefused(
            f"there are {len(there)} heads in it." if there else "there is no head in it.",
            file=given,
            remedy=REMEDY,
        )
    return next(iter(there))


def _in_json(text: str) -> list[str] | None:
    """From a report (its trail) or from `porewatch audit --json`, whose other hashes are no heads;
    None for other text."""
    try:
        told = json.loads(text)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    trail = told.get("audit")
    head = trail.get("head") if isinstance(trail, dict) else told.get("head")
    return HASH.findall(head) if isinstance(head, str) else []


def _of_the_kept(head: str, kept: str | None) -> str:
    if kept is None:
        return "  (keep it elsewhere; --head compares it)"
    return "  (as kept)" if head == kept else ""
