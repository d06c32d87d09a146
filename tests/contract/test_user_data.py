"""The machine's first script, run for real with stand-ins for what only a machine has."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from porewatch_local.template import Template

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
DATA = TEMPLATE.resources["WorkerTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]


def boot(home: Path, mounts_that_fail: int) -> list[str]:
    """What was called, in order, on a machine whose first so many mounts fail."""
    tools = home / "tools"
    tools.mkdir()
    calls = home / "calls"
    for name in ("mount", "sleep", "porewatch-worker", "shutdown"):
        last = f'test "$(grep -c ^mount {calls})" -gt {mounts_that_fail}' if name == "mount" else ""
        (tools / name).write_text(f"#!/bin/bash\necho {name} $* >> {calls}\n{last}\n")
        (tools / name).chmod(0o755)
    script = re.sub(r"\$\{(?!!)([\w:]+)\}", r"\1", DATA["Fn::Base64"]["Fn::Sub"])
    (home / "user-data").write_text(script.replace("${!", "${"))
    path = f"{tools}:{os.environ['PATH']}"
    surroundings = {"PATH": path, "REFERENCES_PATH": str(home / "references")}
    subprocess.run(["bash", str(home / "user-data")], env=surroundings, check=False, timeout=20)
    return calls.read_text().splitlines()


def test_a_machine_mounts_the_references_works_and_goes(tmp_path: Path) -> None:
    mount, work, end = boot(tmp_path, 0)
    where = f"References:/ {tmp_path}/references"
    assert mount == f"mount -t efs -o tls,iam,ro,accesspoint=ReferencesDoor {where}"
    assert (work, end) == ("porewatch-worker run", "shutdown -h now")


@pytest.mark.parametrize("failures", [1, 2])
def test_a_mount_that_fails_is_tried_again(tmp_path: Path, failures: int) -> None:
    called = boot(tmp_path, failures)
    assert called[-2:] == ["porewatch-worker run", "shutdown -h now"]


def test_without_references_no_worker_begins_that_would_refuse_a_sound_run(tmp_path: Path) -> None:
    called = [line.split()[0] for line in boot(tmp_path, 99)]
    assert called == ["mount", "sleep", "mount", "sleep", "mount", "shutdown"]
