"""Dependencies of the intake use cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.base import now
from porewatch.domain.calls.release_policy import ANY

if TYPE_CHECKING:
    from porewatch.adapters.executions import Executions
    from porewatch.adapters.ledger.intake_counters import Intake
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.people.slots import Admission
    from porewatch.adapters.s3.manifests import Manifests
    from porewatch.adapters.submission.multipart import MultipartUploads
    from porewatch.adapters.submission.run_uploads import RunUploads


@dataclass(frozen=True)
class IntakeContext:
    """`raw`: the raw bucket; `basecalling`: whether raw signal is accepted; `default_bundle`: of
    runs that name none, at this moment; `bundle_digest`: of the bundle of a name, None when it is
    not known here, or BundleRefused when it does not exist; `release_policies`: those that are
    accepted, or ANY."""

    raw: Objects
    runs: RunLedger
    manifests: Manifests
    intake: Intake
    executions: Executions
    admission: Admission
    uploads: RunUploads
    parts: MultipartUploads
    basecalling: bool
    default_bundle: Callable[[], str]
    bundle_digest: Callable[[str], str | None] = lambda _ref: None
    release_policies: tuple[str, ...] = (ANY,)
    clock: Callable[[], datetime] = now
