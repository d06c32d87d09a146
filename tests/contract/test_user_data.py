"""The machine's first script, run for real with stand-ins for what only a machine has."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import psutil
import pytest

from porewatch_local.template import Template

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
PUT_OFF = "shutdown -h +40"
DATA = TEMPLATE.resources["WorkerTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]


SLEEP = """[ "$1" = 300 ] && exec /bin/sleep {pause}"""


def boot(home: Path, mounts_that_fail: int = 0, *, work: str = "", pause: float = 300) -> list[str]:
    """What was called, in order, on a machine whose first so many mounts fail. `work`: what its
    worker does; `pause`: what the five minutes of the dead man last."""
    tools = home / "tools"
    tools.mkdir()
    calls = home / "calls"
    stand_ins = {
        "mount": f'test "$(grep -c ^mount {calls})" -gt {mounts_that_fail}',
        "porewatch-worker": work,
        "shutdown": "",
        "sleep": "",
    }
    for name, last in stand_ins.items():
        first = SLEEP.format(pause=pause) if name == "sleep" else ""
        (tools / name).write_text(f"#!/bin/bash\n{first}\necho {name} $* >> {calls}\n{last}\n")
        (tools / name).chmod(0o755)
    script = re.sub(r"\$\{(?!!)([\w:]+)\}", r"\1", DATA["Fn::Base64"]["Fn::Sub"])
    (home / "user-data").write_text(script.replace("${!", "${"))
    path = f"{tools}:{os.environ['PATH']}"
    references = str(home / "references")
    surroundings = {"PATH": path, "REFERENCES_PATH": references, "TMPDIR": str(home / "tmp")}
    subprocess.run(["bash", str(home / "user-data")], env=surroundings, check=False, timeout=20)
    return calls.read_text().splitlines()


def without_dead_man(called: list[str]) -> list[str]:
    return [line for line in called if line != PUT_OFF]


def test_a_machine_mounts_the_references_works_and_goes(tmp_path: Path) -> None:
    mount, work, end = without_dead_man(boot(tmp_path))
    where = f"References:/ {tmp_path}/references"
    assert mount == f"mount -t efs -o tls,iam,ro,accesspoint=ReferencesDoor {where}"
    assert (work, end) == ("porewatch-worker run", "shutdown -h now")


@pytest.mark.parametrize("failures", [1, 2])
def test_a_mount_that_fails_is_tried_again(tmp_path: Path, failures: int) -> None:
    called = without_dead_man(boot(tmp_path, failures))
    assert called[-2:] == ["porewatch-worker run", "shutdown -h now"]


def test_without_references_no_worker_begins_that_would_refuse_a_sound_run(tmp_path: Path) -> None:
    called = [line.split()[0] for line in without_dead_man(boot(tmp_path, 99))]
    assert called == ["mount", "sleep", "mount", "sleep", "mount", "shutdown"]


def test_while_the_worker_gives_signs_of_life_the_end_is_put_off(tmp_path: Path) -> None:
    works = 'for n in 1 2 3 4 5; do touch "$POREWATCH_ALIVE"; /bin/sleep 0.2; done'
    assert boot(tmp_path, work=works, pause=0.05).count(PUT_OFF) > 3


def test_without_a_sign_of_life_for_half_an_hour_the_end_comes(tmp_path: Path) -> None:
    """The end that was laid down last stands: nobody puts it off any more."""
    hangs = 'touch -d "31 minutes ago" "$POREWATCH_ALIVE"; echo hangs >> {calls}; /bin/sleep 1'
    called = boot(tmp_path, work=hangs.format(calls=tmp_path / "calls"), pause=0.05)
    assert PUT_OFF in called
    assert PUT_OFF not in called[called.index("hangs") + 2 :]  # one may be under way


def test_the_dead_man_goes_with_its_machine(tmp_path: Path) -> None:
    boot(tmp_path, work="/bin/sleep 0.3")
    left = [p for p in psutil.process_iter(["environ"]) if _of(p, tmp_path)]
    assert left == []


def _of(process: psutil.Process, home: Path) -> bool:
    return (process.info["environ"] or {}).get("TMPDIR") == str(home / "tmp")
