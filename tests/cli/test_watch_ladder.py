"""A run that gets no machine: every rung that refused stands with its reason in `porewatch watch`
and in all three reports. Ledger, ladder, launch, decision, watch and reports are the real ones."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import boto3
import pytest
from pypdf import PdfReader
from rich.console import Console

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.capacity_misses import Pools
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.errors import CapacityUnavailable, PorewatchError, QuotaExceeded
from porewatch.domain.stage.spec import StageSpec
from porewatch.domain.stage.state_machine_tasks import (
    Decide,
    FailRun,
    Launch,
    Open,
)
from porewatch.domain.stage.work_order import WorkOrder
from porewatch.usecases.instances.launch_instance import launch_instance
from porewatch.usecases.stages.handle_error import decide_stage
from porewatch.usecases.stages.open_stage import open_stage
from porewatch_cli.runs import run_view
from porewatch_cli.runs import watch as watching
from porewatch_cli.runs.capacity_steps import last_steps
from porewatch_cli.runs.picture import picture
from porewatch_cli.runs.run_view import RunView, look
from porewatch_cli.runs.watch import watch
from porewatch_cli.stack import Stack
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf
from tests.unit.usecases.house import REVISION, RUN, SPEC, STAGE, House, Secrets
from tests.web import made_up

WIDER = SPEC.model_copy(update={"wider_types": ("m5.4xlarge",)})
FULL = CapacityUnavailable("no machine: InsufficientInstanceCapacity (6 pools asked).")
OVER = QuotaExceeded("no machine: VcpuLimitExceeded.")
SPOT = f"screen: no machine from EC2, spot: {FULL.problem} Next: spot, more and larger types."
WIDER_SPOT = (
    f"screen: no machine from EC2, spot, more and larger types: {FULL.problem} Next: on-demand."
)
DEAR = (
    f"screen: no machine from EC2, on-demand: {OVER.problem} Next: wait, and ask all of them again."
)
WAITS = "screen: failed, will be tried again: CapacityUnavailable: no rung gave a machine."


@pytest.fixture
def house(ledger: Table, buckets: None) -> House:
    made = House(ledger)
    made.cloud.full = {"spot": FULL, "on-demand": OVER}
    made.seal()
    return made


@pytest.fixture
def stack(house: House) -> Stack:
    return Stack("s", boto3.Session(region_name="eu-central-1"), {"LedgerTable": "ledger"})


def opened(house: House, spec: StageSpec = WIDER) -> WorkOrder:
    task = Open(action="open", run_id=RUN, revision=REVISION, spec=spec)
    open_stage(task, house.desk(), default_bundle="b@1")
    return house.results.get_json(s3_keys.order_key(RUN, REVISION, spec.name), WorkOrder)


def launched(house: House, epoch: int) -> None:
    launch_instance(
        Launch(run_id=RUN, revision=REVISION, epoch=epoch, spec=WIDER),
        stack="s",
        stages=house.stages,
        executor=house.cloud,
        budget=Budget(house.table, run_usd=25),
        pools=Pools(house.table),
        secrets=Secrets(),
        at=house.now,
    )


def refused(house: House) -> None:
    """All rungs refuse, the last one for a quota; the state machine asks what to do: spot may have
    room later."""
    opened(house)
    with pytest.raises(CapacityUnavailable) as last:
        launched(house, 1)
    house.later(seconds=1)
    of = {"run_id": RUN, "revision": REVISION, "stage": STAGE, "epoch": 1}
    error = {"error": type(last.value).__name__, "cause": last.value.problem}
    task = Decide.model_validate({"action": "decide", **of, **error})
    assert decide_stage(task, stages=house.stages, at=house.now).decision == "retry"


def gets_one(house: House) -> None:
    house.later(minutes=2)
    house.cloud.full = {}
    opened(house)
    launched(house, 2)


def stops(house: House) -> None:
    of = {"run_id": RUN, "revision": REVISION, "error": "WorkerFailed", "cause": "enough."}
    house.fail(FailRun.model_validate({"action": "fail_run", **of}))


@pytest.fixture
def seconds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second that `watch` sleeps, the next thing happens."""
    happening: Iterator[Callable[[House], None]] = iter((refused, gets_one, stops))
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: next(happening)(house))
    monkeypatch.setattr(run_view, "time", clock)


