"""Keys of the people table: the only module that knows their shape.

USER#id          USER | ENTITLEMENT | MEMBER#place | SESSION#digest | TOKEN#digest
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
