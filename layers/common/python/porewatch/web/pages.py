"""Every page of the site."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from porewatch.web import (
    account_pages,
    alert_pages,
    file_pages,
    mail_pages,
    run_pages,
    static_files,
    upload_pages,
)
from porewatch.web.charges import charge_pages
from porewatch.web.router import resolver
from porewatch.web.samples import sample_pages
from porewatch.web.sign_in import invitation_pages, sign_in_pages
from porewatch.web.signatures import signing_pages

PARTS = (
    sign_in_pages,
    static_files,
    run_pages,
    upload_pages,
    file_pages,
    alert_pages,
    account_pages,
    charge_pages,
    invitation_pages,
    mail_pages,
    sample_pages,
    signing_pages,
)


def pages() -> APIGatewayRestResolver:
    """The resolver with all routes."""
    api = resolver()
    for part in PARTS:
        part.add_routes(api)
    return api