def follows(lines: list[str], *beginnings: str) -> bool:
    """Each stands once among the lines (after its time), in this order."""
    places = [[i for i, line in enumerate(lines) if b in line] for b in beginnings]
    return all(len(found) == 1 for found in places) and places == sorted(places)


def test_a_pipe_gets_a_line_for_each_rung_with_its_reason_and_what_is_next(
    stack: Stack, seconds: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "console", Console(width=150))
    watch(RUN, stack)
    lines = capsys.readouterr().out.splitlines()
    gets_one, ends = "run-1: running · stage screen epoch 2 launched", "run-1: failed"
    assert follows(lines, SPOT, WIDER_SPOT, DEAR, WAITS, gets_one, ends)
    (waits,) = (line for line in lines if WAITS in line)
    assert "No pool had a machine free (wait 1 of at most 12)" in waits
    assert "all are asked again in" in waits


def test_json_has_every_rung_as_data(
    stack: Stack, seconds: None, capsys: pytest.CaptureFixture[str]
) -> None:
    watch(RUN, stack, as_json=True)
    views = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {view.pop("kind") for view in views} == {"run"}
    assert [len(view["refusals"]) for view in views] == [0, 3, 3, 3]
    refusals = [(r["rung"], r["asked"], r["error"]) for r in views[-1]["refusals"]]
    assert refusals == [
        (0, "spot", "CapacityUnavailable"),
        (1, "spot, more and larger types", "CapacityUnavailable"),
        (2, "on-demand", "QuotaExceeded"),
    ]
    assert [r["problem"] for r in views[-1]["refusals"]] == [FULL.problem] * 2 + [OVER.problem]
    failure, last = views[-1]["failures"]
    assert failure["will_retry"] and "asked again in" in failure["then"]
    assert (last["epoch"], last["will_retry"]) == (2, False), "the run's end ended it"
    assert RunView.model_validate(views[-1]).refusals


def test_a_terminal_shows_them_while_the_run_waits(house: House, stack: Stack) -> None:
    refused(house)
    console = Console(width=400)
    with console.capture() as shown:
        console.print(picture(look(RUN, stack)))
    assert follows(shown.get().splitlines(), SPOT, WIDER_SPOT, DEAR, WAITS)


def test_a_terminal_shows_the_newest_of_many(house: House, stack: Stack) -> None:
    refused(house)
    view = look(RUN, stack)
    many = view.model_copy(update={"refusals": view.refusals * 5})
    console = Console(width=400)
    with console.capture() as shown:
        console.print(picture(many))
    assert "6 earlier steps: porewatch logs" in shown.get()
    assert shown.get().count("no machine from") + shown.get().count("failed, will") == 10


def test_a_traceback_leaves_room_for_what_is_done_about_it(house: House, stack: Stack) -> None:
    opened(house)
    of = {"run_id": RUN, "revision": REVISION, "stage": STAGE, "epoch": 1}
    error = {"error": "WorkerFailed", "cause": "Traceback\n" + "  File x, line 1\n" * 120}
    task = Decide.model_validate({"action": "decide", **of, **error})
    decide_stage(task, stages=house.stages, at=house.now)
    shown = "\n".join(map(str, last_steps(look(RUN, stack).steps).renderables))
    assert len(shown) < 450
    assert shown.endswith("another machine goes on from the last checkpoint.")


@pytest.mark.parametrize("error", [FULL, OVER], ids=["capacity", "quota"])
def test_every_report_has_them_in_its_timeline(house: House, error: PorewatchError) -> None:
    house.cloud.full = {"spot": FULL, "on-demand": error}
    opened(house)
    with pytest.raises(CapacityUnavailable):
        launched(house, 1)
    order = opened(house, SPEC.model_copy(update={"name": "reporting"}))
    report = assemble(replace(made_up.clean(), timeline=order.timeline))
    page, book = render_html(report), PdfReader(io.BytesIO(render_pdf(report)))
    printed = "".join("".join(one.extract_text().split()) for one in book.pages)
    refusals = [entry for entry in report.timeline if "no machine from" in entry.what]
    assert [entry.what.split("from ")[1] for entry in refusals] == [
        "EC2, spot",
        "EC2, spot, more and larger types",
        "EC2, on-demand",
    ]
    assert refusals[2].detail == f"{error.problem}\nNext: wait, and ask all of them again."
    for entry in refusals:
        for line in (entry.what, *entry.detail.split("\n")):
            assert line in page
            assert "".join(line.split()) in printed.replace("\u200b", "")
