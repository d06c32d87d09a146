"""`porewatch audit`: check a report against its audit trail, and against a head kept elsewhere.

A chain that was rewritten as a whole is consistent: only a head kept elsewhere reveals it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain.errors import Refused
from porewatch.domain.results.audit_anchors import (
    Anchor,
    AnchorDay,
    AnchorFound,
    DayFound,
    breaks,
    found_by_day,
    heads_of,
    recorded_on,
    unlike,
)
from porewatch.domain.results.report import Report
from porewatch_cli.plurals import plural
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.pages.run_record.audit_trail import Document, trail_faults

if TYPE_CHECKING:
    from porewatch.adapters.audit.anchors import Anchors
    from porewatch_cli.reports.signatures_audit import Signed
    from porewatch_cli.stack import Stack


@dataclass(frozen=True)
class Anchored:
    """The stack's evidence about a report's head, as codes with values, and as sentences.

    `head`, `at`: of the anchor, None without one. `day`: of the daily record that names it;
    `newest`: the last day of the chain, with the digest of its record (which covers all before
    it). `deleted`: how the run was deleted, from its record.
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

    def for_scripts(self) -> dict[str, object]:
        """The JSON form, for scripts."""
        newest = self.newest
        return {
            "code": self.found,
            "head": self.head,
            "at": self.at.isoformat() if self.at else None,
            "says": self.sentence,
            "chain": {
                "code": self.chain,
                "day": self.day.isoformat() if self.day else None,
                "newest": newest[0].isoformat() if newest else None,
                "newest_digest": newest[1] if newest else None,
                "says": self.chain_sentence,
            },
        }

    @property
    def sentence(self) -> str:
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
            AnchorFound.DELETED: f"its anchor was deleted with its run: {self.deleted}",
        }[self.found]

    @property
    def chain_sentence(self) -> str:
        """One sentence about the daily records."""
        newest = self.newest
        upto = f"; the chain is valid up to {newest[0]}, digest {newest[1]}" if newest else ""
        return {
            DayFound.NONE: "there is no daily record yet",
            DayFound.UNNAMED: f"no daily record names it{upto}",
            DayFound.BEFORE: "it was published before the first daily record, or by a version "
            f"without daily records{upto}",
            DayFound.NOT_YET: f"its day has no record yet{upto}",
            DayFound.RECORDED: f"the signed record of {self.day} names this head{upto}",
            DayFound.MISSING: "the signed record of its day does not name it",
            DayFound.BROKEN: f"the chain of daily records is broken at {self.day}",
            DayFound.FORGED: f"the record of {self.day} was not made by the stack's audit key",
            DayFound.UNLIKE_LOCKED: f"the record of {self.day} is not its locked copy",
        }[self.chain]

    @property
    def _when(self) -> str:
        when = self.at or self.day
        return f"{when:%Y-%m-%d}" if when else ""


def anchored(report: Report, stack: Stack) -> Anchored:
    """Compare the report with the anchor that the stack kept at publication, verify its signature,
    and find the daily record that names it."""
    anchors = stack.anchors
    if anchors is None:
        return Anchored(AnchorFound.NONE, DayFound.NONE)
    days = anchors.days()
    anchor = anchors.of(report.run_id, report.revision)
    since = anchor.at.astimezone(UTC).date() if anchor else date.min
    chain = _chain(stack, anchors, days, since)
    if anchor is None:
        return _unanchored(report, days, chain, _deleted(stack, report))
    chain = _with_anchor(anchor, anchors, days, chain)
    compared = replace(chain, head=anchor.head, at=anchor.at)
    if not anchors.proves(anchor):
        return replace(compared, found=AnchorFound.FORGED)
    if report.audit is None or anchor.head != report.audit.head:
        return replace(compared, found=AnchorFound.OTHER)
    return replace(compared, found=AnchorFound.SIGNED)


def _chain(stack: Stack, anchors: Anchors, days: Sequence[AnchorDay], since: date) -> Anchored:
    """Check that the daily records form a chain, are their locked copies, and the signature of each
    record from `since` on and of the newest. A record covers the one before it only as far as its
    writer verified it."""
    other = unlike(days, stack.locked_days)
    if other is not None:
        return Anchored(AnchorFound.NONE, DayFound.UNLIKE_LOCKED, day=other)
    if not days:
        return Anchored(AnchorFound.NONE, DayFound.NONE)
    broken = next(breaks(days), None)
    if broken is not None:
        return Anchored(AnchorFound.NONE, DayFound.BROKEN, day=broken)
    checked = (record for record in days if record.day >= since or record is days[-1])
    forged = next((record for record in checked if not anchors.proves_day(record)), None)
    if forged is not None:
        return Anchored(AnchorFound.NONE, DayFound.FORGED, day=forged.day)
    newest = (days[-1].day, days[-1].digest())
    return Anchored(AnchorFound.NONE, DayFound.NOT_YET, newest=newest)


