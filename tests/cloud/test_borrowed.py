"""What was borrowed is given back, whatever ends the borrower."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from porewatch_local.embedded.session import ENDED_BY_SIGTERM
from porewatch_local.embedded.up import running
from porewatch_local.paths import find_home
from porewatch_local.processes import wait_until_ended

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("own engines")]
BORROWER = """
import sys, time
from pathlib import Path
from porewatch_local.embedded.session import session
with session(Path(sys.argv[1]), deploy=False):
    print("up", flush=True)
    time.sleep(300)
"""


def test_sigterm_brings_down_what_was_brought_up(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)  # PostgreSQL may run as another user
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o711)
    home = find_home(tmp_path / "home")
    borrower = subprocess.Popen(
        [sys.executable, "-c", BORROWER, str(home.root)], stdout=subprocess.PIPE, text=True
    )
    assert borrower.stdout
    assert borrower.stdout.readline() == "up\n"
    pids = running(home)
    assert set(pids) == {"postgres", "mail", "engine", "host", "identity", "stripe"}
    parts = [psutil.Process(pid) for pid in pids.values()]
    os.kill(borrower.pid, signal.SIGTERM)
    assert borrower.wait(60) == ENDED_BY_SIGTERM
    assert running(home) == {}
    assert wait_until_ended(parts, 10)
