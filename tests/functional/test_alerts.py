"""An alert's life: raised, settled by the run's end, closed by a person, or escalated.

Events come twice, late and out of order; each message goes out once.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from porewatch.adapters.items import Item, run_key
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.table import Table
from porewatch.domain import (
    base,
    s3_keys,
)
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.findings import (
    Call,
    Finding,
)
from porewatch.domain.errors import MessageRefused, NotFound
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.alerts import (
    MOST_ESCALATIONS,
    Acknowledge,
    AlertState,
    AlertVerdict,
)
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.outbox import FACT_PREFIX
from porewatch.domain.people.secrets import new_run_id
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.rules.run_lifecycle import Registration
from porewatch.domain.runs import RunState
from porewatch.domain.stage.worker_messages import Suspected
from porewatch.usecases.alerts.raise_alert import raise_alert
from porewatch.usecases.views.show_alerts import (
    acknowledge,
    list_alerts,
)
from simulator.made_results import some_outcomes
from tests.functional.doors import KEY_HOLDER, Context, door, fact_event, send

RUN = "run-1"
AT = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
TICK = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
COMPLETED = {"findings": 1, "cost_usd": 0.1, "report_keys": {}}


@pytest.fixture
def alerts_of(cloud: Table) -> AlertLedger:
    return AlertLedger(cloud)


def suspected(
    code: str = "PERV-C", *, severity: str = "critical", revision: int = 0, reads: int = 7
) -> PathogenSuspected:
    return PathogenSuspected(
        fact_id=f"PathogenSuspected:{RUN}:{revision}:pig:{code}",
        run_id=RUN, revision=revision, at=AT, sample="pig", code=code, name=f"{code} by name",
        severity=severity, reads=reads, starts=6, breadth=0.1, identity=0.95, rule="7 reads",
    )  # fmt: skip


def ended(kind: str, revision: int = 0, **more: Any) -> dict[str, Any]:
    rest = COMPLETED if kind == "RunCompleted" else {"problem": "it broke."}
    if kind == "RunFailed":
        rest = {**rest, "stage": "report", "error": "WorkerLost"}
    if kind == "RunCancelled":
        rest = {**rest, "was": "running", "by": "A. Sato", "reason": "wrong sheet"}
    detail = {"fact_id": f"{kind}:{RUN}:{revision}", "run_id": RUN, "revision": revision}
    return fact_event(kind, {**detail, "at": AT.isoformat(), **rest, **more})


def finding(code: str, call: Call, severity: str = "critical") -> Finding:
    return Finding(
        sample="pig", code=code, name=f"{code} by name", severity=severity, call=call,
        why=verbatim(f"{code} is {call.value}"),
    )  # fmt: skip


def results(*found: Finding, alarms: tuple[str, ...] = (), revision: int = 0) -> None:
    """`results.json` of a revision."""
    content = RunResults(
        run_id=RUN, revision=revision, bundle="demo@1", bundle_sha256="0" * 64, synthetic=True,
        phases=(), outputs={}, screens=(), unlisted_barcodes={}, findings=found,
        outcomes=some_outcomes()[:1],
        alarms=tuple(
            Alarm(sample="pig", code=c, name=c, severity="critical", reads=9, rule="met")
            for c in alarms
        ),
    )  # fmt: skip
    Objects("results").put_json(s3_keys.results_key(RUN, revision), content)


def facts(table: Table) -> list[Fact]:
    items = table.query(f"RUN#{RUN}", FACT_PREFIX)
    return [
        FACTS[str(i.attributes["detail_type"])].model_validate_json(str(i.attributes["detail"]))
        for i in items
    ]


def publish(table: Table) -> None:
    """What the stream and the bus do: every fact of the ledger reaches alert_handler, twice."""
    for fact in facts(table):
        body = fact_event(type(fact).__name__, json.loads(fact.canonical_json()))
        assert send("alert_handler", body, body) == []


def kinds(table: Table) -> list[str]:
    return sorted(type(fact).__name__ for fact in facts(table))


def test_a_suspicion_that_the_report_holds_is_confirmed_once(
    cloud: Table, alerts_of: AlertLedger, alerts: Any
) -> None:
    alerts_of.raise_alert(suspected())
    alerts_of.raise_alert(suspected(reads=90))
    results(finding("PERV-C", Call.DETECTED), alarms=("PERV-C",))
    assert send("alert_handler", ended("RunCompleted"), ended("RunCompleted")) == []
    publish(cloud)
    subjects = [m["Subject"] for m in alerts()]
    assert sorted(subjects) == [
        "CONFIRMED PERV-C in pig, run run-1",
        "SUSPECTED PERV-C in pig, run run-1",
    ]
    (alert,) = alerts_of.of_run(RUN)
    assert (alert.verdict, alert.state, alert.reads) == ("confirmed", AlertState.CONFIRMED, 7)


def test_a_suspicion_that_the_report_does_not_hold_is_withdrawn_with_what_changed(
    cloud: Table, alerts_of: AlertLedger, alerts: Any
) -> None:
    alerts_of.raise_alert(suspected())
    results(finding("PERV-C", Call.INDETERMINATE))
    assert send("alert_handler", ended("RunCompleted")) == []
    publish(cloud)
    mail = {m["Subject"].split()[0]: m["Message"] for m in alerts()}
    assert set(mail) == {"SUSPECTED", "WITHDRAWN"}
    for phrase in ("rested on 7 reads", "call is indeterminate", "PERV-C is indeterminate"):
        assert phrase in mail["WITHDRAWN"]
    assert list(alerts_of.waiting()) == []


def test_what_was_not_alerted_in_the_run_is_alerted_at_its_end(
    cloud: Table, alerts_of: AlertLedger, alerts: Any
) -> None:
    results(finding("PERV-C", Call.DETECTED), alarms=("PERV-C", "X-PERV-AC"))
    for _ in range(2):
        assert send("alert_handler", ended("RunCompleted")) == []
    publish(cloud)
    assert sorted(m["Subject"].split()[1] for m in alerts()) == ["PERV-C", "X-PERV-AC"]
    assert kinds(cloud) == ["PathogenSuspected"] * 2
    assert {a.level.value for a in alerts_of.of_run(RUN)} == {"final"}


@pytest.mark.parametrize("kind", ["RunFailed", "RunRefused", "RunCancelled"])
def test_a_run_without_a_report_leaves_its_alerts_unconfirmed_and_says_so(
    cloud: Table, alerts_of: AlertLedger, alerts: Any, kind: str
) -> None:
    alerts_of.raise_alert(suspected())
    for _ in range(2):
        assert send("alert_handler", ended(kind)) == []
    publish(cloud)
    mail = {m["Subject"].split()[0]: m["Message"] for m in alerts()}
    assert set(mail) == {"SUSPECTED", "UNCONFIRMED"}
    assert "stands unconfirmed" in mail["UNCONFIRMED"]
    assert "it broke." in mail["UNCONFIRMED"]
    (alert,) = alerts_of.waiting()
    assert alert.verdict is AlertVerdict.UNCONFIRMED


def test_a_new_revision_overrules_the_old_one_and_never_the_other_way_round(
    cloud: Table, alerts_of: AlertLedger
) -> None:
    """Both ends are published in every order, and twice: the later revision's verdict stands."""
    results(finding("PERV-C", Call.DETECTED), alarms=("PERV-C",))
    results(finding("PERV-C", Call.NOT_DETECTED), revision=1)
    for order in permutations([0, 0, 1, 1]):
        alerts_of.raise_alert(suspected())
        for revision in order:
            assert send("alert_handler", ended("RunCompleted", revision)) == []
        (alert,) = alerts_of.of_run(RUN)
        assert (alert.verdict, alert.settled_by) == ("withdrawn", 1)
        cloud.delete(f"RUN#{RUN}", "ALERT#0000#pig#PERV-C")


