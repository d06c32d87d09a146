"""Scripts and styles. Their names change with their content, so a browser keeps them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from porewatch.domain.errors import NotFound

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Asset(NamedTuple):
    content: str
    media_type: str


def asset_path(name: str) -> str:
    """Where a file of the folder `static` is served below the root: `web/static/page.1a2b3c.js`."""
    stem, _, kind = name.rpartition(".")
    return f"web/static/{stem}.{_digest(name)}.{kind}"


def asset(served: str) -> Asset:
    """What is served under a name of `asset_path`. NotFound, also for an older content."""
    for name, (content, digest) in _all().items():
        stem, _, kind = name.rpartition(".")
        if served == f"{stem}.{digest}.{kind}":
            return Asset(content, TYPES[kind])
    raise NotFound("there is no such file.", remedy="load the page again.")


def _digest(name: str) -> str:
    return _all()[name][1]


@cache
def _all() -> dict[str, tuple[str, str]]:
    found = {}
    for path in files("porewatch.web").joinpath("static").iterdir():
        if path.name.rpartition(".")[2] in TYPES:
            content = path.read_text(encoding="utf-8")
            found[path.name] = content, hashlib.sha256(content.encode()).hexdigest()[:12]
    return found
