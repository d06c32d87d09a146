"""How the alert part of a bundle is named: `pig@3` has `pig-alert@3`."""

from __future__ import annotations

SUFFIX = "-alert"


def alert_name(name: str) -> str:
    """Of a bundle's name."""
    return name + SUFFIX


def alert_ref(ref: str) -> str:
    """Of `name@version`."""
    name, _, version = ref.partition("@")
    return f"{alert_name(name)}@{version}"


def is_alert_part(ref: str) -> bool:
    """Whether this is the alert part of another bundle; runs are not screened with one."""
    return ref.partition("@")[0].endswith(SUFFIX)
