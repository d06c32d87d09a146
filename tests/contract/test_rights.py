"""The golden table of rights (`rights.toml`) and the template agree, to the last condition."""

from __future__ import annotations

from typing import Any

import pytest

from porewatch_local.stack_template.template import folder_of
from tests import rights
from tests.contract.test_template import TEMPLATE, changed
from tests.rights import Asked, Right, allowed, asked, golden, of_template, written

CHANGING = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}
READERS = {"accounts", "api", "fact_publisher", "status_updater"}
"""Functions that write nothing into the ledger."""
READING = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
REMOVABLE = {"INBOX#*", "TURNS", "PROJECT#*", "ARCHIVE-OF#*"}
"""Partitions of which something may be removed: keys of work under way, whose turn it was,
names of deleted runs, and records of what is not hot any longer."""


def test_the_template_grants_what_the_table_lists_and_nothing_else() -> None:
    granted, table = of_template(TEMPLATE), golden()
    assert set(granted) == set(table)
    for role, held in granted.items():
        assert sorted(held - table[role]) == [], f"{role} may more than the table says"
        assert sorted(table[role] - held) == [], f"{role} may less than the table says"


def test_every_function_has_its_rows() -> None:
    assert {folder_of(name) for name in TEMPLATE.functions} <= set(golden())


def test_the_table_is_written_in_one_order() -> None:
    assert rights.GOLDEN.read_text(encoding="utf-8") == written(golden())


def ledger_rights(role: str) -> set[Right]:
    return {right for right in golden()[role] if right.resource.startswith("Ledger")}


def test_who_only_reads_cannot_write_into_the_ledger() -> None:
    writers = {
        role
        for role in golden()
        if any(right.action.removeprefix("dynamodb:") in CHANGING for right in ledger_rights(role))
    }
    assert writers.isdisjoint(READERS)


def test_nothing_of_a_run_can_be_removed_from_the_ledger_item_by_item() -> None:
    removable = {
        key
        for role in golden()
        for right in ledger_rights(role)
        if right.action == "dynamodb:DeleteItem"
        for key in right.partitions()
    }
    assert removable == REMOVABLE


def test_only_a_deletion_removes_a_run_and_cannot_end_the_hold_that_forbids_it() -> None:
    may: dict[str, set[str]] = {}
    for role, rights_of in golden().items():
        for right in rights_of:
            may.setdefault(right.action, set()).add(role)
    assert may["dynamodb:BatchWriteItem"] == {"run_eraser"}
    assert may["s3:DeleteObjectVersion"] == {"run_eraser"}
    assert may["s3:PutObjectLegalHold"] == {"run_keeper"}


def test_only_the_sender_may_read_the_secret_of_a_webhook() -> None:
    """One has to read where it lies, and to decrypt. The sender decrypts nothing else. What the
    pages may decrypt are links to unsubscribe alone: those have another encryption context."""
    reads = {
        role
        for role, rights_of in golden().items()
        for right in rights_of
        if right.resource == "People"
        and right.action in READING
        and "WEBHOOK#*" in right.partitions()
    }
    links = "ForAnyValue:StringEquals kms:EncryptionContextKeys = unsubscribe (OnAws)"
    opens = {
        role
        for role in reads
        if any(r.action == "kms:Decrypt" and r.condition != links for r in golden()[role])
    }
    assert opens == {"webhook_sender"}
    assert len(reads) > 1
    decrypt = [r for r in golden()["webhook_sender"] if r.action.startswith("kms:")]
    context = "ForAnyValue:StringEquals kms:EncryptionContextKeys = webhook (OnAws)"
    assert decrypt == [Right("kms:Decrypt", "DataKey", context)]


def test_who_keeps_money_changes_no_account_and_nobody_else_keeps_it() -> None:
    writers: dict[str, set[str]] = {}
    for role, rights_of in golden().items():
        for right in rights_of:
            if right.resource == "People" and right.action.removeprefix("dynamodb:") in CHANGING:
                for key in right.partitions():
                    writers.setdefault(key, set()).add(role)
    assert writers["USER#*"] == {"accounts", "web"}
    assert writers["ENTITLEMENT#*"] == {"entitlement_keeper"}
    assert writers["PAYS#*"] == writers["CUSTOMER#*"] == {"billing"}


