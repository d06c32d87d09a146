"""A signature that somebody has begun: what will be signed, until he has signed in again for it.

The nonce of that sign-in is made from this very act, so its answer confirms no other one.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated

from pydantic import Field, StringConstraints

from porewatch.domain.base import Model, Moment, Sha256
from porewatch.domain.people.oidc import Renewal, unpadded
from porewatch.domain.people.roles import UserId
from porewatch.domain.reasons.reason import SignatureCode, because
from porewatch.domain.runs import RunId
from porewatch.domain.signatures.refusals import SignatureRefused
from porewatch.domain.signatures.signature import (
    Confirmation,
    Meaning,
    Signature,
    Statement,
)

ACT_LIFE = timedelta(minutes=10)
"""From the form to the end of the sign-in: a person may have to find a telephone first."""
CONFIRMED_LIFE = timedelta(minutes=5)
"""A sign-in confirms a signature for no longer."""
CLOCKS_APART = timedelta(seconds=10)
"""Between the provider's clock and ours."""
AGAIN = "begin the signature again."
ACT_ID = r"^x-[a-z2-7]{16}$"
ActId = Annotated[str, StringConstraints(pattern=ACT_ID)]


class SigningAct(Model):
    """`report_sha256`, `audit_head`: of the report that the signer was shown."""

    act_id: ActId
    user_id: UserId
    run_id: RunId
    revision: int
    samples: tuple[str, ...]
    meaning: Meaning
    reason: Statement = ""
    report_sha256: Sha256
    audit_head: str
    made_at: Moment
    confirmation: Annotated[
        Confirmation | None, Field(description="None: he has not signed in again yet")
    ] = None

    @property
    def expires_at(self) -> datetime:
        if self.confirmation is None:
            return self.made_at + ACT_LIFE
        return self.confirmation.confirmed_at + CONFIRMED_LIFE

    @property
    def subject(self) -> str:
        """SHA-256 of what will be signed, by whom and for which act."""
        return self.digest("confirmation")


def renewal_of(act: SigningAct, at: datetime) -> Renewal:
    """The sign-in that its signer is asked for now. Raises SignatureRefused when the act is over or
    confirmed already."""
    if at >= act.expires_at or act.confirmation is not None:
        raise over()
    salt = secrets.token_urlsafe(16)
    return Renewal(act_id=act.act_id, salt=salt, asked_at=at, nonce=nonce_for(act, salt))


def nonce_for(act: SigningAct, salt: str) -> str:
    """The nonce of the sign-in that confirms this act and no other. `salt`: random."""
    return unpadded(sha256(f"{salt}.{act.subject}".encode()).digest())


def confirms(signature: Signature) -> bool | None:
    """Whether the sign-in that a signature names was for what it says, made again from all of it;
    None for one of an earlier version, which has not all that takes."""
    found = signature.confirmation
    if found.begun_at is None:
        return None
    act = SigningAct(
        act_id=signature.act_id,
        user_id=signature.user_id,
        run_id=signature.run_id,
        revision=signature.revision,
        samples=signature.samples,
        meaning=signature.meaning,
        reason=signature.reason,
        report_sha256=signature.report_sha256,
        audit_head=signature.audit_head,
        made_at=found.begun_at,
    )
    in_time = found.begun_at <= found.confirmed_at <= signature.at
    fresh = found.signed_in_at >= found.begun_at - CLOCKS_APART
    return in_time and fresh and hmac.compare_digest(found.nonce, nonce_for(act, found.salt))


def confirmed(
    act: SigningAct,
    *,
    issuer: str,
    signed_in_at: datetime | None,
    asked_at: datetime,
    salt: str,
    nonce: str,
    at: datetime,
) -> SigningAct:
    """The act after its signer signed in again. `asked_at`: when he was sent to the provider; an
    older sign-in does not count, and neither does a provider that does not say when it was. Raises
    SignatureRefused."""
    if at >= act.expires_at or act.confirmation is not None:
        raise over()
    if not hmac.compare_digest(nonce, nonce_for(act, salt)):
        raise SignatureRefused(because(SignatureCode.SIGNATURE_OTHER_ACT), remedy=AGAIN)
    if signed_in_at is None or signed_in_at < asked_at - CLOCKS_APART:
        raise SignatureRefused(because(SignatureCode.SIGNATURE_NOT_FRESH), remedy=AGAIN)
    confirmation = Confirmation(
        issuer=issuer,
        signed_in_at=signed_in_at,
        confirmed_at=at,
        salt=salt,
        nonce=nonce,
        begun_at=act.made_at,
    )
    return act.model_copy(update={"confirmation": confirmation})


def need_confirmation(act: SigningAct, at: datetime) -> Confirmation:
    """What confirms the act now. Raises SignatureRefused: not confirmed, or too long ago."""
    if act.confirmation is None:
        why = because(SignatureCode.SIGNATURE_NOT_CONFIRMED)
        raise SignatureRefused(why, remedy="open its page and sign in again there.")
    if at >= act.expires_at:
        raise over()
    return act.confirmation


def over() -> SignatureRefused:
    """The act took too long, or was confirmed already."""
    return SignatureRefused(because(SignatureCode.SIGNATURE_ACT_OVER), remedy=AGAIN)