def test_an_attempt_at_a_new_revision_that_is_refused_settles_nothing(
    cloud: Table, alerts_of: AlertLedger
) -> None:
    alerts_of.raise_alert(suspected())
    assert send("alert_handler", ended("RunRefused", revision=1)) == []
    (alert,) = alerts_of.of_run(RUN)
    assert alert.verdict is AlertVerdict.PENDING


@pytest.mark.parametrize(
    ("call", "verdict"), [("detected", "confirmed"), ("indeterminate", "withdrawn")]
)
def test_an_alert_that_comes_after_the_runs_end_is_settled_at_once(
    cloud: Table, runs: RunLedger, alerts_of: AlertLedger, call: str, verdict: str
) -> None:
    _over(runs, "completed")
    results(finding("PERV-C", Call(call)))
    _late(runs, alerts_of)
    (alert,) = alerts_of.of_run(RUN)
    assert alert.verdict == verdict


def test_an_alert_that_comes_after_a_failure_is_unconfirmed(
    cloud: Table, runs: RunLedger, alerts_of: AlertLedger
) -> None:
    _over(runs, "failed")
    _late(runs, alerts_of)
    (alert,) = alerts_of.of_run(RUN)
    assert alert.verdict is AlertVerdict.UNCONFIRMED


def test_the_sweep_settles_what_the_event_of_the_end_did_not_reach(
    cloud: Table, runs: RunLedger, alerts_of: AlertLedger
) -> None:
    alerts_of.raise_alert(suspected())
    tick()
    assert alerts_of.of_run(RUN)[0].verdict is AlertVerdict.PENDING
    _over(runs, "failed")
    tick()
    assert alerts_of.of_run(RUN)[0].verdict is AlertVerdict.UNCONFIRMED


