"""What the worker was launched for (instance tags, or a job's environment) and its order in S3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from porewatch.adapters.s3.manifests import read_manifest
from porewatch.domain import s3_keys
from porewatch.domain.base import Model
from porewatch.domain.errors import MessageRefused
from porewatch.domain.runs import RunId
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.message_proofs import SECRET_TAG
from porewatch.domain.stage.work_order import StoredOrder, WorkOrder

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch_worker.instance.instance_metadata import InstanceMetadata

TAGS = {
    "run_id": "porewatch-run",
    "revision": "porewatch-revision",
    "stage": "porewatch-stage",
    "epoch": "porewatch-epoch",
    "secret": SECRET_TAG,
}


class Assignment(Model):
    """One attempt at one stage of one run revision, on one instance, which writes as `user_id` and
    proves its messages by `secret`."""

    run_id: RunId
    revision: int
    stage: str
    epoch: int
    instance_id: str
    user_id: str
    secret: Annotated[
        str,
        Field(pattern="^[0-9a-f]{64}$", exclude=True, repr=False),
    ]

    @property
    def prefix(self) -> str:
        """Prefix of everything that this attempt writes: its role allows nothing else."""
        return s3_keys.attempt_prefix(
            self.run_id, self.revision, self.stage, self.epoch, self.user_id
        )


def read_assignment(
    metadata: InstanceMetadata, environment: Mapping[str, str], user_id: Callable[[], str]
) -> Assignment:
    """From a job's environment, if set, else from the instance's tags. `user_id`: of this
    instance's credentials. Raises NotFound, or MessageRefused for invalid values."""
    fields = dict(environment) or _in_tags(metadata)
    try:
        who = Assignment.model_validate({**fields, "user_id": "not known yet"})
    except ValidationError as e:
        where = "the job's environment makes" if environment else "the instance's tags make"
        wrong = ", ".join(sorted({".".join(map(str, p["loc"])) for p in e.errors()}))
        # Neither values nor the error are shown: one of them is a secret.
        raise MessageRefused(f"{where} no assignment: what is wrong is {wrong}.") from None
    return who.model_copy(update={"user_id": user_id()})


def _in_tags(metadata: InstanceMetadata) -> dict[str, str]:
    fields = {field: metadata.tag(tag) for field, tag in TAGS.items()}
    return {**fields, "instance_id": metadata.instance_id()}


def read_order(results: Objects, raw: Objects, assignment: Assignment) -> WorkOrder:
    """The order of this stage with the run's sealed manifest, verified. Raises NotFound, or
    MessageRefused when it is for another stage, ManifestRefused when the manifest was altered."""
    a = assignment
    key = s3_keys.order_key(a.run_id, a.revision, a.stage)
    order = results.get_json(key, StoredOrder)
    if (order.run_id, order.revision, order.stage) != (a.run_id, a.revision, a.stage):
        raise MessageRefused(
            f"is an order for {order.run_id} r{order.revision} {order.stage}, "
            f"not for {a.run_id} r{a.revision} {a.stage}.",
            file=key,
        )
    if order.manifest_digest is not None:
        return order.complete(read_manifest(raw, a.run_id, order.manifest_digest))
    if order.manifest is None:
        raise MessageRefused("names no manifest.", file=key)
    return order.complete(order.manifest)


def read_previous(results: Objects, order: WorkOrder) -> tuple[StageManifest, ...]:
    """The manifests of the earlier stages, in order."""
    return tuple(results.get_json(key, StageManifest) for key in order.previous)
