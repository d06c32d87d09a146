"""A signature as a page for people and for print: printed name, date and time with zone, meaning
(21 CFR 11.50), and the digest of the report that it belongs to (11.70)."""

from __future__ import annotations

from porewatch.domain.reasons.catalogue import languages
from porewatch.domain.signatures.signature import Signature
from porewatch.web.render import filled
from porewatch.web.words import words


def signature_page(signature: Signature) -> str:
    """In every language, on one page. The same signature gives the same bytes."""
    every = [(language, words(language)) for language in languages()]
    return filled("signature.html.j2", {"one": signature, "languages": every})
