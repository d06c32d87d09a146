from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.faults import translated
from porewatch.adapters.items import Item, PutIf, PutNew
from porewatch.adapters.table import Change, Table
from porewatch.domain.base import now
from porewatch.domain.errors import (
    AlreadyDone,
    ConfigurationRefused,
    Conflict,
    NotFound,
    PorewatchError,
    StaleEpoch,
    Throttled,
    Unavailable,
)
from porewatch.domain.facts.run_facts import RunFailed
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from tests.mocked import facts_in

WHERE = ("RUN#r", "X")


def progress(units: int) -> Progress:
    return Progress(phase=Phase.HOST_REMOVAL, units_done=units)


def fact(name: str = "one", problem: str = "first") -> RunFailed:
    return RunFailed(fact_id=name, run_id="r", at=now(), stage=None, error="X", problem=problem)


def test_what_is_put_comes_back_whole(ledger: Table) -> None:
    item = Item.of(*WHERE, progress(3), attributes={"state": "a", "epoch": 2}, ttl=99)
    ledger.put_new(item)
    back = ledger.get(*WHERE)
    assert back == item
    assert back.model(Progress) == progress(3)


def test_a_second_new_item_is_refused_as_the_caller_says(ledger: Table) -> None:
    ledger.put_new(Item(*WHERE))
    with pytest.raises(AlreadyDone):
        ledger.put_new(Item(*WHERE))
    with pytest.raises(StaleEpoch):
        ledger.put_new(Item(*WHERE), otherwise=StaleEpoch)


def test_a_write_on_condition_needs_all_named_attributes_to_be_equal(ledger: Table) -> None:
    ledger.put_new(Item(*WHERE, attributes={"state": "a", "epoch": 1}))
    with pytest.raises(StaleEpoch):
        ledger.put_if(Item(*WHERE, body='{"x":1}'), {"state": "a", "epoch": 2}, StaleEpoch)
    assert ledger.need(*WHERE).body == "{}"
    ledger.put_if(Item(*WHERE, body='{"x":1}'), {"state": "a", "epoch": 1})
    assert ledger.need(*WHERE).body == '{"x":1}'


def test_what_is_not_there_is_none_or_not_found(ledger: Table) -> None:
    assert ledger.get(*WHERE) is None
    with pytest.raises(NotFound):
        ledger.need(*WHERE)


def test_queries_follow_all_pages_and_keep_to_their_prefix(ledger: Table) -> None:
    for n in range(4):
        ledger.put(Item("RUN#r", f"BIG#{n}", body='{"x":"' + "y" * 350_000 + '"}'))
    ledger.put(Item("RUN#r", "OTHER"))
    assert [i.sk for i in ledger.query("RUN#r", "BIG#")] == [f"BIG#{n}" for n in range(4)]
    newest = next(ledger.query("RUN#r", "BIG#", newest_first=True))
    assert newest.sk == "BIG#3"