def test_an_unacknowledged_critical_alert_is_escalated_when_its_time_is_up_and_so_often(
    cloud: Table, alerts_of: AlertLedger, escalations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fact in (suspected(), suspected("HEV", severity="high")):
        alerts_of.raise_alert(fact)
    for minutes in (29, 30, 30, 45, 60, 61, 90, 120, 500):
        monkeypatch.setattr(base, "clock", lambda m=minutes: AT + timedelta(minutes=m))
        tick()
    publish(cloud)
    mail = escalations()
    assert len(mail) == MOST_ESCALATIONS
    assert {m["Subject"] for m in mail} == {"NOT ACKNOWLEDGED: PERV-C in pig, run run-1"}
    assert "for 30 minutes (message 1)" in mail[0]["Message"]


def test_an_acknowledged_alert_waits_for_nobody(
    cloud: Table, alerts_of: AlertLedger, escalations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts_of.raise_alert(suspected())
    for name in (" A. Sato ", "B. Late"):
        view = acknowledge(acknowledgement("PERV-C", name), alerts=alerts_of, at=AT)
        assert (view.alert.acknowledged_by, view.state) == ("A. Sato", AlertState.ACKNOWLEDGED)
    monkeypatch.setattr(base, "clock", lambda: AT + timedelta(hours=5))
    tick()
    assert list_alerts(alerts=alerts_of).alerts == ()
    assert len(list_alerts(alerts=alerts_of, every="true").alerts) == 1
    assert kinds(cloud) == ["AlertAcknowledged", "PathogenSuspected"]
    results(finding("PERV-C", Call.INDETERMINATE))
    send("alert_handler", ended("RunCompleted"))  # who acknowledged it is notified all the same
    assert "SuspicionWithdrawn" in kinds(cloud)


def test_only_an_alert_that_exists_is_acknowledged_and_only_by_a_name(
    cloud: Table, alerts_of: AlertLedger
) -> None:
    alerts_of.raise_alert(suspected())
    with pytest.raises(MessageRefused, match="needs a name"):
        acknowledge(acknowledgement("PERV-C", " "), alerts=alerts_of, at=AT)
    with pytest.raises(NotFound, match="no alert HEV"):
        acknowledge(acknowledgement("HEV", "A"), alerts=alerts_of, at=AT)


def test_the_api_lists_and_closes_alerts(cloud: Table, alerts_of: AlertLedger) -> None:
    RunLedger(cloud).receive(RUN, AT)
    alerts_of.raise_alert(suspected())
    status, body = request("GET", "/alerts")
    assert status == 200
    assert [(a["state"], a["alert"]["code"]) for a in body["alerts"]] == [("open", "PERV-C")]
    path = f"/alerts/{RUN}/pig/PERV-C/ack"
    assert request("POST", path, {"note": "x"})[0] == 400
    assert request("POST", f"/alerts/{RUN}/pig/HEV/ack", {"name": "A"})[0] == 404
    status, body = request("POST", path, {"name": "A. Sato", "note": "held"})
    assert (status, body["state"], body["alert"]["note"]) == (200, "acknowledged", "held")
    assert request("GET", "/alerts")[1] == {"alerts": [], "next": None}
    assert len(request("GET", "/alerts", query={"all": "true"})[1]["alerts"]) == 1


@pytest.mark.parametrize("run", [None, RUN])
def test_all_alerts_can_be_reached_page_by_page_also_when_one_is_closed_between_two(
    cloud: Table, alerts_of: AlertLedger, run: str | None
) -> None:
    RunLedger(cloud).receive(RUN, AT)
    samples = [f"ブタ {number}" for number in range(7)]
    for sample in samples:
        alerts_of.raise_alert(suspected().model_copy(update={"sample": sample}))
    first = alerts_of.of_run(RUN)[0]
    alerts_of.acknowledge(alerts_of.of_run(RUN)[-1], "A. Sato", "", AT)
    query, found = {"limit": "2", "all": "yes"} | ({"run": run} if run else {}), []
    for _ in range(4):
        status, page = request("GET", "/alerts", query=query)
        assert status == 200
        found += [one["alert"]["sample"] for one in page["alerts"]]
        alerts_of.acknowledge(first, "A. Sato", "", AT)  # it was on the first page
        if page["next"]:
            query["cursor"] = page["next"]
    assert page["next"] is None
    assert set(found) == set(samples)


@pytest.mark.parametrize(
    "query",
    [
        *({"cursor": c} for c in ("", "x", "=", "é", "AAAA", "A" * 5000, "MjAyNg")),
        *({"limit": n} for n in ("0", "201", "٣", "9" * 5000, "-1")),
        *({"all": a} for a in ("maybe", "TRUE", "x" * 5000)),
        *({"run": r} for r in ("", "a/b", "x" * 5000)),
    ],
    ids=lambda q: str(q)[:30],
)
def test_a_bad_query_for_alerts_is_a_bad_request(cloud: Table, query: dict[str, str]) -> None:
    status, body = request("GET", "/alerts", query=query)
    assert (status, body["error"]) == (400, "MessageRefused")
    assert len(body["problem"]) < 300


def test_a_cursor_of_another_list_is_refused(cloud: Table, alerts_of: AlertLedger) -> None:
    RunLedger(cloud).receive(RUN, AT)
    for sample in ("a", "b"):
        alerts_of.raise_alert(suspected().model_copy(update={"sample": sample}))
    _, of_all = request("GET", "/alerts", query={"limit": "1"})
    _, of_run = request("GET", "/alerts", query={"limit": "1", "run": RUN})
    assert request("GET", "/alerts", query={"run": RUN, "cursor": of_all["next"]})[0] == 400
    assert request("GET", "/alerts", query={"cursor": of_run["next"]})[0] == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/runs", f"/runs/{RUN}", "/alerts"])
def test_a_reading_route_knows_no_other_method(cloud: Table, method: str, path: str) -> None:
    event = {
        "httpMethod": method, "path": path, "queryStringParameters": None, "headers": {},
        "body": "{}", "isBase64Encoded": False, "requestContext": {"authorizer": KEY_HOLDER},
    }  # fmt: skip
    assert door("api")(event, Context())["statusCode"] in (404, 405)


def test_the_command_calls_the_same_function(cloud: Table, alerts_of: AlertLedger) -> None:
    alerts_of.raise_alert(suspected())
    order = acknowledgement("PERV-C", "A. Sato").model_dump(mode="json")
    answer = door("alert_handler")(order, Context())
    assert (answer["state"], answer["alert"]["acknowledged_by"]) == ("acknowledged", "A. Sato")


def acknowledgement(code: str, name: str) -> Acknowledge:
    return Acknowledge(run_id=RUN, sample="pig", code=code, name=name, note="animal held")


def request(
    method: str, path: str, body: object = None, query: dict[str, str] | None = None
) -> tuple[int, Any]:
    event = {
        "httpMethod": method, "path": path, "queryStringParameters": query, "headers": {},
        "body": json.dumps(body) if body is not None else None, "isBase64Encoded": False,
        "requestContext": {"authorizer": KEY_HOLDER},
    }  # fmt: skip
    function = "api" if method == "GET" else "alert_handler"
    answer = door(function)(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def tick() -> None:
    door("alert_handler")(TICK, Context())


def _late(runs: RunLedger, alerts_of: AlertLedger) -> None:
    fact = suspected()
    fields = {n: getattr(fact, n) for n in Suspected.model_fields if n in type(fact).model_fields}
    message = Suspected(**fields, stage="screen", epoch=1, instance_id="i-1")
    for _ in range(2):
        raise_alert(message, alerts=alerts_of, runs=runs, results=Objects("results"), at=AT)


def _over(runs: RunLedger, state: str) -> None:
    record = RunRecord(run_id=RUN, state=RunState(state), created_at=AT, updated_at=AT)
    runs._table.put(Item.of(run_key(RUN), "RUN", record))


def test_alerts_of_a_project_are_listed_by_themselves(cloud: Table) -> None:
    """The place of a foreign alert is in no cursor, and no foreign alert is read."""
    known, runs = AlertLedger(cloud), ProjectRuns(cloud)
    mine, other = "p-aaaaaaaaaaaaaaaa", "p-bbbbbbbbbbbbbbbb"
    for number in range(9):
        project = mine if number % 3 == 0 else other
        run = runs.register(new_run_id(), Registration(project, f"run {number}", "u"), AT)
        fact = suspected().model_copy(update={"run_id": run.run_id})
        alert = known.raise_alert(fact.model_copy(update={"fact_id": f"{fact.fact_id}{number}"}))
        if number == 3:
            known.acknowledge(alert, "A. Sato", "held", AT)
    listed = [alert for _, alert in known.places(projects=[mine], every=True)]
    assert [alert.project for alert in listed] == [mine] * 3
    assert [alert.waits for alert in listed] == [True, True, False]
    page = list_alerts(alerts=known, projects=[mine], limit="1")
    assert page.next is not None
    (last,) = list_alerts(alerts=known, projects=[mine], cursor=page.next).alerts
    assert last.alert.project == mine
    assert list_alerts(alerts=known, projects=[]).alerts == ()
    assert len(list_alerts(alerts=known, every="true").alerts) == 9


def test_half_a_character_is_refused_before_it_is_stored(
    cloud: Table, alerts_of: AlertLedger
) -> None:
    RunLedger(cloud).receive(RUN, AT)
    alerts_of.raise_alert(suspected())
    path = f"/alerts/{RUN}/pig/PERV-C/ack"
    assert request("POST", path, {"name": "A. Sato", "note": "\ud800"})[0] == 400
    assert request("GET", "/alerts")[0] == 200
