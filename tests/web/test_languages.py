"""Every word that people read has a message, in both languages, and every message is used."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

import porewatch
import porewatch_worker
from porewatch.domain.findings import Call, Outcome
from porewatch.domain.panel import Severity
from porewatch.domain.phases import Phase
from porewatch.domain.report import Report
from porewatch.domain.runs import SampleRole
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.report.compose import compose
from porewatch_worker.report.render_pdf import render_pdf
from porewatch_worker.report.speech import messages, retold, say, speaking

WORKER = Path(porewatch_worker.__file__).parent
LAYER = Path(porewatch.__file__).parent
SPOKEN = sorted((WORKER / "report").glob("*.py"))
PLACES = re.compile(r"\{(\w+)\}")
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
OPEN = ("call", "category", "cost.line", "counted", "filter", "outcome", "parameter", "phase",
        "purchase", "role", "severity", "stage", "status")  # fmt: skip
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
    found |= {rf"{re.escape(kind)}\.[\w-]+" for kind in OPEN}
    found |= {rf"(plot|unseen)\.{name}" for name in (r"\w+",)}  # keys passed on by name
    return found


def test_both_languages_have_the_same_messages_with_the_same_places() -> None:
    english, japanese = messages("en"), messages("ja")
    assert set(english) == set(japanese)
    for key, text in english.items():
        assert set(PLACES.findall(text)) == set(PLACES.findall(japanese[key])), key


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
     ("role", SampleRole), ("verdict", Outcome)],
)  # fmt: skip
def test_every_value_that_code_knows_has_a_word(kind: str, values: type[Call]) -> None:
    for value in values:
        assert f"{kind}.{value.value}" in messages("ja")


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
    assert strings == {"Libertinus Serif", "Noto Sans CJK JP", "DejaVu Sans Mono"}
    assert re.findall(r"\[[^\[\]#]*[A-Za-z]{2,}[^\[\]]*\]", source) == []


def test_every_sentence_that_is_retold_is_one_that_code_or_the_panel_writes() -> None:
    written = " ".join(_written())
    for english, japanese in messages("sentences.ja").items():
        assert set(PLACES.findall(english)) == set(PLACES.findall(japanese)), english
        for part in PLACES.split(english)[::2]:
            for clause in re.split("[,;:]", part):
                fragment = clause.strip(" .()")
                if len(fragment) >= 12:
                    assert fragment in written, f"nobody writes {fragment!r} any more"


def _written() -> Iterator[str]:
    for entry in shipped_panel().entries:
        yield " ".join((entry.status_reason, *entry.actions))
    for path in (*WORKER.rglob("*.py"), *(LAYER / "domain").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_row_of_the_list_has_a_japanese_name() -> None:
    names = messages("panel.ja")
    assert {f"{e.code}: {e.name}" for e in shipped_panel().entries} == set(names)
    assert all(JAPANESE.search(name) for name in names.values())


def test_what_the_science_says_of_a_run_is_retold(reports: dict[str, Report]) -> None:
    report = reports["quantified"]
    said = {f.rule for f in report.findings} | {f.remark for f in report.findings}
    said |= {q.method for f in report.findings for q in f.quantities}
    said |= {q.remark for f in report.findings for q in f.quantities}
    said |= {reason for o in report.outcomes for reason in o.reasons} | set(report.remarks)
    with speaking("ja"):
        english = [s for s in said if s and not JAPANESE.search(retold(s))]
    assert english == []


def test_a_sentence_that_no_template_explains_stays_as_it_is() -> None:
    with speaking("ja"):
        assert retold("Nobody ever wrote this; nor that.") == "Nobody ever wrote this; nor that."
        assert retold("3 reads of the 5 needed; 1 distinct start of the 2 needed") == (
            "必要な 5 リードに対し 3 リード；必要な 2 か所の開始位置に対し 1 か所"
        )
    assert retold("3 reads of the 5 needed") == "3 reads of the 5 needed"


def test_the_language_ends_with_the_page_and_an_unknown_message_is_an_error() -> None:
    with speaking("ja"):
        assert say("page.decision") == "判定"
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
    for heading in ("病原体スクリーニング報告書", "検出されたもの", "対照と報告の可否", "無効"):
        assert heading in first
    fonts = reader.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    names = {str(font.get_object()["/BaseFont"]) for font in fonts.values()}
    assert {"NotoSansCJKjp-Bold", "NotoSansCJKjp-Regular"} <= {
        name.split("+")[-1].removesuffix("-Identity-H") for name in names
    }
