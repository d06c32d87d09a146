"""Text of strangers reaches a terminal as text: at every verb, plain and as JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from rich.table import Table

from porewatch.compute.carbon import carbon_factors
from porewatch.domain.base import now
from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.errors import InputRefused, SampleSheetRefused
from porewatch.domain.facts.alerts import (
    Alert,
    AlertView,
)
from porewatch.domain.facts.run_facts import FileQuarantined, ObjectAnswered
from porewatch.domain.inputs.landing.answers import Treatment
from porewatch.domain.inputs.sheet.sample_sheet import read_sheet
from porewatch.domain.labels import unseen
from porewatch.domain.money.budget import Books
from porewatch.domain.money.cost import (
    CostLine,
    make_bill,
)
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.records.retention_record import Counts, Hold
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch.domain.retention.orders import (
    Deleted,
    Held,
)
from porewatch.domain.rules.cancelling import Cancelled
from porewatch.domain.rules.orphan_cleanup import Reaped
from porewatch.domain.rules.orphans import (
    Found,
    What,
)
from porewatch.domain.runs import RunState
from porewatch.domain.signatures.steps import State
from porewatch.domain.stage.record import Progress, StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch_cli import terminal
from porewatch_cli.commands import (
    output,
    retention,
)
from porewatch_cli.operate import (
    orphans,
    references,
)
from porewatch_cli.operate.doctor_checks import Check, CheckVerdict
from porewatch_cli.reports import screen
from porewatch_cli.reports.audit import audit_report
from porewatch_cli.reports.compare import compare_runs
from porewatch_cli.runs import (
    alerts,
    cost,
    holds_and_deletions,
    watch,
)
from porewatch_cli.runs.logs import logs as show_logs
from porewatch_cli.runs.picture import picture
from porewatch_cli.runs.run_view import look
from porewatch_cli.submit import sheet as sheets
from porewatch_worker.local import run as local_run
from porewatch_worker.local.run import LocalReport
from porewatch_worker.report.assemble import assemble
from tests.web import made_up

HOSTILE = {
    "clear the screen": "\x1b[2J",
    "window title": "\x1b]0;owned\x07",
    "C1 colour": "\x9b31m",
    "next line": "a\nFORGED: completed",
    "return": "a\rFORGED",
    "paragraph": "a\u2029FORGED",
    "null": "a\x00b",
    "override": "a\u202egpj.exe",
    "isolate": "a\u2066b\u2069",
    "unseen": "a\u200bb\ufeff\U000e0041",
    "markup": "[red]x[/]",
    "closing markup": "[/x]",
    "link markup": "[link=http://x.example]y[/link]",
    "emoji": ":smile:",
}


@dataclass(frozen=True)
class House:
    """A stack as the verbs see it, in which every free text is `text`."""

    text: str

    @property
    def run(self) -> RunRecord:
        return RunRecord.model_construct(
            run_id="run-1", state=RunState.FAILED, problem=self.text, created_at=now(),
            updated_at=now(), late=(self.text,),
        )  # fmt: skip

    @property
    def alert(self) -> Alert:
        return Alert.model_construct(
            run_id="run-1", revision=0, sample=self.text, code="PERV-C", name="PERV-C",
            severity="critical", level=Level.PROVISIONAL, reads=3, rule=self.text, raised_at=now(),
            acknowledged_by=self.text, note=self.text, acknowledged_at=now(),
        )  # fmt: skip

    @property
    def facts(self) -> tuple[Any, ...]:
        own = {"fact_id": "f", "run_id": "run-1", "revision": 0, "at": now()}
        return (
            FileQuarantined.model_construct(
                **own, path=self.text, problem=self.text, quarantine_key=self.text
            ),
            ObjectAnswered.model_construct(
                **own, path=self.text, kind="k", verdict=Treatment.NOT_UNDERSTOOD,
                problem=self.text, remedy=self.text,
            ),
        )  # fmt: skip

    @property
    def stage(self) -> StageRecord:
        progress = Progress.model_construct(phase=Phase.HOST_REMOVAL, note=self.text)
        return StageRecord.model_construct(
            run_id="run-1", revision=0, stage=self.text, phases=(Phase.HOST_REMOVAL,), epoch=1,
            progress=progress, interruptions=0, instance_id=None, updated_at=now(),
            state=StageState.CLAIMED,
        )  # fmt: skip

    @property
    def stack(self) -> Any:
        view = AlertView.model_construct(state=self.alert.state, alert=self.alert)
        nothing = SimpleNamespace(paginate=lambda **_: ())
        return SimpleNamespace(
            output=lambda name: name,
            s3=SimpleNamespace(get_paginator=lambda _: nothing),
            table=SimpleNamespace(query=lambda *_: ()),
            session=SimpleNamespace(region_name="eu-west-1"),
            runs=SimpleNamespace(
                list=lambda: [self.run], get=lambda _: self.run, files_of=lambda _: {},
                answers=lambda _: self.facts[1:],
                reviews=lambda runs: {run.run_id: State.DRAFT for run in runs},
            ),
            stages=SimpleNamespace(
                of_run=lambda *_: (self.stage,), facts=lambda *_: self.facts,
                cost_lines=lambda *_: (),
            ),
            alerts=SimpleNamespace(listed=lambda *_, **__: [view], of_run=lambda _: [self.alert]),
            bucket=lambda _: SimpleNamespace(
                head=lambda _: True,
                keys=lambda stage: [SimpleNamespace(key=f"{stage}e1/{self.text}/boot.log")],
                get=lambda _: f"worker: {self.text}".encode(errors="surrogatepass"),
            ),
        )  # fmt: skip

    @property
    def report(self) -> Report:
        report = assemble(made_up.clean())
        samples = tuple(s.model_copy(update={"name": self.text}) for s in report.samples)
        of_all = {"samples": samples, "remarks": (self.text,), "decision": self.text}
        for name in ("findings", "outcomes", "screens"):
            one = tuple(r.model_copy(update={"sample": self.text}) for r in getattr(report, name))
            of_all[name] = one
        return report.model_copy(update=of_all)


def an_error(text: str, *, as_json: bool) -> None:
    with pytest.raises(typer.Exit):
        terminal.fail(InputRefused(text, file=text, remedy=text), as_json=as_json)


def left_over(house: House, *, as_json: bool) -> None:
    found = Found.model_construct(
        what=next(iter(What)),
        name=house.text,
        reasons=verbatim(house.text),
        action="told",
        problem="",
    )
    answer = Reaped.model_construct(dry=True, found=(found,))
    patched = pytest.MonkeyPatch()
    patched.setattr(orphans, "invoke_function", lambda *_: answer)
    orphans.orphans(house.stack, dry=True, kills=0, as_json=as_json)
    patched.undo()


def acknowledging(house: House, *, as_json: bool) -> None:
    patched = pytest.MonkeyPatch()
    patched.setattr(alerts, "invoke_function", lambda *_: AlertView.of(house.alert))
    alerts.close(house.stack, None, as_json=as_json)  # type: ignore[arg-type]
    patched.undo()


def reporting(house: House, *, as_json: bool) -> None:
    patched = pytest.MonkeyPatch()
    patched.setattr(output, "with_report", lambda *_: house.run)
    patched.setattr(output, "read_report", lambda *_: house.report)
    patched.setattr(output, "stored_report", lambda *_: house.report.model_dump(mode="json"))
    output.report(house.stack, "run-1", out=None, as_json=as_json)
    patched.undo()


def holding(house: House, *, as_json: bool) -> None:
    hold = Hold.model_construct(by=house.text, reason=house.text, at=now(), released=None)
    held = Held.model_construct(run_id="run-1", hold=hold, locked=3)
    terminal.print_json(held) if as_json else holds_and_deletions.show_hold(held)


def deleting(house: House, *, as_json: bool) -> None:
    done = Deleted.model_construct(
        run_id="run-1", state=RunState.DELETED, dry_run=False, found=Counts(),
        stays=(house.text,), problem=house.text,
    )  # fmt: skip
    terminal.print_json(done) if as_json else holds_and_deletions.show_deletion(done)


def cancelling(house: House, *, as_json: bool) -> None:
    done = Cancelled.model_construct(
        run_id="run-1", state=RunState.CANCELLED, problem=house.text, machines=(house.text,),
        cost_usd=0.0,
    )  # fmt: skip
    patched = pytest.MonkeyPatch()
    patched.setattr("porewatch_cli.stack.find_stack", lambda *_, **__: house.stack)
    patched.setattr("porewatch_cli.invoke.invoke_function", lambda *_: done)
    retention.cancel("run-1", "", "me", as_json)
    patched.undo()


def checking_a_sheet(house: House, *, as_json: bool) -> None:
    sheet = read_sheet(f'name,barcode,volume_ml\n"{house.text}",{house.text!a},x\n', file="s")
    fault = SampleSheetRefused(house.text, file=house.text, column=house.text, remedy=house.text)
    faulty = sheet._replace(faults=(*sheet.faults, fault))
    path = Path(house.text.replace("/", "_").replace("\0", "_"))
    terminal.print_json(sheets._as_json(faulty, path)) if as_json else sheets._print_sheet(
        faulty, path
    )


def listing_references(house: House, *, as_json: bool) -> None:
    made = BundleManifest.model_construct(
        name="b", version="1", synthetic=False, contigs=(), host_bases=1, description=house.text
    )
    terminal.print_json([made]) if as_json else references._show([made])


def costing(house: House, *, as_json: bool) -> None:
    odd = {name: house.text for name in ("what", "instance_type", "purchase", "detail")}
    lines = [
        CostLine.model_construct(**odd, stage=stage, epoch=1, seconds=60.0, usd=0.1)
        for stage in (house.text, None)
    ]
    factors = carbon_factors("eu-west-1")
    bill = make_bill(lines, prices=verbatim(house.text), as_of=now(), factors=factors)
    books = Books(cap_usd=1, reserved_usd=1, settled_usd=0, released_usd=1, held_usd=0, spent_usd=0)
    patched = pytest.MonkeyPatch()
    patched.setattr(cost, "bill_of", lambda *_: (bill, books, ()))
    patched.setattr(cost, "record_of", lambda *_: house.run)
    cost.show_cost(house.stack, "run-1", as_json=as_json)
    patched.undo()


def screening(house: House, *, as_json: bool) -> None:
    """Reads, names of files and places of the report are the stranger's."""
    name = house.text.replace("/", "_").replace("\0", "_")
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / name
        out.mkdir()
        (out / "report.json").write_bytes(b"")
        left_out = (f"{house.text}: {house.text}",)
        patched = pytest.MonkeyPatch()
        patched.setattr(
            local_run,
            "screen_locally",
            lambda *_, **__: LocalReport(out=out, manifests=(), left_out=left_out),
        )
        read = SimpleNamespace(model_validate_json=lambda _: house.report)
        patched.setattr(screen, "Report", read)  # a report of these names is not even read
        screen.screen_here(
            [out], references=out, out=out, bundle="b@1", sample_sheet=None, threads=1,
            as_json=as_json,
        )  # fmt: skip
        patched.undo()


