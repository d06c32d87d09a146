"""Starts the run of a sealed manifest once, however often and in whatever order events arrive."""

from porewatch.adapters.executions import Executions
from porewatch.adapters.ledger.intake_counters import Intake
from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.submission.multipart import MultipartUploads
from porewatch.adapters.submission.run_uploads import RunUploads
from porewatch.domain.errors import MessageRefused
from porewatch.edge import wiring
from porewatch.edge.parsers import UploadEvent, upload_event
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.intake.answer_object import notify_bad_key
from porewatch.usecases.intake.handle_upload import handle_upload
from porewatch.usecases.intake.intake_context import IntakeContext
from porewatch.usecases.intake.sweep_intake import sweep_intake


def context() -> IntakeContext:
    config, table = settings(), wiring.table()
    references = Objects(config.references_bucket)
    return IntakeContext(
        raw=wiring.raw(),
        runs=wiring.runs(),
        manifests=wiring.manifests(),
        intake=Intake(table),
        executions=Executions(config.state_machine_arn),
        admission=wiring.admission(),
        uploads=RunUploads(table),
        parts=MultipartUploads(config.raw_bucket),
        basecalling=config.basecalling == "enabled",
        default_bundle=lambda: Shelf(table).default(config.default_bundle),
        bundle_digest=BundleStore(references, alone=not config.bundles_elsewhere).digest_of,
        release_policies=config.release_policies,
    )


def bad_key(event: UploadEvent, refusal: MessageRefused) -> None:
    if event.key is not None:
        notify_bad_key(event.key, refusal, inbox=wiring.inbox(), notices=wiring.notices())


@on_queue(upload_event, bad_key=bad_key)
def lambda_handler(event: UploadEvent) -> None:
    if event.key is None:
        return sweep_intake(context())
    return handle_upload(event.key, context(), replayed=event.replayed)
