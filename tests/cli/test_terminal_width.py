"""Narrow terminals: nothing is cut, nothing is wider than the terminal."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.progress_bar import ProgressBar

from porewatch.domain.results.report import Report
from porewatch_cli import links, terminal
from porewatch_cli.reports.summary import draw
from porewatch_cli.responsive_table import stacked
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.compare import compare
from porewatch_worker.report.compare_page import compare_page
from porewatch_worker.report.parts.document import Table
from porewatch_worker.report.summary import Rows, summary, table_rows
from tests.web import made_up

WIDTHS = (60, 80, 100, 150)


@pytest.fixture(scope="module")
def rich_report() -> Report:
    return assemble(made_up.rich())


def _printed(shown: object, width: int) -> str:
    console = terminal.PlainConsole(width=width)
    console.file = io.StringIO()
    console.print(shown)
    return console.file.getvalue()


def _tables(report: Report, language: str) -> list[Rows]:
    renderer = summary(report, language=language)
    compared = compare(assemble(made_up.clean()), report)
    blocks = [b for s in compare_page(compared, language).sections for b in s.blocks]
    found = (
        renderer.findings,
        renderer.ticks,
        renderer.controls,
        renderer.accounting,
        renderer.cost,
        renderer.shares,
    )
    return [*filter(None, found), *(table_rows(b) for b in blocks if isinstance(b, Table))]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_table_cuts_a_call_or_a_number(rich_report: Report, language: str, width: int) -> None:
    for rows in _tables(rich_report, language):
        shown = _printed(draw(rows), width)
        assert max(cell_len(line) for line in shown.splitlines()) <= width, shown
        assert shown.count("…") == sum(cell.count("…") for row in rows.rows for cell in row)
        text = " ".join(shown.split())
        for row in rows.rows:
            for part in " ".join(row).split():
                if part.isascii() and len(part) <= width - 4:
                    assert part in text, (part, shown)


def test_a_row_that_does_not_fit_is_a_paragraph_and_one_that_fits_a_line() -> None:
    made = terminal.table("found", "sample", "call", "reads", "remark", numeric=("reads",))
    made.add_row("pig-1", "detected", "1,234,567", "a remark that takes some room to be made")
    made.add_row("pig-2", "–", "0", "")
    assert [line.rstrip() for line in _printed(made, 40).splitlines()] == [
        "found",
        "pig-1",
        "  call: detected   reads: 1,234,567",
        "  remark: a remark that takes some room",
        "  to be made",
        "pig-2",
        "  reads: 0",
    ]
    lines = _printed(made, 80).splitlines()
    assert [line.split()[0] for line in lines] == ["found", "sample", "pig-1", "pig-2"]


def test_bars_and_lists_in_a_cell_survive_a_narrow_terminal() -> None:
    made = terminal.table("", "what", "why", "progress")
    made.add_row("volume vol-0123456789abcdef", stacked(["one reason", "another"]),
                 ProgressBar(10, 5, width=20))  # fmt: skip
    shown = _printed(made, 40)
    assert "one reason" in shown and "another" in shown and "━" in shown


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("120", 120), ("1", 20), ("", 150)])
def test_columns_is_honoured_when_piped(
    tmp_path: Path, rich_report: Report, columns: str, width: int
) -> None:
    path = tmp_path / "report.json"
    path.write_text(rich_report.model_dump_json())
    program = [sys.executable, "-m", "porewatch_cli.main", "compare", str(path), str(path)]
    settings = {"COLUMNS": columns, "PATH": "", "LANG": "C.UTF-8"}
    result = subprocess.run(program, env=settings, capture_output=True, text=True, check=True)
    widest = max(cell_len(line) for line in result.stdout.splitlines())
    assert width * 0.7 < widest <= width


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "6800"}, True),
        ({"VTE_VERSION": "4800"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"FORCE_HYPERLINK": "0", "TERM": "xterm-kitty"}, False),
    ],
)
def test_links_go_to_terminals_that_open_them(settings: dict[str, str], taken: bool) -> None:
    assert links.takes_links(settings) is taken


def test_a_pipe_gets_addresses_and_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    assert _printed(links.link("https://example.org/r", "open it"), 80) == "https://example.org/r\n"
    monkeypatch.setattr(links.console, "_force_terminal", True)
    opened = links.link("https://example.org/r", "open it")
    assert opened.plain == "open it"
    assert re.search("example.org", str(opened.style))
