"""The audit trail is a chain: no entry can be changed, left out, added or moved unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.results.audit import (
    GENESIS,
    AuditTrail,
    chained,
    faults,
)

TEXTS = st.text(max_size=12)
WHEN = st.integers(0, 10**6).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
EVENTS = st.lists(
    st.tuples(WHEN | st.none(), TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3)),
    min_size=2,
    max_size=8,
)


@given(EVENTS)
def test_a_chain_holds_and_survives_its_json(events: list) -> None:  # type: ignore[type-arg]
    trail = chained(events)
    assert trail.entries[0].previous == GENESIS
    assert [(e.at, e.what, e.details) for e in trail.entries] == events
    read = AuditTrail.model_validate_json(trail.canonical_json())
    assert read == trail
    assert not list(faults(read))


@given(EVENTS, st.data())
def test_any_changed_entry_is_named(events: list, data: st.DataObject) -> None:  # type: ignore[type-arg]
    trail = chained(events)
    place = data.draw(st.integers(0, len(trail.entries) - 1))
    change = data.draw(st.sampled_from(["what", "at", "details"]))
    old = trail.entries[place]
    new = {
        "what": f"{old.what}x",
        "at": (old.at or datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(seconds=1),
        "details": {**old.details, "added": "x"},
    }[change]
    entries = list(trail.entries)
    entries[place] = old.model_copy(update={change: new})
    found = list(faults(trail.model_copy(update={"entries": tuple(entries)})))
    assert any(fault.startswith(f"entry {place + 1} ") for fault in found)


@given(EVENTS, st.data())
def test_an_entry_left_out_or_moved_is_found(events: list, data: st.DataObject) -> None:  # type: ignore[type-arg]
    trail = chained(events)
    place = data.draw(st.integers(0, len(trail.entries) - 1))
    rest = trail.entries[:place] + trail.entries[place + 1 :]
    assert list(faults(trail.model_copy(update={"entries": rest})))
    moved = (*rest[1:], trail.entries[place], *rest[:1]) if place else trail.entries[::-1]
    if moved != trail.entries:
        assert list(faults(trail.model_copy(update={"entries": moved})))


def test_a_trail_that_was_cut_short_is_found_by_its_head() -> None:
    trail = chained([(None, "made", {}), (None, "ended", {})])
    cut = trail.model_copy(update={"entries": trail.entries[:1]})
    assert list(faults(cut)) == [
        "the head is not the hash of the last entry: entries are missing or were added"
    ]
