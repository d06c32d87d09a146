"""A report's state and signatures, above it: published files are never written again, so what is
signed is shown with them and does not stand in them."""

from __future__ import annotations

import re

from porewatch.domain.reasons.catalogue import Catalogue
from porewatch.domain.records.run_record import RunRecord
from porewatch.edge import wiring
from porewatch.usecases.signatures.show_signatures import revision_state
from porewatch.web.render import filled
from porewatch.web.signatures.signature_page import signature_page

_BODY = re.compile(r"<body[^>]*>")


def with_signatures(page: str, record: RunRecord, words: Catalogue) -> str:
    """The report as a page, with the signatures of this revision and those that amend it."""
    every = wiring.signing_desk(signature_page).signatures.of(record.run_id)
    revision = record.revision
    there = [one for one in every if revision in (one.revision, one.supersedes)]
    body = _BODY.search(page)
    if not there or body is None:
        return page
    later = [one.revision for one in there if one.revision > revision]
    values = {
        "words": words,
        "state": revision_state(record, every).value,
        "superseded": max(later, default=None),
        "signatures": there,
        "samples": {sample for one in there for sample in one.samples},
    }
    banner = filled("signed_banner.html.j2", values)
    return page[: body.end()] + banner + page[body.end() :]
