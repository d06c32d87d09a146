"""The refusal of a signature."""

from __future__ import annotations

from porewatch.domain.errors import AccountRefused


class SignatureRefused(AccountRefused):
    """A report may not be signed so, as it stands; its code says why."""
