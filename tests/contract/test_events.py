"""Facts and their folders, and whether what happens reaches who must know."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import SOURCE
from porewatch.domain.mail.occasions import MAILED
from porewatch.domain.mail.suppression import DETAIL_TYPES
from porewatch.domain.mail.user_occasions import USER_EVENTS
from porewatch.domain.webhooks.events import KIND_OF
from porewatch.edge.envelopes import SES
from porewatch_local.generated.schemas import (
    DESCRIBED,
    EVENTS,
    export,
    schema_of,
    stale,
)
from porewatch_local.stack_template.event_patterns import matches
from porewatch_local.stack_template.template import (
    Template,
    folder_of,
    target,
)

TEMPLATE = Template.load(EVENTS.parent / "template.yaml")
RULES = TEMPLATE.of_type("AWS::Events::Rule")
KNOWN = {
    "RawBucket": "porewatch-raw",
    "SecondEc2Source": "porewatch.ec2",
    "MailConfiguration": "porewatch-mail",
}
FUNCTION_EVENTS = sorted((EVENTS / "functions").glob("*.json"))

Json = dict[str, Any]


def read(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found


def example(fact: str) -> Json:
    return read(EVENTS / fact / "example.json")


def queues_reached(event: Json, *, on_bus: bool) -> set[str]:
    """The queues that get this event, from the product's bus or from the account's."""
    return {
        target(to["Arn"])
        for rule in RULES.values()
        if "EventPattern" in rule
        and ("EventBusName" in rule) == on_bus
        and matches(rule["EventPattern"], event, KNOWN)
        for to in rule["Targets"]
    }


def queues_of(function: str) -> set[str]:
    events = TEMPLATE.functions[function].get("Events", {}).values()
    return {target(e["Properties"]["Queue"]) for e in events if e["Type"] == "SQS"}


def an_object(key: str) -> Json:
    event = json.loads(read(EVENTS / "functions/fastq_validator.json")["Records"][0]["body"])
    event["detail"]["object"]["key"] = key
    found: Json = event
    return found


def test_the_exported_schemas_are_those_of_the_code() -> None:
    assert list(stale(EVENTS)) == [], "run `python -m porewatch_local.generated.schemas` and commit"


def test_a_changed_fact_makes_its_schema_stale(tmp_path: Path) -> None:
    assert len(export(tmp_path)) == len(DESCRIBED)
    assert list(stale(tmp_path)) == []
    path = tmp_path / "RunSealed" / "schema.json"
    path.write_text(path.read_text().replace("manifest_digest", "digest"))
    gone = tmp_path / "RunForgotten" / "schema.json"
    gone.parent.mkdir()
    gone.write_text("{}")
    assert list(stale(tmp_path)) == [path, gone]


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_the_example_of_a_fact_is_what_the_bus_carries(fact: str) -> None:
    event = example(fact)
    assert (event["source"], event["detail-type"]) == (SOURCE, fact)
    parsed = FACTS[fact].model_validate(event["detail"])
    assert parsed.model_dump(mode="json") == event["detail"]
    assert event["detail"]["fact_id"].startswith(f"{fact}:{parsed.run_id}:")
    assert event["time"] == event["detail"]["at"]


@pytest.mark.parametrize("name", sorted(USER_EVENTS))
def test_the_example_of_an_event_about_a_user_is_what_the_bus_carries(name: str) -> None:
    event = example(name)
    assert (event["source"], event["detail-type"]) == (SOURCE, name)
    parsed = USER_EVENTS[name].model_validate(event["detail"])
    record = parsed.record()
    assert json.loads(record.detail) == event["detail"]
    assert record.detail_type == name and record.fact_id.startswith(f"{name}:")
    assert event["time"] == event["detail"]["at"]


@pytest.mark.parametrize(
    ("event", "queues"),
    [
        ("TierChanged", {"ArchiveQueue", "MailQueue"}),
        ("ResultsExpiring", {"MailQueue"}),
        ("ResultsThawed", {"MailQueue"}),
    ],
)
def test_an_event_about_a_user_reaches_its_readers_alone(event: str, queues: set[str]) -> None:
    """Readers of facts refuse them, so each would be a dead letter there."""
    assert queues_reached(example(event), on_bus=True) == queues


@pytest.mark.parametrize("fact", sorted(DESCRIBED))
def test_the_schema_accepts_the_example_and_refuses_a_strange_field(fact: str) -> None:
    check = jsonschema.Draft202012Validator(json.loads(schema_of(DESCRIBED[fact])))
    assert list(check.iter_errors(example(fact)["detail"])) == []
    assert list(check.iter_errors({**example(fact)["detail"], "strange": 1}))


def test_the_rule_of_webhooks_lets_through_what_they_are_sent_of() -> None:
    assert set(RULES["WebhookRule"]["EventPattern"]["detail-type"]) == {
        fact.__name__ for fact in KIND_OF
    }


def test_the_rules_of_mail_let_through_what_people_get_mail_about() -> None:
    assert set(RULES["MailRule"]["EventPattern"]["detail-type"]) == {
        *(fact.__name__ for fact in MAILED),
        *USER_EVENTS,
    }
    feedback = RULES["FeedbackRule"]["EventPattern"]
    assert (feedback["source"], set(feedback["detail-type"])) == ([SES], set(DETAIL_TYPES))


def test_every_folder_of_events_is_an_event_of_ours() -> None:
    folders = {path.name for path in EVENTS.iterdir() if path.is_dir()}
    assert folders - {"functions"} == set(DESCRIBED)


@pytest.mark.parametrize(
    ("fact", "queues"),
    [
        ("FileValidated", {"IntakeQueue", "EarlyQueue"}),
        ("FileQuarantined", {"IntakeQueue", "AlertQueue"}),
        ("PathogenSuspected", {"AlertQueue", "WebhookQueue", "MailQueue"}),
        ("InstanceTerminated", {"CostQueue"}),
        ("LaunchRefused", {"AlertQueue"}),
        ("StageStalled", {"AlertQueue"}),
        ("RunRefused", {"AlertQueue", "WebhookQueue", "MailQueue"}),
        ("RunFailed", {"AlertQueue", "WebhookQueue", "MailQueue"}),
        ("RunCompleted", {"AlertQueue", "WebhookQueue", "MailQueue"}),
        ("RunStarted", {"WebhookQueue"}),
        ("RunCancelled", {"AlertQueue", "WebhookQueue"}),
        ("AlertAcknowledged", {"WebhookQueue"}),
        ("ReportSigned", {"WebhookQueue", "MailQueue"}),
        ("PhaseCompleted", set()),
    ],
)
def test_a_fact_reaches_its_readers_and_the_two_who_read_all(fact: str, queues: set[str]) -> None:
    expected = queues | {"StatusQueue", "MetricQueue"}
    assert queues_reached(example(fact), on_bus=True) == expected


@pytest.mark.parametrize(
    ("key", "queues"),
    [
        ("runs/r1/fastq/a.fastq.gz", {"FilesQueue"}),
        ("runs/r1/fastq/barcode01/a.fastq.gz", {"FilesQueue"}),
        ("runs/r1/bam/a.bam", {"FilesQueue"}),
        ("runs/r1/pod5/a.pod5", {"FilesQueue"}),
        ("runs/r1/run.json", {"IntakeQueue"}),
        ("runs/r1/final_summary_FAX00001.txt", {"IntakeQueue"}),
        ("inbox/r1.tar", {"BundlesQueue"}),
        ("somewhere/input.tar", {"BundlesQueue"}),
        ("inbox/r1.zip", {"FilesQueue"}),
        ("runs/r1/report.html", {"FilesQueue"}),
        ("manifests/r1/ab.json", set()),
        ("quarantine/runs/r1/fastq/a.fastq.gz", set()),
        ("quarantine/inbox/r1.tar", {"BundlesQueue"}),  # which leaves it alone: a key has one test
    ],
)
def test_an_object_wakes_the_reader_of_its_folder(key: str, queues: set[str]) -> None:
    assert queues_reached(an_object(key), on_bus=False) == queues


def test_another_bucket_wakes_nobody() -> None:
    event = an_object("runs/r1/run.json")
    event["detail"]["bucket"]["name"] = "porewatch-results"
    assert queues_reached(event, on_bus=False) == set()


def test_the_monitor_gets_ec2_from_both_sources_and_nothing_else() -> None:
    source = TEMPLATE.functions["InstanceMonitor"]["Events"]["Machines"]["Properties"]
    for variant in ("interruption", "rebalance", "state"):
        event = read(EVENTS / f"functions/instance_monitor.{variant}.json")
        assert matches(source["Pattern"], event, KNOWN)
        assert matches(source["Pattern"], {**event, "source": "porewatch.ec2"}, KNOWN)
        assert not matches(source["Pattern"], {**event, "source": "somebody"}, KNOWN)


def test_the_error_handler_gets_every_end_that_is_not_a_success_of_our_machine() -> None:
    source = TEMPLATE.functions["ErrorHandler"]["Events"]["Executions"]["Properties"]
    pattern = copy.deepcopy(source["Pattern"])
    (machine,) = pattern["detail"].pop("stateMachineArn")
    assert machine["Fn::Sub"].endswith(":stateMachine:${AWS::StackName}-screen-run")
    event = read(EVENTS / "functions/error_handler.execution.json")
    for status in ("FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED", "RUNNING"):
        matched = matches(
            pattern, {**event, "detail": {**event["detail"], "status": status}}, KNOWN
        )
        assert matched is (status not in ("SUCCEEDED", "RUNNING"))


@pytest.mark.parametrize("function", sorted(TEMPLATE.functions))
def test_every_function_has_an_example(function: str) -> None:
    assert EVENTS / f"functions/{folder_of(function)}.json" in FUNCTION_EVENTS


WRITTEN_TO = {"WorkerQueue", "DeliveryQueue", "ArchiveQueue", "BillingQueue"}
"""Workers, and functions of ours, send to these queues directly."""


@pytest.mark.parametrize("path", FUNCTION_EVENTS, ids=lambda path: path.stem)
def test_what_a_queue_brings_is_what_the_rules_put_there(path: Path) -> None:
    records = read(path).get("Records", [])
    bodies = [json.loads(r["body"]) for r in records if r.get("eventSource") == "aws:sqs"]
    function = next(n for n in TEMPLATE.functions if folder_of(n) == path.name.split(".")[0])
    for body in bodies:
        if "detail-type" not in body:
            assert queues_of(function) <= WRITTEN_TO, "no rule brings it"
            continue
        queues = queues_reached(body, on_bus=body["source"] == SOURCE)
        assert queues_of(function) <= queues


def test_a_matcher_nobody_taught_us_is_refused() -> None:
    with pytest.raises(ValueError, match="prefix"):
        matches({"source": [{"prefix": "aws."}]}, {"source": "aws.s3"}, {})
