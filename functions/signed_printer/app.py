"""Prints a signed report: a copy of each page, with its sign-off block filled."""

from porewatch.domain.facts.run_facts import ReportSigned
from porewatch.edge import wiring
from porewatch.edge.event import on_event
from porewatch.edge.parsers import report_signed
from porewatch.settings import settings
from porewatch.usecases.signatures.print_signed import print_signed
from porewatch_worker import __version__
from porewatch_worker.report.signed_pages import signed_pages


@on_event(report_signed)
def lambda_handler(fact: ReportSigned) -> None:
    print_signed(
        fact,
        signatures=wiring.proved_signatures(settings().audit_key_arn),
        reports=wiring.reports(),
        pages=signed_pages,
        version=__version__,
    )
