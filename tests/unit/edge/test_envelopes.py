"""A message of any shape is a message, or is refused in a sentence."""

from __future__ import annotations

import json

import pytest

from porewatch.domain.errors import MessageRefused
from porewatch.edge.envelopes import opened, opened_text
from porewatch.edge.parsers import upload_event

WHOLE = {
    "detail-type": "Object Created", "source": "aws.s3", "id": "i", "time": "t", "resources": ["r"],
    "detail": {"bucket": {"name": "raw"}, "object": {"key": "runs/r/run.json"}},
}  # fmt: skip
ODD = {
    "nested without end": "[" * 100_000,
    "no JSON": "{",
    "resources of a number": json.dumps(WHOLE | {"resources": 1.5}),
    "resources of numbers": json.dumps(WHOLE | {"resources": [[], 3]}),
    "a source of nothing": json.dumps(WHOLE | {"source": None}),
    "a detail type of a list": json.dumps(WHOLE | {"detail-type": []}),
    "an object of a number": json.dumps(WHOLE | {"detail": {"bucket": {"name": "b"}, "object": 1}}),
    "a detail of nothing": json.dumps(WHOLE | {"detail": None}),
    "a size without end": json.dumps(WHOLE).replace('"key"', '"size": Infinity, "key"'),
    "a key of a list": json.dumps(WHOLE).replace('"runs/r/run.json"', '["runs/r/run.json"]'),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_an_odd_message_is_refused_in_a_sentence(body: str) -> None:
    with pytest.raises(MessageRefused) as refusal:
        upload_event(opened_text(body))
    assert len(str(refusal.value)) < 500


def test_an_envelope_is_opened_with_all_its_fields() -> None:
    envelope = opened(WHOLE)
    assert (envelope.detail_type, envelope.source, envelope.event_id, envelope.time) == (
        "Object Created", "aws.s3", "i", "t",
    )  # fmt: skip
    assert (envelope.resources, envelope.replay_name) == (("r",), None)
    assert opened({"no": "envelope"}).detail == {"no": "envelope"}
