"""Why an address gets no mail, and the words of SES that it follows from. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from porewatch.domain.base import Model, Moment


class SuppressionCode(StrEnum):
    BOUNCED = "bounced"  # no such mailbox, or one that never takes our mail
    COMPLAINED = "complained"  # its reader called our mail spam


class Suppression(Model):
    code: SuppressionCode
    at: Moment


class _Address(Model):
    email: Annotated[str, Field(alias="emailAddress")]


class _Bounce(Model):
    kind: Annotated[str, Field(alias="bounceType")]
    recipients: Annotated[tuple[_Address, ...], Field(alias="bouncedRecipients")] = ()
    at: Annotated[Moment, Field(alias="timestamp")]


class _Complaint(Model):
    recipients: Annotated[tuple[_Address, ...], Field(alias="complainedRecipients")] = ()
    at: Annotated[Moment, Field(alias="timestamp")]


class MailFeedback(Model):
    """`detail` of an event of SES on EventBridge. What is passed over: deliveries, and bounces that
    may pass (a mailbox that is full)."""

    bounce: _Bounce | None = None
    complaint: _Complaint | None = None

    def suppressed(self) -> tuple[tuple[str, Suppression], ...]:
        """(address, why) of each that gets no mail from now on."""
        found: list[tuple[str, Suppression]] = []
        if self.bounce is not None and self.bounce.kind == "Permanent":
            found += _each(self.bounce, SuppressionCode.BOUNCED)
        if self.complaint is not None:
            found += _each(self.complaint, SuppressionCode.COMPLAINED)
        return tuple(found)


def _each(said: _Bounce | _Complaint, code: SuppressionCode) -> list[tuple[str, Suppression]]:
    return [(one.email, Suppression(code=code, at=said.at)) for one in said.recipients]


DETAIL_TYPES: dict[str, Any] = {"Email Bounced": "bounce", "Email Complaint Received": "complaint"}
"""Events of SES that are listened to. The template's rule lets these through; a test compares."""
