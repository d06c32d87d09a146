"""The registry through the embedded AWS's own Data API: migrations and every kind of row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from porewatch.adapters.registry.database import (
    Registry,
    migrations,
)
from porewatch.adapters.registry.rows import RegistryRows
from porewatch.domain import s3_keys
from porewatch.domain.facts.registry_projection import projection_of
from porewatch.usecases.facts.find_projection import Sources
from porewatch.usecases.facts.update_status import update_status
from simulator.made_results import some_results
from tests.cloud.conftest import HERE, Cloud
from tests.cloud.making import bucket, named
from tests.functional.test_registry import STORY, TABLES

pytestmark = pytest.mark.cloud


@pytest.fixture
def registry(cloud: Cloud) -> Iterator[Registry]:
    """A database of a cluster that CloudFormation made, migrated."""
    stacks, name = cloud.client("cloudformation"), named("registry")
    stacks.create_stack(StackName=name, TemplateBody=(HERE / "cluster.yaml").read_text())
    wait = stacks.get_waiter("stack_create_complete")
    wait.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    found = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    sql = cloud.client("rds-data")
    made = Registry(found["Cluster"], found["Secret"], "conformance", client=sql)
    assert made.migrate() in ([], [name for name, _ in migrations()])
    for table in TABLES:
        made.execute(f"TRUNCATE {table}")
    yield made
    stacks.delete_stack(StackName=name)


def test_facts_become_rows_and_repeating_them_changes_nothing(
    cloud: Cloud, registry: Registry
) -> None:
    from porewatch.adapters.objects import Objects

    s3 = cloud.client("s3")
    sources = Sources(*(Objects(bucket(cloud), client=s3) for _ in range(2)))
    sources.reports.put_json(s3_keys.projection_key("run-1", 0), projection_of(some_results()))
    for fact in [*STORY, *STORY]:
        update_status(fact, registry=registry, rows=RegistryRows(registry), sources=sources)
    (record,) = registry.execute("SELECT state, stage_state, findings FROM workflow_records")
    assert record == {"state": "completed", "stage_state": "published", "findings": 1}
    counts = {t: registry.execute(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in TABLES}
    assert counts == {
        "workflow_records": 1,
        "samples": 2,
        "phase_records": 1,
        "findings": 2,
        "costs": 1,
        "files": 2,
    }
    assert registry.migrate() == []
