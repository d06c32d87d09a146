"""A headless Chromium and the axe accessibility checker, or a reason to skip."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from porewatch.domain.results.report import Report
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.compare import compare
from porewatch_worker.report.compare_page import render_comparison
from porewatch_worker.report.parts.languages import languages
from porewatch_worker.report.render_html import render_html
from porewatch_worker.validation.page import render_page
from tests.web import made_up
from tests.web.made_validation import made_validation

ROOT = Path(__file__).parents[2]
AXE_VERSION = "4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
MADE_UP = {
    "rich": made_up.rich,
    "clean": made_up.clean,
    "empty": made_up.empty,
    "crowded": made_up.crowded,
    "quantified": made_up.quantified,
    "perv": made_up.with_perv,
    "many": made_up.twenty_four,
}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no chromium or google-chrome on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="session")
def reports() -> dict[str, Report]:
    return {name: assemble(make()) for name, make in MADE_UP.items()}


@pytest.fixture(scope="session")
def pages(reports: dict[str, Report], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every made-up report as an HTML file in both languages, and a comparison of two."""
    folder = tmp_path_factory.mktemp("pages")
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(render_html(report), encoding="utf-8")
        (folder / f"{name}.ja.html").write_text(render_html(report, "ja"), encoding="utf-8")
    told = compare(reports["clean"], reports["rich"])
    for language in languages():
        page = folder / f"compare.{language}.html"
        page.write_text(render_comparison(told, language), encoding="utf-8")
    (folder / "validation.html").write_text(render_page(made_validation()), encoding="utf-8")
    return {path.name.removesuffix(".html"): path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, from npm, pinned by version and checksum; kept below .porewatch."""
    kept = ROOT / ".porewatch" / "web" / f"axe-{AXE_VERSION}.min.js"
    if not kept.exists():
        _install_axe(kept)
    source = kept.read_bytes()
    assert hashlib.sha256(source).hexdigest() == AXE_SHA256, f"{kept} is not axe {AXE_VERSION}"
    return source.decode()


def _install_axe(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on this machine: accessibility was NOT checked")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command = [
            npm,
            "install",
            "--prefix",
            folder,
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ]
        done = subprocess.run(
            [*command, f"axe-core@{AXE_VERSION}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(
                f"npm cannot install axe-core, accessibility was NOT checked: {done.stderr}"
            )
        (Path(folder) / "node_modules/axe-core/axe.min.js").replace(kept)