def test_a_query_passes_over_what_it_excludes_without_reading_it(
    ledger: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ["FACT#Fiks", "FACT#Fil", "FACT#Fim:1", "FACT#RunSealed:r:1"]
    for sk in (*kept, "FACT#File", "FACT#FileValidated:r:a", "FACT#File\U0010fffe", "FACS", "G"):
        ledger.put(Item("RUN#r", sk))
    read: list[int] = []
    query = ledger._client.query
    monkeypatch.setattr(
        ledger._client,
        "query",
        lambda **request: (answer := query(**request), read.append(answer["ScannedCount"]))[0],
    )
    assert [i.sk for i in ledger.query_but("RUN#r", "FACT#", "File")] in (
        kept,
        sorted([*kept, "FACT#File"]),
    )
    assert sum(read) <= len(kept) + 1


def test_items_are_listed_by_kind_until_they_leave_it(ledger: Table) -> None:
    ledger.put(Item("RUN#b", "X", kind=("K", "2")))
    ledger.put(Item("RUN#a", "X", kind=("K", "1")))
    assert [i.pk for i in ledger.query_kind("K")] == ["RUN#a", "RUN#b"]
    ledger.put(Item("RUN#a", "X"))
    assert [i.pk for i in ledger.query_kind("K")] == ["RUN#b"]


def test_a_fact_is_written_once_and_its_first_version_stays(ledger: Table) -> None:
    ledger.record([fact(problem="first")])
    ledger.record([fact(problem="second")])
    (item,) = ledger.query("RUN#r", "FACT#")
    assert item.sk == "FACT#one"
    assert item.attributes["detail_type"] == "RunFailed"
    assert "first" in str(item.attributes["detail"])


def test_a_known_fact_does_not_stop_the_change_it_comes_with(ledger: Table) -> None:
    ledger.record([fact("one")])
    ledger.transact([PutNew(Item(*WHERE))], [fact("one"), fact("two")])
    assert ledger.get(*WHERE) is not None
    assert facts_in(ledger, "r") == ["RunFailed", "RunFailed"]


def test_when_a_condition_fails_nothing_of_the_transaction_is_written(ledger: Table) -> None:
    ledger.put_new(Item(*WHERE, attributes={"epoch": 2}))
    writes = [PutNew(Item("RUN#r", "Y")), PutIf(Item(*WHERE), {"epoch": 1}, StaleEpoch)]
    with pytest.raises(StaleEpoch):
        ledger.transact(writes, [fact()])
    assert ledger.get("RUN#r", "Y") is None
    assert facts_in(ledger, "r") == []


def test_no_change_is_lost_when_many_change_the_same_item(ledger: Table) -> None:
    ledger.put_new(Item.of(*WHERE, progress(0)))

    def one_more(before: Item | None) -> Change:
        assert before is not None
        done = before.model(Progress).units_done + 1
        return Change(Item.of(*WHERE, progress(done)), [fact(f"unit-{done}")])

    def add(_: int) -> bool:
        for _attempt in range(50):
            try:
                ledger.change(*WHERE, one_more)
            except Throttled:
                continue
            return True
        return False

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(add, range(12)))
    assert ledger.need(*WHERE).model(Progress).units_done == 12
    assert len(facts_in(ledger, "r")) == 12


def test_a_step_that_has_nothing_to_do_writes_nothing(ledger: Table) -> None:
    ledger.put_new(Item(*WHERE))
    assert ledger.change(*WHERE, lambda _: None) == Item(*WHERE)
    assert ledger.need(*WHERE).version == 0


def test_change_makes_an_item_where_there_was_none(ledger: Table) -> None:
    made = ledger.change(*WHERE, lambda _: Change(Item.of(*WHERE, progress(1))))
    assert made == ledger.get(*WHERE)


def test_the_writer_who_comes_second_begins_again_from_what_the_first_wrote(ledger: Table) -> None:
    ledger.put_new(Item.of(*WHERE, progress(0)))
    seen: list[int] = []

    def step(before: Item | None) -> Change:
        assert before is not None
        seen.append(before.model(Progress).units_done)
        if len(seen) == 1:  # another writer is faster
            faster = replace(Item.of(*WHERE, progress(10)), version=1)
            ledger.put_if(faster, {"version": 0})
        return Change(Item.of(*WHERE, progress(before.model(Progress).units_done + 1)))

    ledger.change(*WHERE, step)
    assert seen == [0, 10]
    assert ledger.need(*WHERE).model(Progress).units_done == 11


def test_what_was_written_once_is_known_though_another_writer_was_first_as_well(
    ledger: Table,
) -> None:
    line = PutNew(Item("RUN#r", "COST#1"))
    ledger.put_new(line.item)
    ledger.put_new(Item(*WHERE))

    def step(_: Item | None) -> Change:
        ledger.put(Item(*WHERE, version=1))
        return Change(Item(*WHERE), first=[line])

    def lost(error: PorewatchError) -> None:
        raise error

    with pytest.raises(AlreadyDone):
        ledger.change(*WHERE, step, lost=lost)


@pytest.mark.parametrize(
    ("code", "status", "ours"),
    [
        ("ThrottlingException", 400, Throttled),
        ("TransactionConflictException", 400, Throttled),
        ("AccessDeniedException", 400, ConfigurationRefused),
        ("InternalServerError", 500, Unavailable),
        ("Special", 400, Conflict),
    ],
)
def test_faults_of_aws_become_errors_of_ours(code: str, status: int, ours: type[Exception]) -> None:
    reply = {
        "Error": {"Code": code, "Message": "message"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    with (
        pytest.raises(ours, match="could not read run-1") as raised,
        translated("read run-1", {"Special": Conflict}),
    ):
        raise ClientError(reply, "GetItem")  # type: ignore[arg-type]
    assert type(raised.value) is ours
    assert isinstance(raised.value.__cause__, ClientError)


def test_a_table_that_is_missing_is_the_operators_task(aws: None) -> None:
    with pytest.raises(ConfigurationRefused, match="ResourceNotFoundException"):
        Table("nowhere").get("a", "b")