def _deleted(stack: Stack, report: Report) -> str:
    """How the run was deleted, from its record; empty for a run that was not."""
    run = stack.runs.find(report.run_id)
    return run.deletion.sentence(run.run_id) if run and run.deletion else ""


def _unanchored(
    report: Report, days: Sequence[AnchorDay], chain: Anchored, deleted: str
) -> Anchored:
    """A report without an anchor: a daily record may name its head. Deleting a run deletes its
    anchors."""
    result = replace(chain, deleted=deleted)
    for record in days:
        for head in heads_of(report.run_id, report.revision, [record]):
            other = report.audit is None or head != report.audit.head
            if_deleted = AnchorFound.OTHER if other else AnchorFound.DELETED
            by_chain = DayFound.RECORDED if chain.newest else chain.chain
            found = if_deleted if deleted else AnchorFound.REMOVED
            return replace(result, found=found, chain=by_chain, head=head, day=record.day)
    result = replace(result, found=AnchorFound.DELETED if deleted else AnchorFound.NONE)
    return replace(result, chain=DayFound.UNNAMED) if chain.newest else result


def _with_anchor(
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
    signed: Signed | None = None,
) -> bool:
    """Show every fault. True without faults, also compared with the head `kept` earlier and with
    the stack's `anchor`; `signed`: the signatures of the run."""
    head = report.audit.head if report.audit else ""
    found = list(trail_faults(report, document))
    if kept is not None and head and kept != head:
        found.append(
            f"the head is not the one that was kept ({kept}): the trail was rewritten, "
            "or that head is another report's (of another run or revision)"
        )
    if anchor is not None:
        found += [anchor.sentence] * anchor.found.denies + [
            anchor.chain_sentence
        ] * anchor.chain.denies
    found += signed.sentences if signed else []
    entries = len(report.audit.entries) if report.audit else 0
    if as_json:
        summary = {"run_id": report.run_id, "holds": not found, "head": head, "entries": entries}
        beside = {
            "anchor": anchor.for_scripts() if anchor else None,
            "signatures": signed.for_scripts() if signed else None,
        }
        print_json({**summary, "kept_head": kept, **beside, "faults": found})
        return not found
    _print_faults(found)
    if not found:
        console.print(
            f"{report.run_id}: {plural(entries, 'entry', 'entries')}, the chain is valid."
        )
    if head:
        console.print(f"head {head}{_compared_with_kept(head, kept)}", soft_wrap=True)
    if anchor is not None and not anchor.found.denies:
        console.print(anchor.sentence, soft_wrap=True)
    if anchor is not None and not anchor.chain.denies:
        console.print(anchor.chain_sentence, soft_wrap=True)
    _print_valid(signed)
    return not found


def audit_signatures(
    run_id: str, refusal: Refused, signed: Signed, *, as_json: bool, kept: str | None
) -> None:
    """Show what is found of a run's signatures when its report cannot be read, which is a fault,
    too: deleted, expired, or no report any more."""
    missing = f"the report cannot be read: {refusal.problem}"
    if as_json:
        summary = {"run_id": run_id, "holds": False, "head": "", "entries": 0, "kept_head": kept}
        beside = {"anchor": None, "signatures": signed.for_scripts()}
        print_json({**summary, **beside, "faults": [missing, *signed.sentences]})
        return
    console.print(Text(missing), soft_wrap=True)
    _print_faults(signed.sentences)
    _print_valid(signed)


def _print_faults(faults: Sequence[str]) -> None:
    for fault in faults:
        console.print(Text.assemble(("changed", "bold red"), f" {fault}"), soft_wrap=True)


def _print_valid(signed: Signed | None) -> None:
    for line in signed.remarks if signed else ():
        console.print(line)


def _compared_with_kept(head: str, kept: str | None) -> str:
    if kept is None:
        return "  (keep it elsewhere; --head compares it)"
    return "  (as kept)" if head == kept else ""
