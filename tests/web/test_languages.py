"""Every word that people read has a message, in every language, and every message is used."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from pypdf import PdfReader

import porewatch_worker
from porewatch.domain.calls.findings import Call, Outcome
from porewatch.domain.calls.panel import Severity
from porewatch.domain.completeness import Why
from porewatch.domain.reasons.catalogue import SOURCE, languages, read
from porewatch.domain.results.report import Report
from porewatch.domain.runs import SampleRole
from porewatch.domain.stage.retry_policy import MEANINGS, decide
from porewatch.domain.stage.spec import Phase
from porewatch_worker.phases.screening_records import RECORDS
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.report.compose import compose
from porewatch_worker.report.parts.i18n import has_name, messages, say, speaking
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.science.call.perv_alarm import AC
from tests.web import made_up

WORKER = Path(porewatch_worker.__file__).parent
SPOKEN = sorted((WORKER / "report").rglob("*.py"))
OTHERS = languages()[1:]
PLACES = re.compile(r"\{(\w+)\}")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
OPEN = ("call", "category", "cost.line", "counted", "filter", "outcome", "parameter", "role",
        "severity", "unit", "why")  # fmt: skip
NO_WORDS = {"SYNTHETIC", "SHA-256", "Porewatch", "0"}
SAYS = {"Cell", "Column", "Prose", "Section", "Table", "Figure"}


def calls(name: str) -> Iterator[ast.Call]:
    for path in SPOKEN:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                if getattr(called, "id", getattr(called, "attr", "")) == name:
                    yield node


def shapes(node: ast.expr) -> Iterator[str]:
    """The keys an argument can be, as patterns: a constant, either side of `if`, an f-string."""
    if isinstance(node, ast.Constant):
        yield re.escape(str(node.value))
    elif isinstance(node, ast.IfExp):
        yield from shapes(node.body)
        yield from shapes(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        parts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"\w+"
                 for p in node.values)  # fmt: skip
        yield "".join(parts)


def used() -> set[str]:
    found = {shape for call in calls("say") for shape in shapes(call.args[0])}
    for name in ("plural", "many"):
        for call in calls(name):
            found |= {rf"count\.{shape}\.(one|other)" for shape in shapes(call.args[1])}
    found |= {rf"{re.escape(kind)}\.[\w/ -]+" for kind in OPEN}
    found |= {rf"(plot|unseen)\.{name}" for name in (r"\w+",)}  # keys passed on by name
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_all_languages_have_the_same_messages_with_the_same_places(language: str) -> None:
    english, other = messages(SOURCE), messages(language)
    assert set(english) == set(other)
    for key, text in english.items():
        assert set(PLACES.findall(text)) == set(PLACES.findall(other[key])), key


def test_every_message_that_is_said_exists() -> None:
    keys = list(messages("en"))
    missing = [s for s in used() if not any(re.fullmatch(s, key) for key in keys)]
    assert missing == []


def test_every_message_is_said_somewhere() -> None:
    shapes_used = [re.compile(shape) for shape in used()]
    idle = [key for key in messages("en") if not any(s.fullmatch(key) for s in shapes_used)]
    assert idle == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [("call", Call), ("outcome", Outcome), ("severity", Severity), ("phase", Phase),
     ("role", SampleRole), ("verdict", Outcome), ("why", Why)],
)  # fmt: skip
def test_every_value_that_code_knows_has_a_word(kind: str, values: type[Call]) -> None:
    for language in languages():
        with speaking(language):
            for value in values:
                assert has_name(kind, value.value)


def test_no_english_stands_in_the_code_that_composes_pages() -> None:
    literal = [
        (ast.unparse(call), arg.value)
        for name in SAYS
        for call in calls(name)
        for arg in (*call.args[int(name == "Section") :], *(k.value for k in call.keywords))
        if isinstance(arg, ast.Constant)
        and isinstance(arg.value, str)
        and re.search("[A-Za-z]", arg.value)
        and arg.value not in NO_WORDS | {"good", "warn", "bad", "plain"}
    ]
    assert literal == []


def test_no_english_stands_in_the_templates() -> None:
    for path in sorted((WORKER / "report/templates").glob("*.html.j2")):
        text = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", path.read_text())
        assert re.findall("[A-Za-z]{2,}", text.replace("SYNTHETIC", "")) == [], path.name
    source = (WORKER / "report/templates/report.typ").read_text()
    source = re.sub(r"//.*", "", source)
    strings = {s for s in re.findall(r'"([^"]*)"', source) if re.search(r"[A-Za-z] [A-Za-z]", s)}
    assert strings == {"DejaVu Sans Mono"}
    assert re.findall(r"\[[^\[\]#]*[A-Za-z]{2,}[^\[\]]*\]", source) == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_row_of_the_list_has_a_name_in_every_language(language: str) -> None:
    panel = shipped_panel()
    texts = {f"{e.code}: {e.name}" for e in panel.entries} | {panel.name}
    texts |= {t for e in panel.entries for t in (e.status_reason, *e.actions) if t}
    texts |= {f"{AC}: {mark}-A/C recombinant" for mark in ("PERV", "SYNTHETIC")}
    told = read("panel", language)
    assert texts - {panel.name} == set(told) - {panel.name}
    assert language != "ja" or all(JAPANESE.search(name) for name in told.values())


@pytest.mark.parametrize(
    "name",
    [
        *("rich", "clean", "empty", "quantified", "perv"),
        pytest.param("crowded", marks=pytest.mark.slow),  # the same sentences a hundred times
    ],
)
def test_a_japanese_report_holds_no_english_but_names_and_words_of_others(
    name: str, reports: dict[str, Report]
) -> None:
    report = reports[name]
    told = compose(report, "ja")
    names = names_in(report)
    left = sorted({e for text in printed(told) for e in english_in(text, names)})
    assert left == []
    assert "samples" in english_in("3 samples", set())
    assert english_in("リードは good だが ASFV（アフリカ豚熱）", {"ASFV"}) == ["good"]


LATIN = """
spp sp suis coli Enterovirus Teschovirus Indiana New Jersey Apoi virus Apovirus
Cystoisospora Balantidium Balantioides Mycoplasma cereus bovis tuberculosis
"""
SYMBOLS = """
SYNTHETIC Porewatch porewatch audit report bill json SHA mappy numpy isal lambda
GC Phred USD UTC LOD DNA RNA cDNA rRNA PERV ORF QC NTC env mL Mb kb Gb taxid mer
EC AWS Linux ID default unclassified barcode worker head HEAD
Cloud Carbon Footprint PUE GiB kg
"""
ALLOWED = {"Sus", "scrofa", *LATIN.split(), *SYMBOLS.split()}
"""English words that a Japanese report may hold, beside the names of its own run."""


def names_in(report: Report) -> set[str]:
    """What people or other programs named: samples, targets, contigs, tools, machines."""
    said = [s.name for s in report.samples] + [f.code for f in report.findings]
    said += [e.code for e in report.panel] + [report.run_id, report.provenance.panel]
    said += [e.name for e in report.panel] + [c.contig for f in report.findings
             for c in (f.evidence.coverage if f.evidence else ())]  # fmt: skip
    said += [*read("panel", "ja").values(), *(e.name for e in shipped_panel().entries)]
    return {word for name in said for word in WORD.findall(name)}


def english_in(text: str, names: set[str]) -> list[str]:
    """Words of a sentence; not identifiers (with digits, dots, slashes), names cut short by a
    plot, nor quoted originals."""
    ours = re.sub(r"（原文）.*|\S+…", "", text)
    words = (w for w in re.split(r"[^\w./@+-]+|[^\x00-\x7f]+", ours) if not IDENTIFIER.search(w))
    return [w for word in words for w in WORD.findall(word) if w not in ALLOWED | names]


WORD = re.compile("[A-Za-z]{2,}")
IDENTIFIER = re.compile(r"[a-z][A-Z]|\d|\w[./@_]\w|^i-|-\w+-|^PERV-")


UNPRINTED = {"svg", "id", "kind", "tone", "language", "labels", "anchor", "link"}


def printed(part: object) -> Iterator[str]:
    """Every text of a document, those in its figures included."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from printed(one)
    elif is_dataclass(part):
        for field in fields(part):
            if field.name not in UNPRINTED:
                yield from printed(getattr(part, field.name))
        yield from re.findall(r">([^<>]+)</text>", getattr(part, "svg", ""))


