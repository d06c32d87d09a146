"""A headless Chromium and the axe accessibility checker, or a reason to skip. One browser for each
process of the tests: tests/conftest.py alone imports these fixtures."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no chromium or google-chrome on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield started
        started.close()


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
