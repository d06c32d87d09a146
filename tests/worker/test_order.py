"""The order in S3: with a manifest inside, as earlier versions wrote it, or its digest alone."""

from __future__ import annotations

import pytest

from porewatch.adapters.objects import Objects
from porewatch.adapters.s3 import manifests
from porewatch.domain import s3_keys
from porewatch.domain.errors import ManifestRefused, MessageRefused
from porewatch.domain.stage.work_order import OrderTerms, StoredOrder
from porewatch_worker.instance.assignment import (
    Assignment,
    read_order,
)
from tests.worker.runtime_world import KEY, SECRET, USER, World, an_order, world

__all__ = ["world"]

ME = Assignment(
    run_id="run-1",
    revision=1,
    stage="screen",
    epoch=1,
    instance_id="i-1",
    user_id=USER,
    secret=SECRET,
)
ORDER = an_order()
SEALED = s3_keys.sealed_manifest_key("run-1", ORDER.manifest.digest())


@pytest.fixture(autouse=True)
def nothing_in_memory() -> None:
    manifests.forget()


def give(world: World, **changes: object) -> None:
    terms = {name: getattr(ORDER, name) for name in OrderTerms.model_fields}
    stored = StoredOrder.model_validate({**terms, **changes})
    Objects("results").put_json(s3_keys.order_key(*KEY), stored)


def read() -> object:
    return read_order(Objects("results"), Objects("raw"), ME)


def test_a_manifest_is_read_by_its_digest(world: World) -> None:
    digest = ORDER.manifest.digest()
    Objects("raw").put_json(SEALED, ORDER.manifest)
    give(world, manifest_digest=digest)
    assert read() == ORDER.model_copy(update={"manifest_digest": digest})


def test_an_altered_manifest_is_refused_also_when_the_order_holds_a_copy(world: World) -> None:
    Objects("raw").put(SEALED, b"{}")
    give(world, manifest_digest=ORDER.manifest.digest(), manifest=ORDER.manifest)
    with pytest.raises(ManifestRefused, match="not the manifest that was sealed"):
        read()


def test_an_order_of_an_earlier_version_holds_its_manifest(world: World) -> None:
    give(world, manifest=ORDER.manifest)
    assert read() == ORDER


def test_an_order_without_any_manifest_is_refused(world: World) -> None:
    give(world)
    with pytest.raises(MessageRefused, match="names no manifest"):
        read()
