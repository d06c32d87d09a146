"""What `porewatch audit --json` prints."""

from __future__ import annotations

from porewatch.domain.base import Model
from porewatch.domain.signatures.verify import SignatureFault


class Chain(Model):
    code: str
    day: str | None
    newest: str | None
    newest_digest: str | None
    says: str


class Anchor(Model):
    code: str
    head: str | None
    at: str | None
    says: str
    chain: Chain


class FoundSignature(SignatureFault):
    says: str


class Copies(Model):
    """Copies of signatures and signed pages: `of_other_versions` were not compared."""

    compared: int
    of_other_versions: int


class Signatures(Model):
    count: int
    faults: list[FoundSignature]
    copies: Copies


class Audit(Model):
    """`anchor` and `signatures` are null for a file. `holds`: no faults."""

    run_id: str
    holds: bool
    head: str
    entries: int
    kept_head: str | None
    anchor: Anchor | None
    signatures: Signatures | None
    faults: list[str]
