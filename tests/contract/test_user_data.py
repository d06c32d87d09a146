"""The machine's first script, run for real with stand-ins for what only a machine has."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from porewatch.domain.machines.machine_requests import Asked, BootLog
from porewatch.domain.s3_keys import boot_log_key, boot_log_of
from porewatch.domain.stage.message_proofs import proves
from porewatch.domain.stage.record import StageKey
from porewatch_local.stack_template.template import Template

TEMPLATE = Template.load(Path(__file__).parents[2] / "template.yaml")
PUT_OFF = "shutdown -h +40"
DATA = TEMPLATE.resources["WorkerTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]


SLEEP = """[ "$1" = 300 ] && exec /bin/sleep {pause}"""


METADATA = """case "${@: -1}" in
*/api/token) echo token ;; */instance-id) echo i-1 ;; *-run) echo run-1 ;;
*-revision) echo 0 ;; *-stage) echo screen ;; *-epoch) echo 2 ;; *-secret) echo {secret} ;;
*) exit 22 ;; esac"""
SECRET = "5" * 64


def boot(
    home: Path,
    *,
    work: str = "",
    pause: float = 300,
    sends: str = "",
    shuts: str = "",
    printed: str = "docker: no space left on device\n",
) -> list[str]:
    """What was called, in order, on a machine. `work`: what its worker does; `pause`: what the five
    minutes of the dead man last; `sends`: what aws does instead of copying; `shuts`: what shutdown
    does."""
    tools = home / "tools"
    tools.mkdir()
    calls = home / "calls"
    stand_ins = {
        "shutdown": shuts,
        "sleep": "",
        "curl": METADATA.replace("{secret}", SECRET),
        "aws": sends,
    }
    (home / "printed").write_text(printed)
    # As no worker does, one that ends at once would find the dead man not yet listening.
    stand_ins["porewatch-worker"] = f"/bin/sleep 0.1\n{work}"
    for name, last in stand_ins.items():
        first = SLEEP.format(pause=pause) if name == "sleep" else ""
        (tools / name).write_text(f"#!/bin/bash\n{first}\necho {name} $* >> {calls}\n{last}\n")
        (tools / name).chmod(0o755)
    script = re.sub(r"\$\{(?!!)([\w:.]+)\}", r"\1", DATA["Fn::Base64"]["Fn::Sub"])
    (home / "user-data").write_text(script.replace("${!", "${"))
    path = f"{tools}:{os.environ['PATH']}"
    references = str(home / "references")
    surroundings = {
        "PATH": path,
        "REFERENCES_PATH": references,
        "TMPDIR": str(home / "tmp"),
        "POREWATCH_BOOT_LOG": str(home / "printed"),
    }
    subprocess.run(["bash", str(home / "user-data")], env=surroundings, check=False, timeout=20)
    return calls.read_text().splitlines()


def without_dead_man(called: list[str]) -> list[str]:
    return [line for line in called if line != PUT_OFF and not line.startswith("curl ")]


def test_a_machine_works_and_goes(tmp_path: Path) -> None:
    assert without_dead_man(boot(tmp_path)) == ["porewatch-worker run", "shutdown -h now"]


@pytest.mark.parametrize("code", [125, 1, 2])
def test_r6_a_machine_whose_worker_never_spoke_leaves_what_it_printed(
    tmp_path: Path, code: int
) -> None:
    """125 is docker's own: the container was not started. Nobody can log in, and the console goes
    with the machine."""
    _work, sent, end = without_dead_man(boot(tmp_path, work=f"exit {code}"))
    assert sent == (
        "aws lambda invoke --function-name AWS::StackName-credential-broker --cli-binary-format "
        f"raw-in-base64-out --payload file://{tmp_path}/tmp/boot-log.json /dev/null"
    )
    assert end == "shutdown -h now"
    asked = Asked.model_validate_json((tmp_path / "tmp/boot-log.json").read_text())
    log = asked.request
    assert isinstance(log, BootLog)
    assert log.text == b"docker: no space left on device\n"
    assert (log.key, log.epoch) == (StageKey("run-1", 0, "screen"), 2)
    assert proves(asked.mac, SECRET, asked.text)
    assert boot_log_of(boot_log_key(*log.key, log.epoch, log.instance_id)) == (2, "i-1")


def test_r6_all_that_fits_into_a_call_is_sent(tmp_path: Path) -> None:
    boot(tmp_path, work="exit 1", printed="x\\n\u00e9\n" * 30_000)
    asked = Asked.model_validate_json((tmp_path / "tmp/boot-log.json").read_text())
    assert isinstance(asked.request, BootLog)
    assert len(asked.request.text) == 100_000
    assert proves(asked.mac, SECRET, asked.text)


def test_r6_a_machine_that_cannot_send_it_goes_all_the_same(tmp_path: Path) -> None:
    called = boot(tmp_path, work="exit 1", sends="exit 1")
    assert called[-1] == "shutdown -h now"


def test_while_the_worker_gives_signs_of_life_the_end_is_put_off(tmp_path: Path) -> None:
    works = 'for n in 1 2 3 4 5; do touch "$POREWATCH_ALIVE"; /bin/sleep 0.2; done'
    assert boot(tmp_path, work=works, pause=0.05).count(PUT_OFF) > 3


def test_without_a_sign_of_life_for_half_an_hour_the_end_comes(tmp_path: Path) -> None:
    """The end that was laid down last stands: nobody puts it off any more."""
    old = 'touch -d "31 minutes ago" "$POREWATCH_ALIVE"'
    hangs = f"/bin/sleep 0.3; {old}; echo hangs >> {{calls}}; /bin/sleep 1"
    called = boot(tmp_path, work=hangs.format(calls=tmp_path / "calls"), pause=0.05)
    assert PUT_OFF in called
    assert PUT_OFF not in called[called.index("hangs") + 2 :]  # one may be under way


def test_the_dead_man_goes_with_its_machine(tmp_path: Path) -> None:
    boot(tmp_path, work="/bin/sleep 0.3")
    assert _left(tmp_path) == []


def test_the_dead_man_goes_too_when_the_end_comes_while_he_puts_it_off(tmp_path: Path) -> None:
    """He would go round and round: what ended him had found no sleep to end."""
    boot(tmp_path, work="/bin/sleep 0.2", pause=0.05, shuts='[ "$2" = now ] || /bin/sleep 0.4')
    deadline = time.monotonic() + 5
    while _left(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = _left(tmp_path)
    for process in left:
        process.kill()
    assert left == []


def _left(home: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["environ"]) if _of(p, home)]


def _of(process: psutil.Process, home: Path) -> bool:
    return (process.info["environ"] or {}).get("TMPDIR") == str(home / "tmp")