def test_a_function_writes_into_its_own_log_group_and_into_no_other() -> None:
    written_into = {
        name: {r.resource for r in golden()[folder_of(name)] if r.action.startswith("logs:")}
        for name in TEMPLATE.functions
    }
    assert written_into == {name: {f"{name}Log"} for name in TEMPLATE.functions}


def test_every_right_on_the_ledgers_table_names_its_partitions() -> None:
    wide = {
        (role, right.action)
        for role in golden()
        for right in ledger_rights(role)
        if right.resource == "Ledger" and "*" in right.partitions()
    }
    assert wide == set()


ROLE = "Resources/ApiRole/Properties/Policies/0/PolicyDocument/Statement/1"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{ROLE}/Action", ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"]),
        (f"{ROLE}/Action", ["dynamodb:GetItem"]),
        (f"{ROLE}/Resource", "*"),
        (f"{ROLE}/Condition", None),
        ("Resources/ApiRole/Properties/ManagedPolicyArns/0", {"Ref": "LedgerRuns"}),
        ("Resources/ApiRole", None),
    ],
)
def test_a_template_with_another_right_is_seen(path: str, value: Any) -> None:
    assert of_template(changed(path, value)) != golden()


def transaction(*writes: tuple[str, str]) -> dict[str, Any]:
    def one(verb: str, pk: str) -> dict[str, Any]:
        key = {"pk": {"S": pk}, "sk": {"S": "s"}}
        return {verb: {"Item": key} if verb == "Put" else {"Key": key}}

    return {"TransactItems": [one(*write) for write in writes]}


def test_a_transaction_is_authorized_item_by_item() -> None:
    request = transaction(("Put", "RUN#a"), ("Update", "ACCOUNT"), ("Delete", "TURNS"))
    assert list(asked("dynamodb", "TransactWriteItems", request)) == [
        Asked("dynamodb:PutItem", "RUN#a"),
        Asked("dynamodb:UpdateItem", "ACCOUNT"),
        Asked("dynamodb:DeleteItem", "TURNS"),
    ]


@pytest.mark.parametrize(
    ("role", "one", "may"),
    [
        ("api", Asked("dynamodb:GetItem", "RUN#a"), True),
        ("api", Asked("dynamodb:Query", "index/by_kind"), True),
        ("api", Asked("dynamodb:PutItem", "RUN#a"), False),
        ("api", Asked("dynamodb:GetItem", "INBOX#a"), False),
        ("cost_tracker", Asked("dynamodb:DeleteItem", "INBOX#a"), True),
        ("cost_tracker", Asked("dynamodb:DeleteItem", "RUN#a"), False),
        ("cost_tracker", Asked("dynamodb:UpdateItem", "RUN#a"), False),
        ("fastq_validator", Asked("dynamodb:UpdateItem", "ACCOUNT"), False),
        ("instance_launcher", Asked("dynamodb:UpdateItem", "ACCOUNT"), True),
        ("worker", Asked("dynamodb:Query", "RUN#a"), False),
        ("alert_handler", Asked("s3:GetObject", "ResultsBucket/runs/a/r0/results.json"), True),
        ("alert_handler", Asked("s3:GetObject", "ResultsBucket/runs/a/r0/parts/x"), False),
        ("nobody", Asked("dynamodb:GetItem", "RUN#a"), False),
    ],
)
def test_what_the_table_allows(role: str, one: Asked, may: bool) -> None:
    assert (allowed(role, one) is not None) is may


def test_whoever_puts_events_on_the_bus_does_so_as_porewatch_alone() -> None:
    """Rules match by source: nothing of ours can say something in another's name."""
    putting = {
        role: right.condition
        for role, rights_of in golden().items()
        for right in rights_of
        if right.action == "events:PutEvents"
    }
    assert {"archiver", "entitlement_keeper", "fact_publisher"} <= set(putting)
    assert set(putting.values()) == {"ForAllValues:StringEquals events:source = porewatch"}
