"""The sign-off block, filled by the signatures of the report: printed name, date and time with
zone, meaning (21 CFR 11.50), and the digest of the report that was signed (11.70)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from porewatch.domain.reasons.catalogue import REASONS, Catalogue, read
from porewatch.domain.results.report import Report
from porewatch.domain.signatures.signature import Signature
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Facts, Section
from porewatch_worker.report.parts.i18n import current_language, say

Pair = tuple[str, str]


@cache
def _words(language: str) -> Catalogue:
    """The words of pages about signatures; whoever signs sees the same there."""
    return Catalogue({**read(REASONS, language), **read("web", language)}, {})


def signed_section(
    report: Report,
    signatures: Sequence[Signature],
    *,
    samples: frozenset[str] | None = None,
    shown: Callable[[str], str] = str,
) -> Section | None:
    """None for a report that has no such block. `samples`: those that may be named, None for all;
    `shown`: what of a signer's words may be read."""
    block = report.sign_off
    if block is None:
        return None
    head = Facts(
        ((say("sign.report_sha"), block.report_sha256), (say("audit.head"), block.audit_head))
    )
    words = _words(current_language())
    parts = tuple(
        Section(
            f"signature-{one.number}",
            f"{words.filled('web.sign.title_one', {'number': one.number})}: "
            f"{words.named('meaning', one.meaning.value)}",
            (Facts(tuple(_facts(one, words, samples, shown))),),
        )
        for one in signatures
    )
    return Section("sign-off", say("sign.title"), (head,), parts=parts)


def superseded(report: Report, signatures: Sequence[Signature]) -> tuple[str, ...]:
    """A remark for the first page of a report that another revision has amended, or that was
    amended by a statement."""
    later = [one for one in signatures if one.supersedes == report.revision]
    if not later:
        return ()
    words, newest = _words(current_language()), later[-1]
    named = words.filled("web.sign.title_one", {"number": newest.number})
    state = words.named("Review_state", "amended")
    if newest.revision == report.revision:
        return (f"{state} ({named}): {newest.reason}",)
    by = words.filled("web.sign.superseded_by", {"revision": newest.revision})
    return (f"{state} ({named}): {by}",)


def _facts(
    one: Signature,
    words: Catalogue,
    samples: frozenset[str] | None,
    shown: Callable[[str], str],
) -> list[Pair]:
    def names(every: Sequence[str]) -> str:
        return ", ".join(name for name in every if samples is None or name in samples)

    def row(label: str, value: str) -> list[Pair]:
        return [(words.text(f"web.{label}"), value)] if value else []

    confirmed = one.confirmation
    return [
        *row("sign.by", f"{one.name} ({words.named('role', one.role.value)})"),
        *row("sign.at", numbers.moment(one.at)),
        *row("sign.meaning", words.named("meaning", one.meaning.value)),
        *row("sign.reason", shown(one.reason)),
        *row("run.revision", str(one.revision)),
        *row("sign.samples", names(one.samples)),
        *row("sign.withheld", names(one.withheld)),
        *row("sign.supersedes", "" if one.supersedes is None else str(one.supersedes)),
        *row("sign.again_at", f"{numbers.moment(confirmed.signed_in_at)}, {confirmed.issuer}"),
        *row("sign.digest", one.report_sha256),
        *row("sign.fingerprint", one.fingerprint),
    ]
