"""Numbers that strangers send: whatever their size, they are refused with a sentence, or small
enough to compute with. (Headers of reads and tars: tests/worker/reads, tests/functional.)"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from porewatch.domain.errors import ManifestRefused, MessageRefused, SampleSheetRefused
from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet
from porewatch.domain.runs import RunManifest
from porewatch.domain.sealing import parse_manifest
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.domain.stage.worker_messages import WORKER_MESSAGE
from porewatch.edge.envelopes import checked, opened_text, stored_object

NUMBERS = {
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5000,
    "-400 digits": "-" + "9" * 400,
    "beyond every float": "1e999",
    "infinity": "Infinity",
    "-infinity": "-Infinity",
    "not a number": "NaN",
}
TINY = "5e-324"
"""The least number that a float holds: what is divided by it is infinite."""
HERE = 424242
"""Stands where the number is put, as `json.dumps` would not write most of them."""


def parts(schema: dict[str, Any], whole: dict[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Each number of a JSON schema, by its path."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if f"{name}/" not in at:  # one that holds itself has been seen
            yield from parts(whole["$defs"][name], whole, f"{at}{name}/")
        return
    if schema.get("type") in ("integer", "number"):
        yield at, schema
    below = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    below += [schema[key] for key in ("items", "additionalProperties") if key in schema]
    for one in below:
        if isinstance(one, dict):
            yield from parts(one, whole, at)
    for name, one in schema.get("properties", {}).items():
        yield from parts(one, whole, f"{at}{name}.")


@pytest.mark.parametrize(
    ("schema", "least"),
    [(RunManifest.model_json_schema(), 15), (WORKER_MESSAGE.json_schema(), 30)],
    ids=["run.json", "a worker's message"],
)
def test_every_number_has_a_limit(schema: dict[str, Any], least: int) -> None:
    """A whole number; that a fraction is finite, no schema can state."""
    found = list(parts(schema, schema))
    assert len(found) >= least
    whole = {at for at, one in found if one["type"] == "integer" and "maximum" not in one}
    assert whole == set()


MANIFEST: dict[str, Any] = {
    "run_id": "r",
    "created_at": "2026-01-01T00:00:00Z",
    "files": [{"path": "fastq/a.fastq", "kind": "fastq", "size": 5}],
    "samples": [{"name": "s"}],
}


def with_number(field: str, value: object = HERE) -> dict[str, Any]:
    """The manifest with a number in `list.field`."""
    list_name, name = field.split(".")
    needed = {
        "expected": {"kind": "fastq", "counted": 1, "came": 1},
        "left_out": {"why": "no_reads", "files": 1},
    }
    first = MANIFEST.get(list_name, [needed.get(list_name)])[0]
    return {**MANIFEST, list_name: [{**first, name: value}]}


WHOLE = ("files.size", "expected.counted", "expected.came", "expected.failed", "left_out.files")
WHOLE_OF_SAMPLE = ("samples.min_read_length", "samples.min_block")
FRACTIONS = tuple(
    f"samples.{name}"
    for name in (
        *("volume_ml", "spike_copies", "extraction_efficiency", "spike_cv", "extraction_cv"),
        *("nucleic_acid_ng_per_ml", "nucleic_acid_cv"),
    )
)


@pytest.mark.parametrize("field", [*WHOLE, *WHOLE_OF_SAMPLE, *FRACTIONS])
def test_no_number_of_a_manifest_breaks_what_reads_it(field: str) -> None:
    sound = 0.5 if field in FRACTIONS else 40
    assert parse_manifest(json.dumps(with_number(field, sound)).encode())
    for number in NUMBERS.values():
        content = json.dumps(with_number(field)).replace(str(HERE), number).encode()
        with pytest.raises(ManifestRefused) as refused:
            parse_manifest(content)
        assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("field", [one for one in FRACTIONS if not one.endswith("_cv")])
def test_nothing_is_divided_by_the_least_number_of_all(field: str) -> None:
    content = json.dumps(with_number(field)).replace(str(HERE), TINY).encode()
    with pytest.raises(ManifestRefused, match="greater than"):
        parse_manifest(content)


@pytest.mark.parametrize("column", [*FRACTIONS, *WHOLE_OF_SAMPLE])
@pytest.mark.parametrize("number", [*NUMBERS.values(), "1e-99", "1e99", "0", "１e９９"])
def test_nor_does_one_of_a_sheet(column: str, number: str) -> None:
    sheet = f"name,barcode,{column.removeprefix('samples.')}\na,barcode01,{number}\n"
    with pytest.raises(SampleSheetRefused):
        parse_sample_sheet(sheet, file="sample_sheet.csv")


WHO = {"run_id": "r", "stage": "screen", "instance_id": "i-1", "at": "2026-01-01T00:00:00Z"}
SOUND = {**WHO, "revision": 1, "epoch": 1, "kind": "beat"}
SOUND_PROGRESS = {"phase": "quality_control", "units_done": 5}


def beat(field: str, number: str) -> str:
    message: dict[str, Any] = {**SOUND, "progress": dict(SOUND_PROGRESS)}
    (message["progress"] if field in Progress.model_fields else message)[field] = HERE
    return json.dumps(message).replace(str(HERE), number)


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize(
    "field",
    [
        *("revision", "epoch", "units_done", "units_total", "reads", "bases", "checkpoint"),
        *("bytes_done", "bytes_total", "flush_s", "interval_s"),
    ],
)
def test_no_number_of_a_worker_breaks_its_reader(field: str, number: str) -> None:
    with pytest.raises(MessageRefused):
        checked(WORKER_MESSAGE, opened_text(beat(field, number)).detail, "worker's message")


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
@pytest.mark.parametrize("field", ["breadth", "identity"])
def test_nor_does_one_of_a_suspicion(field: str, number: str) -> None:
    message = {**SOUND, "kind": "suspected", "sample": "s", "code": "c", "name": "n", "reads": 3}
    sent = json.dumps({**message, "severity": "critical", field: HERE})
    for given, refused in (("0.5", False), (number, True)):
        detail = opened_text(sent.replace(str(HERE), given)).detail
        with pytest.raises(MessageRefused) if refused else nullcontext():
            checked(WORKER_MESSAGE, detail, "worker's message")


def test_the_message_is_sound_but_for_the_number() -> None:
    detail = opened_text(beat("units_total", "10")).detail
    message = checked(WORKER_MESSAGE, detail, "worker's message")
    assert message.kind == "beat"
    assert message.progress == Progress(phase=Phase.QUALITY_CONTROL, units_done=5, units_total=10)


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_no_size_of_an_event_breaks_its_reader(number: str) -> None:
    detail = {"bucket": {"name": "raw"}, "object": {"key": "runs/r/run.json", "size": HERE}}
    event = json.dumps({"detail-type": "Object Created", "detail": detail})
    assert stored_object(opened_text(event.replace(str(HERE), "12"))).size == 12
    with pytest.raises(MessageRefused):
        stored_object(opened_text(event.replace(str(HERE), number)))