Verb = Callable[..., object]
VERBS: dict[str, Verb] = {
    "list": lambda h, as_json: output.runs(h.stack, as_json=as_json),
    "logs": lambda h, as_json: show_logs(h.stack, "run-1", None, as_json=as_json),
    "watch": lambda h, as_json: watch.watch("run-1", h.stack, as_json=as_json),
    "alerts": lambda h, as_json: alerts.show(h.stack, None, every=True, as_json=as_json),
    "ack": acknowledging,
    "report": reporting,
    "compare": lambda h, as_json: compare_runs(
        h.report, h.report, out=None, language="en", as_json=as_json
    ),
    "doctor": lambda h, as_json: output.checks(
        [Check(what="AMI", verdict=CheckVerdict.OK, told=h.text, remedy=h.text)], as_json=as_json
    ),
    "audit": lambda h, as_json: audit_report(h.report, as_json=as_json, kept=h.text),
    "reap": left_over,
    "hold": holding,
    "delete": deleting,
    "cancel": cancelling,
    "cost": costing,
    "screen": screening,
    "sheet check": checking_a_sheet,
    "references list": listing_references,
    "error": lambda h, as_json: an_error(h.text, as_json=as_json),
}


def printed(
    verb: Verb, text: str, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> tuple[str, str]:
    """Standard output and standard error."""
    verb(House(text), as_json=as_json)
    return tuple(capsys.readouterr())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_terminal_shows_what_would_not_be_seen(
    verb: Verb, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = "".join(printed(verb, text, capsys, as_json=False))
    assert {c for c in output if unseen(c)} <= {"\n"}
    assert not any(line.strip().startswith("FORGED") for line in output.splitlines())
    if text.isprintable() and text.isascii():
        assert text.replace(" ", "") in "".join(output.split())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_json_keeps_the_text_and_is_plain(
    verb: Verb, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output, beside = printed(verb, text, capsys, as_json=True)
    assert {c for c in beside if unseen(c)} <= {"\n"}
    assert not any(line.strip().startswith("FORGED") for line in beside.splitlines())
    assert output.isascii() and {c for c in output if unseen(c)} <= {"\n"}
    known = json.dumps(json.loads(output))
    assert json.dumps(text)[1:-1] in known or verb is VERBS["compare"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_live_picture_is_held_as_well(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.console.print(picture(look("run-1", House(text).stack)))
    output = capsys.readouterr().out
    assert {c for c in output if unseen(c)} <= {"\n"}
    assert not any(line.strip().startswith("FORGED") for line in output.splitlines())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_bar_of_a_screen_names_the_file_it_reads(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bar = screen._bar(disable=False)
    bar.add_task(text, total=None, doing=f"checking {text}")
    terminal.errors.print(bar.make_tasks_table(bar.tasks))
    output = capsys.readouterr().err
    assert "checking" in output
    assert {c for c in output if unseen(c)} <= {"\n"}
    assert not any(line.strip().startswith("FORGED") for line in output.splitlines())


def test_a_table_takes_texts_and_styled_texts_alike(capsys: pytest.CaptureFixture[str]) -> None:
    made = terminal.table("[b]t\x1b", "h\x1b")
    for text in HOSTILE.values():
        made.add_row(text)
        made.add_row(terminal.Text(text, style="red"))
    assert isinstance(made, Table)
    terminal.console.print(made)
    output = capsys.readouterr().out
    assert {c for c in output if unseen(c)} <= {"\n"}
    assert len(output.splitlines()) == 2 + 2 * len(HOSTILE)


def test_a_file_name_that_is_no_unicode_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    an_error("caf\udce9.fastq", as_json=False)
    assert r"caf\udce9.fastq: caf\udce9.fastq" in capsys.readouterr().err
    an_error("caf\udce9.fastq", as_json=True)
    assert json.loads(capsys.readouterr().out)["file"] == r"caf\udce9.fastq"


def test_every_print_goes_through_the_one_console() -> None:
    """No module of the command line makes a console or prints by itself."""
    for path in Path(terminal.__file__).parent.rglob("*.py"):
        if path.name == "terminal.py":
            continue
        text = path.read_text("utf-8")
        for call in ("Console(", "typer.echo", "sys.stderr.write", "\n    print(", "markup import"):
            assert call not in text, (path.name, call)
        assert text.count("TextColumn(") == text.count("markup=False"), path.name
