"""A report with its sign-off block filled by its signatures: the same pages, made from the signed
report.json. The same report and signatures give the same bytes."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from porewatch.domain.reasons.catalogue import in_language
from porewatch.domain.results.report import Report
from porewatch.domain.signatures.signature import Signature
from porewatch.domain.signatures.signed_copies import signed_name
from porewatch_worker.report.compose import compose
from porewatch_worker.report.of_sample import compose_sample, cover_of
from porewatch_worker.report.pages.run_record.signed_block import signed_section, superseded
from porewatch_worker.report.parts.document import Document, Section
from porewatch_worker.report.parts.i18n import speaking
from porewatch_worker.report.parts.languages import Language, languages
from porewatch_worker.report.render_html import as_page
from porewatch_worker.report.render_pdf import printed
from porewatch_worker.report.sample_files import sample_files


def signed_pages(
    report: Report, signatures: Sequence[Signature], without: Container[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """Name and content of each copy that the last of `signatures` makes, but for the names of
    `without`. Of a single sample there is one when a signature covers it."""
    number, at = signatures[-1].number, signatures[-1].at
    for language in languages():
        document = _filled(report, signatures, language)
        for name in ("report.html", "report.pdf"):
            copy = signed_name(in_language(name, language), number)
            if copy not in without:
                html = name.endswith(".html")
                yield copy, as_page(document).encode() if html else printed(document, at)
    for name, (sample, language) in sample_files(report).items():
        copy, own = signed_name(name, number), [s for s in signatures if sample in s.samples]
        if own and copy not in without:
            yield copy, printed(_filled_sample(report, sample, own, language), at)


def _filled(report: Report, signatures: Sequence[Signature], language: Language) -> Document:
    document = compose(report, language)
    with speaking(language):
        remarks = superseded(report, signatures)
        return _with(document, signed_section(report, signatures), remarks)


def _filled_sample(
    report: Report, sample: str, signatures: Sequence[Signature], language: Language
) -> Document:
    """Nothing of other samples is in it, in a signer's words neither."""
    document, cover = compose_sample(report, sample, language), cover_of(report, sample, language)
    with speaking(language):
        block = signed_section(report, signatures, samples=frozenset({sample}), shown=cover.text)
        remarks = tuple(map(cover.text, superseded(report, signatures)))
        return _with(document, block, remarks)


def _with(document: Document, block: Section | None, remarks: tuple[str, ...]) -> Document:
    if block is None:
        return document
    body = tuple(block if section.id == block.id else section for section in document.body)
    return replace(document, body=body, remarks=(*remarks, *document.remarks))
