"""Codes of signatures that are refused. The catalogues say each of them in words."""

from __future__ import annotations

from enum import StrEnum


class SignatureCode(StrEnum):
    """Why a report was not signed."""

    SIGNATURE_NOT_REVIEWED = "signature_not_reviewed"
    SIGNATURE_FOUR_EYES = "signature_four_eyes"
    SIGNATURE_TOO_LATE = "signature_too_late"
    SIGNATURE_TWICE = "signature_twice"
    SIGNATURE_AMEND_INSTEAD = "signature_amend_instead"
    SIGNATURE_NOTHING_TO_AMEND = "signature_nothing_to_amend"
    SIGNATURE_NEEDS_REASON = "signature_needs_reason"
    SIGNATURE_MIXED = "signature_mixed"
    SIGNATURE_OTHER_REPORT = "signature_other_report"
    SIGNATURE_NO_SAMPLE = "signature_no_sample"
    SIGNATURE_NO_REPORT = "signature_no_report"
    SIGNATURE_UNPROVED = "signature_unproved"
    SIGNATURE_NOT_CONFIRMED = "signature_not_confirmed"
    SIGNATURE_NOT_FRESH = "signature_not_fresh"
    SIGNATURE_OTHER_ACT = "signature_other_act"
    SIGNATURE_OTHER_PERSON = "signature_other_person"
    SIGNATURE_ACT_OVER = "signature_act_over"
    SIGNATURE_FORGED = "signature_forged"
