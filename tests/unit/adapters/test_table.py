from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch.adapters.faults import translated
from porewatch.adapters.items import Add, Item, PutIf, PutNew
from porewatch.adapters.retries import CHANGE_ATTEMPTS
from porewatch.adapters.table import DELETED_AT_ONCE, Change, Table
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
    query = ledger.client.query
    monkeypatch.setattr(
        ledger.client,
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


@pytest.mark.parametrize(
    ("call", "tried"),
    [
        (lambda t: t.get("a", "b"), "read a b"),
        (lambda t: list(t.query("a")), "query a"),
        (lambda t: t.put(Item("a", "b")), "write a b"),
        (lambda t: t.delete("a", "b"), "remove a b"),
        (lambda t: t.delete_all("a", ["b", "c"]), "remove 2 items of a"),
    ],
)
def test_a_table_that_is_missing_is_the_operators_task(
    aws: None, call: Callable[[Table], object], tried: str
) -> None:
    with pytest.raises(ConfigurationRefused, match=f"{tried}: ResourceNotFoundException"):
        call(Table("nowhere"))


class Overheard:
    """What is asked of DynamoDB from here on: (name of the call, its request); and the seconds
    that `Table` slept."""

    def __init__(self, ledger: Table, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = ledger.client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.slept: list[float] = []
        self._patch = monkeypatch
        monkeypatch.setattr("porewatch.adapters.table.time.sleep", self.slept.append)
        for name in ("get_item", "put_item", "update_item", "transact_write_items", "query"):
            self.answer(name, getattr(self.client, name))

    def answer(self, name: str, answer: Callable[..., Any]) -> None:
        """`answer` is called in place of the client's own method."""

        def heard(**request: Any) -> Any:
            self.calls.append((name, request))
            return answer(**request)

        self._patch.setattr(self.client, name, heard)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def overheard(ledger: Table, monkeypatch: pytest.MonkeyPatch) -> Overheard:
    return Overheard(ledger, monkeypatch)


@pytest.mark.parametrize(
    "read",
    [
        lambda t: t.get("RUN#r", "A"),
        lambda t: list(t.query("RUN#r")),
        lambda t: list(t.query_but("RUN#r", "F", "o")),
        lambda t: list(t.sort_keys("RUN#r")),
    ],
)
def test_what_is_read_from_the_table_itself_is_read_as_it_is_now(
    ledger: Table, overheard: Overheard, read: Callable[[Table], object]
) -> None:
    """moto reads everything as it is now, whatever is asked."""
    read(ledger)
    assert [request.get("ConsistentRead") for _, request in overheard.calls] in (
        [True],
        [True, True],
    )


def test_a_single_write_is_no_transaction_which_costs_twice_as_much(
    ledger: Table, overheard: Overheard
) -> None:
    ledger.put_new(Item(*WHERE))
    ledger.transact([Add(Item("RUN#r", "SUM"), {"spent": 3})])
    ledger.transact([PutNew(Item("RUN#r", "Y")), PutNew(Item("RUN#r", "Z"))])
    assert overheard.names() == ["put_item", "update_item", "transact_write_items"]
    assert ledger.need("RUN#r", "SUM").attributes == {"spent": 3}


def test_all_items_of_a_partition_are_read_when_no_prefix_is_asked_for(ledger: Table) -> None:
    for sk in ("A", "B"):
        ledger.put(Item("RUN#r", sk, body='{"x":1}'))
    ledger.put(Item("RUN#s", "C"))
    assert [(i.sk, i.body) for i in ledger.query("RUN#r")] == [("A", '{"x":1}'), ("B", '{"x":1}')]
    assert list(ledger.sort_keys("RUN#r")) == ["A", "B"]


def test_sort_keys_come_without_what_the_items_hold(ledger: Table, overheard: Overheard) -> None:
    ledger.put(Item(*WHERE, body='{"x":1}'))
    answers: list[Any] = []
    query = overheard.client.query
    overheard.answer("query", lambda **request: answers.append(query(**request)) or answers[-1])
    assert list(ledger.sort_keys("RUN#r")) == ["X"]
    (answer,) = answers
    assert [set(raw) for raw in answer["Items"]] == [{"pk", "sk"}]


def test_a_list_of_a_kind_goes_on_past_a_place_in_either_direction(ledger: Table) -> None:
    for place in "1234":
        ledger.put(Item(f"RUN#{place}", "X", kind=("K", place)))
    ledger.put(Item("RUN#other", "X", kind=("L", "3")))
    assert [i.pk for i in ledger.query_kind("K", past="2")] == ["RUN#3", "RUN#4"]
    newest_first = ledger.query_kind("K", newest_first=True, past="3")
    assert [i.pk for i in newest_first] == ["RUN#2", "RUN#1"]


def test_a_list_of_a_kind_asks_for_a_page_at_a_time_and_follows_them_all(
    ledger: Table, overheard: Overheard
) -> None:
    for place in "123":
        ledger.put(Item(f"RUN#{place}", "X", kind=("K", place)))
    assert len(list(ledger.query_kind("K", page=2))) == 3
    assert len(list(ledger.query_kind("K"))) == 3
    asked = [request.get("Limit") for name, request in overheard.calls if name == "query"]
    assert asked == [2, 2, None]


def test_what_is_deleted_is_gone_alone_and_may_be_deleted_again(ledger: Table) -> None:
    for pk, sk in (WHERE, ("RUN#r", "Y"), ("RUN#s", "X")):
        ledger.put(Item(pk, sk))
    for _ in range(2):
        ledger.delete(*WHERE)
    assert list(ledger.sort_keys("RUN#r")) == ["Y"]
    assert list(ledger.sort_keys("RUN#s")) == ["X"]


def test_many_items_are_deleted_in_batches_and_no_other(ledger: Table) -> None:
    gone = [f"GONE#{n:03d}" for n in range(2 * DELETED_AT_ONCE + 1)]
    for sk in (*gone, "KEPT"):
        ledger.put(Item("RUN#r", sk))
    ledger.put(Item("RUN#s", gone[0]))
    assert ledger.delete_all("RUN#r", gone) == len(gone)
    assert list(ledger.sort_keys("RUN#r")) == ["KEPT"]
    assert list(ledger.sort_keys("RUN#s")) == [gone[0]]


def some_at_a_time(overheard: Overheard, taken: int) -> None:
    """DynamoDB takes so many deletions of each batch, and gives the others back."""
    write = overheard.client.batch_write_item

    def partly(RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        if asked[:taken]:
            write(RequestItems={table: asked[:taken]})
        rest = asked[taken:]
        return {"UnprocessedItems": {table: rest} if rest else {}}

    overheard.answer("batch_write_item", partly)


def test_deletions_that_dynamodb_gave_back_are_asked_for_again_after_a_pause(
    ledger: Table, overheard: Overheard
) -> None:
    sort_keys = [f"{n:02d}" for n in range(DELETED_AT_ONCE + 5)]
    for sk in sort_keys:
        ledger.put(Item("RUN#r", sk))
    some_at_a_time(overheard, taken=10)
    assert ledger.delete_all("RUN#r", sort_keys) == len(sort_keys)
    assert list(ledger.sort_keys("RUN#r")) == []
    assert overheard.slept == pytest.approx([0, 0.12, 0.24, 0])


def test_a_table_that_takes_no_deletions_is_not_asked_for_ever(
    ledger: Table, overheard: Overheard
) -> None:
    ledger.put(Item(*WHERE))
    some_at_a_time(overheard, taken=0)
    with pytest.raises(Throttled, match="items of RUN#r could not all be removed"):
        ledger.delete_all("RUN#r", ["X"])
    assert overheard.names().count("batch_write_item") == CHANGE_ATTEMPTS


def test_a_change_that_always_comes_second_is_throttled_after_pauses_that_grow(
    ledger: Table, overheard: Overheard
) -> None:
    def step(before: Item | None) -> Change:
        faster = (before.version if before else 0) + 1
        ledger.put(Item(*WHERE, version=faster))
        return Change(Item(*WHERE))

    with pytest.raises(Throttled, match="RUN#r X is being changed by too many writers at once"):
        ledger.change(*WHERE, step)
    assert overheard.slept == pytest.approx([0.03 * n for n in range(CHANGE_ATTEMPTS)])


def test_each_change_is_the_next_version(ledger: Table) -> None:
    for units in range(3):
        made = Item.of(*WHERE, progress(units))
        ledger.change(*WHERE, lambda _, made=made: Change(made))
    assert ledger.need(*WHERE).version == 2


def test_of_two_who_make_an_item_at_once_the_second_has_lost_a_race(ledger: Table) -> None:
    """It is no write that was done before: who counts on AlreadyDone must not see one here."""
    lost: list[PorewatchError] = []

    def step(before: Item | None) -> Change:
        if before is None:
            ledger.put(Item.of(*WHERE, progress(5)))
        return Change(Item.of(*WHERE, progress(6)))

    ledger.change(*WHERE, step, lost=lost.append)
    assert [type(error) for error in lost] == [Conflict]
    assert ledger.need(*WHERE).version == 1


@pytest.mark.parametrize(
    ("write", "error", "says"),
    [
        (PutNew(Item(*WHERE)), AlreadyDone, "RUN#r X exists already"),
        (
            PutIf(Item(*WHERE), {"epoch": 1, "spent": 5}, StaleEpoch),
            StaleEpoch,
            "RUN#r X is no longer at epoch = 1, spent = 5",
        ),
        (
            Add(Item(*WHERE), {"spent": 1}, ("spent", 4), NotFound),
            NotFound,
            "spent of RUN#r X is above 4",
        ),
    ],
)
def test_a_write_whose_condition_fails_is_refused_as_its_caller_says(
    ledger: Table, write: Any, error: type[Exception], says: str
) -> None:
    ledger.put(Item(*WHERE, attributes={"epoch": 2, "spent": 5}))
    with pytest.raises(error, match=says):
        ledger.transact([PutNew(Item("RUN#r", "Y")), write])
    assert ledger.get("RUN#r", "Y") is None


def test_a_transaction_that_was_cancelled_for_no_known_reason_may_be_tried_again(
    ledger: Table, overheard: Overheard
) -> None:
    def cancelled(**_request: Any) -> None:
        reply = {"Error": {"Code": "TransactionCanceledException", "Message": "m"}}
        raise ClientError(reply, "TransactWriteItems")  # type: ignore[arg-type]

    overheard.answer("transact_write_items", cancelled)
    with pytest.raises(Throttled, match="could not write RUN#r X: TransactionCanceledException"):
        ledger.transact([PutNew(Item(*WHERE)), PutNew(Item("RUN#r", "Y"))])
