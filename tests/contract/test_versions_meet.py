"""A stack and a machine image of neighbouring versions understand each other.

`recorded/` holds messages that the code of 2026-11-21 wrote: they must still be read. Each is read
once more with a field that no version has yet: a reader passes over what it does not know.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from porewatch.domain.base import now
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.run_facts import RunCompleted
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunManifest
from porewatch.domain.sealing import parse_manifest
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.work_order import StoredOrder
from porewatch.domain.stage.worker_messages import WORKER_MESSAGE
from porewatch_worker.report.assemble import assemble
from tests.web import made_up

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
EVENTS = HERE.parents[1] / "events"
SHAPES: dict[str, Any] = {
    "run_manifest": RunManifest,
    "run_record": RunRecord,
    "stage_manifest": StageManifest,
    "work_order": StoredOrder,
}
EXAMPLES = sorted(EVENTS.glob("*/example.json"))


@pytest.mark.parametrize(
    "path",
    sorted(RECORDED.glob("*.[0-9].json")),
    ids=lambda p: p.name,
)
def test_what_an_earlier_version_wrote_is_read(path: Path) -> None:
    shape = SHAPES[path.stem.split(".")[0]]
    document = json.loads(path.read_text())
    read = shape.model_validate(document)
    assert shape.model_validate(document | {"of_a_later_version": {"deep": 1}}) == read


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name)
def test_a_fact_of_a_later_version_is_read(path: Path) -> None:
    event = json.loads(path.read_text())
    shape = FACTS.get(event.get("detail-type", ""))
    if shape is None:
        pytest.skip("not a fact of ours")
    read = shape.model_validate(event["detail"])
    assert shape.model_validate(event["detail"] | {"of_a_later_version": 1}) == read


@pytest.mark.parametrize("path", sorted(RECORDED.glob("worker_message.*")), ids=lambda p: p.name)
def test_a_message_of_another_worker_is_read(path: Path) -> None:
    document = json.loads(path.read_text())
    read = WORKER_MESSAGE.validate_python(document)
    assert WORKER_MESSAGE.validate_python(document | {"of_a_later_version": 1}) == read


def of_version(number: str) -> str:
    """A report as a worker of another version writes it: with fields and codes that we lack."""
    document = assemble(made_up.rich()).model_dump(mode="json")
    document["findings"][0] |= {"why": [{"code": "of_a_later_version", "values": {"n": 1}}]}
    return json.dumps(document | {"schema_version": number, "of_a_later_version": {"deep": 1}})


def test_a_report_of_the_next_version_is_read() -> None:
    ours = assemble(made_up.rich())
    later = Report.model_validate_json(of_version("3"))
    assert (later.detected, later.verdict) == (ours.detected, ours.verdict)
    assert later.findings[0].rule == ours.findings[0].rule


@pytest.mark.parametrize("number", ["0", "4", "", "two"])
def test_a_report_of_a_version_that_is_further_away_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match="schema_version"):
        Report.model_validate_json(of_version(number))


def test_our_own_code_cannot_write_a_field_that_is_not_there() -> None:
    with pytest.raises(TypeError, match="RunCompleted has no field costs"):
        RunCompleted(  # type: ignore[call-arg]
            fact_id="x", run_id="r", at=now(), findings=0, cost_usd=0, report_keys={}, costs=1
        )


def test_a_misspelt_field_in_a_document_of_a_person_is_named() -> None:
    path = RECORDED / "run_manifest.0.json"
    document = json.loads(path.read_text())
    document["samples"][0]["volume"] = 4
    with pytest.raises(ManifestRefused, match="volume"):
        parse_manifest(json.dumps(document).encode())


def test_a_missing_field_is_still_refused() -> None:
    with pytest.raises(ValidationError):
        RunRecord.model_validate({"run_id": "r"})