@pytest.mark.parametrize("error", [*MEANINGS, "SomethingElse"])
def test_what_is_done_about_an_error_is_said_in_japanese(error: str) -> None:
    counts = ((0, 0, 0), (99, 99, 99))
    for errors, waits, interruptions in counts:
        said = decide(error, errors_so_far=errors, waits=waits, interruptions=interruptions)
        told = said.why.text("ja")
        assert english_in(re.sub(r"porewatch [\w ]*", "", told), REMEDIES) == [], said.reason


REMEDIES = {"WorkerImage", "RunBudgetUsd", "AccountBudgetUsd", "Basecalling", "enabled", "Batch",
            "vCPU"}  # fmt: skip


def test_what_the_phases_count_has_words() -> None:
    screen = made_up.quantified().screen
    keys = {key for count in RECORDS.values() for key in count(screen)}
    keys |= {f"filtered_{reason.removeprefix('filter.')}" for reason in messages("en")
             if reason.startswith("filter.")}  # fmt: skip
    assert len(keys) > 12
    for key in keys:
        assert has_name("counted", key), key


def test_the_language_ends_with_the_page_and_an_unknown_message_is_an_error() -> None:
    with speaking("ja"):
        assert say("page.decision") == "総合判定"
    assert say("page.decision") == "Decision"
    with pytest.raises(KeyError):
        say("page.nothing")


def test_the_first_page_keeps_its_order_in_both_languages(reports: dict[str, Report]) -> None:
    for language in ("en", "ja"):
        front = compose(reports["rich"], language).front
        assert [s.id for s in front] == ["found", "controls", "seen", "unseen"]


def test_the_japanese_pdf_carries_its_font_and_its_words(reports: dict[str, Report]) -> None:
    reader = PdfReader(io.BytesIO(render_pdf(reports["rich"], "ja")))
    first = re.sub(r"\s", "", reader.pages[0].extract_text())
    for heading in ("病原体スクリーニング報告書", "検出されたもの", "対照と報告の可否", "報告不可"):
        assert heading in first
    fonts = reader.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    names = {str(font.get_object()["/BaseFont"]) for font in fonts.values()}
    assert {"NotoSansCJKjp-Bold", "NotoSansCJKjp-Regular"} <= {
        name.split("+")[-1].removesuffix("-Identity-H") for name in names
    }


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_to_be_typed_is_the_same_in_all_languages(language: str) -> None:
    typed = re.compile(r"porewatch [a-z]+|--[a-z-]+")
    english, other = messages(SOURCE), messages(language)
    for key, said in english.items():
        assert set(typed.findall(said)) == set(typed.findall(other[key])), key
