"""Projects facts into the registry: workflow records, samples, phases and findings."""

from functools import cache

from porewatch.adapters.registry.database import Registry
from porewatch.adapters.registry.rows import RegistryRows
from porewatch.domain.facts.fact import Fact
from porewatch.edge import wiring
from porewatch.edge.envelopes import parse_fact
from porewatch.edge.queue import on_queue
from porewatch.settings import settings
from porewatch.usecases.facts.find_projection import Sources
from porewatch.usecases.facts.update_status import update_status


@cache
def registry() -> Registry:
    made = Registry(settings().db_cluster_arn, settings().db_secret_arn, settings().db_name)
    made.migrate()  # once for each process; one statement when nothing is new
    return made


@on_queue(parse_fact)
def lambda_handler(fact: Fact) -> None:
    sources = Sources(wiring.reports(), wiring.results())
    update_status(fact, registry=registry(), rows=RegistryRows(registry()), sources=sources)
