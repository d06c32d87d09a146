"""The sign-off block of a report, filled by its signatures: in HTML and PDF, in every language, of
the run and of single samples."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from porewatch.domain.reasons.catalogue import in_language
from porewatch.domain.results.report import Report
from porewatch.domain.signatures.signature import Meaning, Signature
from porewatch.domain.signatures.signed_copies import signed_name
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.of_sample import file_keys
from porewatch_worker.report.pages.run_record.audit_trail import with_trail
from porewatch_worker.report.pages.run_record.release_and_signoff import LINE
from porewatch_worker.report.parts.languages import languages
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.report.signed_pages import signed_pages
from tests.unit.domain.test_signatures import ADA, BEN, chained, signature
from tests.web import made_up

ONE, OTHER = "donor-05", "donor-17"
WORDS = "Controls were looked at; donor-17 again."


@pytest.fixture(scope="module")
def sealed() -> Report:
    return with_trail(assemble(made_up.twenty_four()))


@pytest.fixture(scope="module")
def signatures(sealed: Report) -> list[Signature]:
    """Reviewed by one for all samples, released by the other for two of them."""
    every = tuple(s.name for s in sealed.samples if s.name in sealed.subjects)
    return chained(
        signature(1, Meaning.REVIEWED, ADA, name="Ada Lovelace", samples=every, reason=WORDS),
        signature(2, Meaning.RELEASED, BEN, name="山田 太郎", samples=(ONE, OTHER), reviews=(1,)),
    )


@pytest.fixture(scope="module")
def copies(sealed: Report, signatures: list[Signature]) -> dict[str, bytes]:
    """Of the run, and of two samples."""
    keys = file_keys(sealed)
    mine = {f"report-{keys[name]}." for name in (ONE, OTHER, "donor-01")}
    others = {
        f"report-{key}.signed.2.{rest}"
        for key in keys.values()
        for rest in ("pdf", "ja.pdf")
        if f"report-{key}." not in mine
    }
    return dict(signed_pages(sealed, signatures, without=others))


def words_of(content: bytes) -> str:
    """All words of a PDF or of a page, without breaks."""
    if content.startswith(b"%PDF"):
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    else:
        text = re.sub(r"<[^>]*>", "", content.decode())
    return re.sub(r"[\s\u200b]", "", text)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ["html", "pdf"])
def test_the_block_states_every_signature(
    copies: dict[str, bytes], signatures: list[Signature], language: str, kind: str
) -> None:
    text = words_of(copies[signed_name(in_language(f"report.{kind}", language), 2)])
    assert LINE not in text, "no empty line is left"
    for one in signatures:
        for stated in (
            one.name.replace(" ", ""), one.report_sha256, one.fingerprint,
            f"{one.at:%Y-%m-%d}{one.at:%H:%M:%S}UTC", one.confirmation.issuer,
        ):  # fmt: skip
            assert stated in text, (one.number, stated)
    assert re.sub(r"\s", "", WORDS) in text


def test_beside_the_block_nothing_differs_from_the_report(
    sealed: Report, copies: dict[str, bytes]
) -> None:
    block = re.compile(r'<section[^>]*id="sign-off".*?</section>', re.DOTALL)
    original = render_html(sealed, "en")
    copy = copies["report.signed.2.html"].decode()
    assert LINE in original and original != copy
    assert block.sub("", original) == block.sub("", copy)
    assert len(block.findall(copy)) == 1


def test_equal_signatures_give_equal_bytes(
    sealed: Report, signatures: list[Signature], copies: dict[str, bytes]
) -> None:
    name = "report.signed.2.pdf"
    again = dict(signed_pages(sealed, signatures, without=copies.keys() - {name}))
    assert again[name] == copies[name] != render_pdf(sealed)


@pytest.mark.parametrize("language", languages())
def test_of_a_sample_its_own_signatures_alone_and_no_neighbour(
    sealed: Report, copies: dict[str, bytes], language: str
) -> None:
    keys = file_keys(sealed)
    text = words_of(copies[signed_name(in_language(f"report-{keys[ONE]}.pdf", language), 2)])
    assert "AdaLovelace" in text and "山田太郎" in text
    assert OTHER not in text, "a signer's words name no neighbour"
    name = in_language(f"report-{keys['donor-01']}.pdf", language)
    reviewed = words_of(copies[signed_name(name, 2)])
    assert "AdaLovelace" in reviewed and "山田太郎" not in reviewed


def test_what_was_amended_says_so_on_its_first_page(
    sealed: Report, signatures: list[Signature]
) -> None:
    amended = signature(
        3, Meaning.AMENDED, BEN, name="Ben", revision=1, supersedes=0, samples=(ONE, OTHER)
    )
    name, made = next(
        (name, content)
        for name, content in signed_pages(sealed, chained(*signatures, amended))
        if name.endswith(".pdf")
    )
    assert name == "report.signed.3.pdf"
    assert "superseded by revision 1" in PdfReader(io.BytesIO(made)).pages[0].extract_text()
