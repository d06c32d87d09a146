"""Keys of the people table: the only module that knows their shape.

USER#id          USER | MEMBER#place | SESSION#digest | TOKEN#digest
ENTITLEMENT#id   ENTITLEMENT (what a user paid for; apart, so that who writes it changes no account)
CAP#id           CAP (what an admin lets a user do; apart, so that who judges runs reads no account)
PAYS#id          CUSTOMER (who a user is at the payment provider; apart for the same reason)
CUSTOMER#id      CUSTOMER (whose customer that is)
IDENTITY#digest  IDENTITY (issuer and subject -> user)
GROUP#id         GROUP | PROJECT#id | MEMBER#user | INVITATION#digest
PROJECT#id       PROJECT | MEMBER#user | INVITATION#digest
SECRET#digest    SESSION | TOKEN | INVITATION | SHARE | VIEWS | LOGIN (forgotten by TTL)
RUN#id           SHARE#digest
RATES            month (`money.facility_rates`)
SIGNING#id       ACT (a signature that was begun; forgotten by TTL)
"""

from __future__ import annotations

import hashlib
import json

from porewatch.domain.people.secrets import SecretId

USERS, GROUPS, PROJECTS = "USERS", "GROUPS", "PROJECTS"
"""Kinds of the index."""


def user_key(user_id: str) -> str:
    return f"USER#{user_id}"


def entitlement_key(user_id: str) -> str:
    """Partition of what a user paid for."""
    return f"ENTITLEMENT#{user_id}"


def cap_key(user_id: str) -> str:
    """Partition of what an admin lets a user do."""
    return f"CAP#{user_id}"


def payer_key(user_id: str) -> str:
    """Partition of who a user is at the payment provider."""
    return f"PAYS#{user_id}"


def customer_key(customer: str) -> str:
    """Partition of a customer of the payment provider."""
    return f"CUSTOMER#{customer}"


def identity_key(issuer: str, subject: str) -> str:
    """Issuers and subjects may hold any character: a digest has none that a key cannot."""
    text = json.dumps([issuer, subject])
    return f"IDENTITY#{hashlib.sha256(text.encode()).hexdigest()}"


def place_key(place: str) -> str:
    """Partition of a group (`g-…`) or a project.

    >>> place_key("default"), place_key("g-aaaaaaaaaaaaaaaa")
    ('PROJECT#default', 'GROUP#g-aaaaaaaaaaaaaaaa')
    """
    return f"GROUP#{place}" if place.startswith("g-") else f"PROJECT#{place}"


def secret_key(digest: SecretId) -> str:
    return f"SECRET#{digest}"


def signing_key(act_id: str) -> str:
    """Partition of a signature that was begun."""
    return f"SIGNING#{act_id}"
