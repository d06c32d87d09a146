"""`make demo`: the whole product on one machine, with one machine taken away on the way.

Order: synthetic bundle and reads -> embedded AWS and stack -> submit -> live phases, and a spot
interruption in the middle of the screening stage -> findings, bill, reports. Ends with one line,
`demo: OK ...` with the address of the run's page, or the error. The embedded AWS stays up, for the
page; when the demo failed, it stops what it started.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from rich.text import Text

from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.panel import umbrellas
from porewatch.domain.errors import PorewatchError
from porewatch.domain.results.publishing import BILL
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunState
from porewatch.domain.stage.record import StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli.operate.chaos import order
from porewatch_cli.reports.reports import save_reports
from porewatch_cli.reports.summary import show_report
from porewatch_cli.runs.run_view import RunView
from porewatch_cli.runs.watch import watch
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.submit.shown import print_submitted
from porewatch_cli.submit.submit import submit
from porewatch_cli.terminal import console, silence
from porewatch_local.embedded.session import session
from porewatch_local.paths import (
    Home,
    LocalProblem,
    find_home,
)
from porewatch_worker.simulate.demo import DemoSet, make_demo

UNITS_BEFORE_INTERRUPTION = 2
NOTICE_SECONDS = 15
MAIL_SECONDS = 60


class DemoFailed(RuntimeError):
    """Something the demo promises did not happen."""


class Interruption:
    """Takes the screening machine away once, when it has made some checkpoints."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.instance: str | None = None

    def __call__(self, view: RunView) -> None:
        if self.instance is not None:
            return
        for stage in view.stages:
            ready = (
                Phase.PATHOGEN_DETECTION in stage.phases
                and stage.state is StageState.CLAIMED
                and stage.progress is not None
                and stage.progress.units_done >= UNITS_BEFORE_INTERRUPTION
            )
            if ready:
                self.instance = order(
                    view.run.run_id, self._stack, f"interrupt/{{}}?seconds={NOTICE_SECONDS}"
                )
                console.print(
                    Text.assemble(
                        ("spot interruption", "bold magenta"),
                        f" for {self.instance}: {NOTICE_SECONDS} s notice, then it is gone",
                    )
                )


def run_demo(home: Path | None = None) -> str:
    """The whole demo; the closing line. Raises DemoFailed, LocalProblem or PorewatchError."""
    place = find_home(home)
    console.rule("synthetic references and reads", align="left")
    demo = make_demo(place.root / "demo-data", place.references)
    console.print(f"{demo.reads:,} reads, {demo.bases / 1e6:.1f} Mb, bundle {demo.bundle}")
    console.rule("embedded AWS", align="left")
    report = lambda line: console.print(line, highlight=False)  # noqa: E731
    with session(place.root, progress=report, stays_up=True):
        return _screen(find_stack(folder=place.root), demo, place)


def _screen(stack: Stack, demo: DemoSet, place: Home) -> str:
    console.rule("submit", align="left")
    sent = submit(demo.run_folder, stack=stack, run_id=_fresh_id(stack))
    print_submitted(sent)
    console.rule("watch", align="left")
    interruption = Interruption(stack)
    last = watch(sent.run_id, stack, noticed=interruption)
    if last.run.state is not RunState.COMPLETED:
        raise DemoFailed(f"run {sent.run_id} is {last.run.state.value}: {last.run.problem}")
    out = place.root / "demo"
    shutil.rmtree(out, ignore_errors=True)
    saved = save_reports(stack, last.run, out)
    report = Report.model_validate_json(saved["report.json"].read_bytes())
    console.rule("result", align="left")
    show_report(report)
    survived = sum(stage.interruptions for stage in last.stages)
    _check(report, demo, interruption.instance, survived)
    for name, path in saved.items():
        if name != BILL:
            console.print(f"{name:>12}  {path}", highlight=False, soft_wrap=True)
    _show_mail(place, sent.run_id)
    console.print("people to sign in as are made up; `make down` stops the embedded AWS")
    page = f"{place.read().outputs['WebUrl']}/sign-in?to=/web/runs/{sent.run_id}"
    return (
        f"demo: OK run={sent.run_id} findings={len(report.detected)} interruptions={survived} "
        f"cost=${last.run.cost_usd:.6f} reports={out} page={page}"
    )


def _show_mail(place: Home, run_id: str) -> None:
    """Where the mail about the run lies: it comes a moment after the run has ended."""
    until = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < until:
        found = [one for one in place.mail.glob("*.html") if run_id in one.read_text()]
        if found:
            console.print(f"{'mail':>12}  {found[0]}", highlight=False, soft_wrap=True)
            return
        time.sleep(0.5)
    raise DemoFailed(f"no mail about {run_id} came into {place.mail}")


def _fresh_id(stack: Stack) -> str:
    """demo-1, demo-2, ...: the same manifest never runs twice, and a demo should run each time."""
    taken = {run.run_id for run in stack.runs.list()}
    return next(f"demo-{n}" for n in range(1, 100_000) if f"demo-{n}" not in taken)


def _check(report: Report, demo: DemoSet, instance: str | None, survived: int) -> None:
    """The promises: the truth was found, nothing else was, every read is accounted for, and the
    interruption really happened."""
    if instance is None or survived < 1:
        raise DemoFailed("the spot interruption did not take place")
    for screen in report.screens:
        if not screen.account.balanced:
            raise DemoFailed(f"reads of {screen.sample} are not all accounted for")
    for sample, expected in demo.expected.items():
        found = _called(report, sample)
        if found != set(expected):
            raise DemoFailed(f"{sample}: expected {sorted(expected)}, found {sorted(found)}")


def _called(report: Report, sample: str) -> set[str]:
    """Codes detected in one sample or control; groups follow their members and do not count."""
    mine = {f.code for f in report.findings if f.sample == sample and f.call is Call.DETECTED}
    return mine - umbrellas(report.panel)


def main(home: Path | None = None) -> int:
    silence.begin("working")
    try:
        line = run_demo(home)
    except (DemoFailed, LocalProblem, PorewatchError) as problem:
        console.print(f"demo: FAILED {problem}", style="bold red", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("demo: stopped by you")
        return 130
    finally:
        silence.end()
    sys.stdout.flush()
    console.print(line, style="bold green", highlight=False, soft_wrap=True)
    return 0
