"""An upgrade never replaces what holds data: the template of today against what was recorded."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from porewatch_local.stack_template.replacement import (
    create_only,
    held,
    recorded,
    replaced,
)
from porewatch_local.stack_template.template import Template
from tests.contract.test_template import TEMPLATE, changed

P = "Resources/{}/Properties/{}"


def test_an_upgrade_replaces_nothing_that_holds_data() -> None:
    assert list(replaced(recorded(), held(TEMPLATE, recorded()))) == []


def test_what_holds_data_is_on_record() -> None:
    """`python -m porewatch_local.stack_template.replacement` adds what is new."""
    assert set(held(TEMPLATE)) - set(recorded()) == set()
    assert {"RawBucket", "Ledger", "RegistryCluster", "DataKey"} <= set(recorded())


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (P.format("RawBucket", "BucketName"), "reads", "RawBucket: BucketName"),
        (P.format("Ledger", "KeySchema/0/AttributeName"), "id", "Ledger: KeySchema"),
        (P.format("Ledger", "TableName"), "ledger", "Ledger: TableName"),
        (P.format("RegistryCluster", "DatabaseName"), "other", "RegistryCluster: DatabaseName"),
        (P.format("RegistryCluster", "KmsKeyId"), None, "RegistryCluster: KmsKeyId"),
        # The cluster lies in these subnets: another name of theirs replaces it as well.
        (P.format("RegistrySubnets", "DBSubnetGroupName"), "n", "RegistrySubnets: DBSubnet"),
        (P.format("IntakeQueue", "QueueName"), "intake", "IntakeQueue: QueueName"),
        ("Resources/RawBucket/UpdateReplacePolicy", "Delete", "RawBucket would not be kept"),
        ("Resources/Ledger/Condition", "OnAws", "Ledger: condition"),
        ("Resources/DataKey/Type", "AWS::KMS::ReplicaKey", "DataKey: type"),
        ("Resources/ReportsBucket", None, "ReportsBucket is gone"),
    ],
)
def test_a_change_that_would_replace_it_is_seen(path: str, value: Any, expected: str) -> None:
    found = list(replaced(recorded(), held(changed(path, value), recorded())))
    assert any(one.startswith(expected) for one in found), found


def test_the_default_of_a_parameter_that_a_name_hangs_on_is_held() -> None:
    def with_default(name: str) -> Template:
        body = copy.deepcopy(TEMPLATE.body)
        body["Parameters"]["Prefix"] = {"Type": "String", "Default": name}
        body["Resources"]["RawBucket"]["Properties"]["BucketName"] = {"Fn::Sub": "${Prefix}-raw"}
        return Template(TEMPLATE.root, body)

    before, now = held(with_default("a")), held(with_default("b"))
    assert list(replaced(before, before)) == []
    assert any("RawBucket: defaults" in one for one in replaced(before, now))


def test_what_replaces_nothing_may_change() -> None:
    path = P.format("RegistryCluster", "BackupRetentionPeriod")
    assert list(replaced(recorded(), held(changed(path, 14), recorded()))) == []


def test_the_rules_are_those_of_the_resource_schemas() -> None:
    assert "BucketName" in create_only("AWS::S3::Bucket")
    assert "KeySchema" in create_only("AWS::DynamoDB::Table")  # in some cases
    assert "BackupRetentionPeriod" not in create_only("AWS::RDS::DBCluster")
