"""The signer signed in again at the identity provider: for this signature, now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.reasons.reason import SignatureCode, because
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signing_act import AGAIN, confirmed, over

if TYPE_CHECKING:
    from porewatch.adapters.audit.signing_acts import SigningActs
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.domain.people.oidc import Attempt, Identity


def confirm_signature(
    attempt: Attempt,
    identity: Identity,
    at: datetime,
    *,
    acts: SigningActs,
    accounts: Accounts,
) -> str:
    """Keep that the act is confirmed; returns its id. SignatureRefused when another person signed
    in, for another act, too long ago, or when the act is over or confirmed already."""
    renewal = attempt.renewal
    act = acts.find(renewal.act_id) if renewal else None
    if renewal is None or act is None:
        raise over()
    user = accounts.user_of(identity.issuer, identity.subject)
    if user is None or user.disabled or user.user_id != act.user_id:
        why = because(SignatureCode.SIGNATURE_OTHER_PERSON)
        raise SignatureRefused(why, remedy=AGAIN)
    after = confirmed(
        act,
        issuer=identity.issuer,
        signed_in_at=identity.signed_in_at,
        asked_at=renewal.asked_at,
        salt=renewal.salt,
        nonce=attempt.nonce,
        at=at,
    )
    acts.confirm(act, after)
    return act.act_id
