"""Screens each sound file as it lands for severe members of the panel, and raises an alert when
the rule is met while the run goes on."""

from functools import cache, partial
from pathlib import Path

from porewatch.adapters.early.early_evidence import EarlyEvidence
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.submission.run_uploads import RunUploads
from porewatch.domain.base import now
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import FileValidated
from porewatch.edge import wiring
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.early.screen_file import EarlyContext, screen_file
from porewatch_worker.early.screener import BundleScreener

FOLDER = Path("/tmp/early")  # noqa: S108 - a function can write nowhere else


@cache
def screener(ref: str, sha256: str) -> BundleScreener:
    FOLDER.mkdir(exist_ok=True)
    bundles = Objects(settings().references_bucket)
    return BundleScreener(ref, sha256, raw=wiring.raw(), bundles=bundles, folder=FOLDER)


@on_queue(parse_fact, again=wiring.again)
def lambda_handler(fact: Fact) -> None:
    if not isinstance(fact, FileValidated):
        return
    config, table = settings(), wiring.table()
    context = EarlyContext(
        runs=wiring.runs(),
        manifests=wiring.manifests(),
        alerts=AlertLedger(table),
        evidence=EarlyEvidence(table),
        raw=wiring.raw(),
        results=wiring.results(),
        bundles=BundleStore(Objects(config.references_bucket)),
        screener=screener,
        default_bundle=partial(Shelf(table).default, config.default_bundle),
        asked_bundle=RunUploads(table).asked_bundle,
        clock=now,
    )
    screen_file(fact.run_id, fact.path, context)
