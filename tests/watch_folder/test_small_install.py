"""What the sequencer's PC needs: no aligner, and for a server no AWS SDK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCIENCE = ("mappy", "edlib", "sourmash", "scipy", "typst", "pod5", "pysam")
AWS = ("boto3", "botocore")
PROGRAM = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from porewatch_cli.main import app
app({line!r})
"""


@pytest.mark.parametrize(
    ("blocked", "where", "answer"),
    [
        ((*SCIENCE, *AWS), ("--server", "http://127.0.0.1:9", "--project", "p"), "no token for"),
        (SCIENCE, (), "there is no embedded Porewatch"),
    ],
    ids=["a server", "a stack"],
)
def test_it_comes_as_far_as_its_door_without_them(
    tmp_path: Path, blocked: tuple[str, ...], where: tuple[str, ...], answer: str
) -> None:
    (tmp_path / "run").mkdir()
    line = ["watch-folder", str(tmp_path / "run"), *where]
    place = {"HOME": str(tmp_path), "POREWATCH_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=blocked, line=line)],
        env=place, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert answer in done.stderr, done.stderr
