"""Codes of a sign-in that failed. The catalogues say each of them in words."""

# ruff: noqa: S105 - codes, not secrets
from __future__ import annotations

from enum import StrEnum


class SignInCode(StrEnum):
    """Why nobody is signed in."""

    # what the browser brings
    SIGN_IN_RETURN_ELSEWHERE = "sign_in_return_elsewhere"
    SIGN_IN_STATE_DIFFERS = "sign_in_state_differs"
    SIGN_IN_TOOK_TOO_LONG = "sign_in_took_too_long"
    SIGN_IN_DECLINED = "sign_in_declined"
    SIGN_IN_WITHOUT_CODE = "sign_in_without_code"
    SIGN_IN_OTHER_ISSUER = "sign_in_other_issuer"

    # what the provider answers
    SIGN_IN_CODE_REFUSED = "sign_in_code_refused"
    SIGN_IN_CLIENT_REFUSED = "sign_in_client_refused"
    SIGN_IN_PROVIDER_SILENT = "sign_in_provider_silent"
    SIGN_IN_PROVIDER_UNREADABLE = "sign_in_provider_unreadable"

    # how the provider is set up
    SIGN_IN_NOT_HTTPS = "sign_in_not_https"
    SIGN_IN_ISSUER_DIFFERS = "sign_in_issuer_differs"

    # the ID token
    SIGN_IN_TOKEN_UNREADABLE = "sign_in_token_unreadable"
    SIGN_IN_TOKEN_ALGORITHM = "sign_in_token_algorithm"
    SIGN_IN_TOKEN_KEY = "sign_in_token_key"
    SIGN_IN_TOKEN_SIGNATURE = "sign_in_token_signature"
    SIGN_IN_TOKEN_ISSUER = "sign_in_token_issuer"
    SIGN_IN_TOKEN_AUDIENCE = "sign_in_token_audience"
    SIGN_IN_TOKEN_PARTY = "sign_in_token_party"
    SIGN_IN_TOKEN_EXPIRED = "sign_in_token_expired"
    SIGN_IN_TOKEN_EARLY = "sign_in_token_early"
    SIGN_IN_TOKEN_NONCE = "sign_in_token_nonce"
    SIGN_IN_TOKEN_ACCESS_HASH = "sign_in_token_access_hash"

    # the user information
    SIGN_IN_OTHER_PERSON = "sign_in_other_person"
