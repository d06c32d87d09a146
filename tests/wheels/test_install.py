"""The wheels in an empty environment: no AWS, no repository, and a file is screened.

What they ask for comes in the versions of requirements/dev.txt, from wherever uv looks on this
machine. The tools that build them are those of requirements/wheels.txt.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from porewatch import __version__
from porewatch_cli import exit_codes
from tests.worker.bundles import bases, folder_with_two_viruses

REPOSITORY = Path(__file__).parents[2]
UV = shutil.which("uv", path=f"{REPOSITORY / '.porewatch/boot/bin'}:{os.environ['PATH']}") or "uv"
PARTS = ("layers/common", "worker", "cli", "local")
pytestmark = pytest.mark.xdist_group("wheels")  # built and installed once


def uv(*words: str | Path) -> None:
    done = subprocess.run([UV, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four wheels, made by `make wheels`."""
    folder = tmp_path_factory.mktemp("wheels")
    done = subprocess.run(
        ["make", "--no-print-directory", "wheels", f"DIST={folder}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@dataclass(frozen=True)
class Installed:
    """An environment with the command, and an empty folder in which it runs."""

    environment: Path
    folder: Path

    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """`porewatch WORDS`, with nothing of this checkout and no AWS around it."""
        return subprocess.run(
            [self.environment / "bin/porewatch", *words],
            cwd=self.folder,
            env={"PATH": f"{self.environment / 'bin'}:/usr/bin:/bin", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def porewatch(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The command line as `pip install porewatch-cli` leaves it."""
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    uv("venv", "--quiet", "--python", sys.executable, environment)
    pins = REPOSITORY / "requirements/dev.txt"
    uv("pip", "install", "--quiet", "--python", environment / "bin/python", "--find-links", wheels,
       "--constraint", pins, f"porewatch-cli=={__version__}")  # fmt: skip
    return Installed(environment, folder)


@pytest.fixture(scope="module")
def screened(porewatch: Installed) -> Path:
    """The folder of a screen of a small file against a bundle that was built from FASTA."""
    fasta = folder_with_two_viruses(porewatch.folder / "fasta")
    built = porewatch("references", "build", "two@1", "--from", fasta)
    assert built.returncode == 0, built.stderr
    pieces = [bases(3000, 2)[n * 100 : n * 100 + 1500] for n in range(8)]
    reads = porewatch.folder / "reads.fastq"
    reads.write_text("".join(f"@r{n}\n{s}\n+\n{'5' * len(s)}\n" for n, s in enumerate(pieces)))
    out = porewatch.folder / "result"
    done = porewatch("screen", reads, "--references", ".porewatch/references", "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_the_wheels_hold_the_packages_with_their_data(wheels: Path) -> None:
    names = {name for path in wheels.glob("*.whl") for name in zipfile.ZipFile(path).namelist()}
    for part in PARTS:
        listed = subprocess.run(
            ["git", "ls-files", part], cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        inside = [line.partition("/porewatch")[2] for line in listed if "/porewatch" in line]
        assert inside
        assert {f"porewatch{path}" for path in inside} <= names


def test_nothing_of_aws_and_nothing_of_this_checkout_is_there(porewatch: Installed) -> None:
    (site,) = (porewatch.environment / "lib").glob("python*/site-packages")
    there = {path.name for path in site.iterdir()}
    assert {"porewatch", "porewatch_worker", "porewatch_cli"} <= there
    assert not there & {"boto3", "botocore", "porewatch_local", "psutil"}
    assert not [path for path in site.glob("*.pth") if str(REPOSITORY) in path.read_text()]


def test_requirements_fit_together(porewatch: Installed) -> None:
    uv("pip", "check", "--quiet", "--python", porewatch.environment / "bin/python")


def test_the_version_is_that_of_the_wheel(porewatch: Installed) -> None:
    assert porewatch("--version").stdout == f"porewatch {__version__}\n"


def test_a_file_is_screened_and_the_report_names_the_version(screened: Path) -> None:
    report = json.loads((screened / "report.json").read_bytes())
    assert report["screens"][0]["account"]["panel"] == 8
    assert report["provenance"]["porewatch_version"] == __version__
    assert (screened / "report.html").stat().st_size > 10_000
    assert (screened / "report.ja.pdf").read_bytes().startswith(b"%PDF")


def test_two_reports_are_compared_and_one_is_audited(porewatch: Installed, screened: Path) -> None:
    compared = porewatch("compare", screened, screened / "report.json", "--out", "compared")
    assert compared.returncode == 0, compared.stderr
    assert (porewatch.folder / "compared/compare.ja.html").exists()
    audited = porewatch("audit", screened / "report.json")
    assert audited.returncode == 0, audited.stderr
    assert "the chain is valid" in audited.stdout


def test_a_changed_report_is_found_there_too(porewatch: Installed, screened: Path) -> None:
    changed = porewatch.folder / "changed.json"
    report = json.loads((screened / "report.json").read_bytes())
    report["screens"][0]["account"]["panel"] = 7
    changed.write_text(json.dumps(report))
    assert porewatch("audit", changed).returncode == exit_codes.COMMAND_FAILED


def test_what_needs_aws_says_how_it_is_installed(porewatch: Installed) -> None:
    said = porewatch("list", "--stack", "porewatch-prod")
    assert said.returncode == exit_codes.COMMAND_FAILED
    assert "pip install 'porewatch-cli[aws]'" in said.stderr


@pytest.mark.slow
def test_the_validation_pack_runs_there(porewatch: Installed) -> None:
    done = porewatch("validate", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"] == __version__


@pytest.mark.slow
def test_with_the_aws_extra_the_command_reaches_for_a_stack(wheels: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    uv("venv", "--quiet", "--python", sys.executable, environment)
    uv("pip", "install", "--quiet", "--python", environment / "bin/python", "--find-links", wheels,
       "--constraint", REPOSITORY / "requirements/dev.txt", "porewatch-cli[aws]")  # fmt: skip
    said = Installed(environment, tmp_path)("list")
    assert "no embedded Porewatch" in said.stderr


@pytest.mark.slow
def test_the_image_gets_the_same_wheels_and_their_requirements_are_met(
    wheels: Path, tmp_path: Path
) -> None:
    """The steps of worker/Dockerfile without docker: the pins of the image, then the wheels."""
    environment = tmp_path / "environment"
    python = environment / "bin/python"
    uv("venv", "--quiet", "--python", sys.executable, environment)
    uv("pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement",
       REPOSITORY / "requirements/worker.txt")  # fmt: skip
    uv("pip", "install", "--quiet", "--python", python, "--no-deps", "--no-index",
       *wheels.glob("porewatch_common-*.whl"), *wheels.glob("porewatch_worker-*.whl"))  # fmt: skip
    uv("pip", "check", "--quiet", "--python", python)
    said = subprocess.run(
        [environment / "bin/porewatch-worker", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == __version__
