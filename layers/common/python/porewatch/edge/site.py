"""Where this site lies: links work at a stage's path, at a domain of one's own, and locally."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1")
PAGES = "web"
"""First segment of the path of every page, below the root of the API."""


class Site(NamedTuple):
    """`root`: absolute address of the API's root, without a slash at its end. `up`: the way there
    from the page that is asked for, so that a link is `up` and a path. `page`: path of the page
    below the root, as `/web/runs`."""

    root: str
    up: str
    page: str

    def to(self, path: str) -> str:
        """A link from this page to a path of the API or the pages (`web/runs`)."""
        return self.up + path.lstrip("/")

    @property
    def secure(self) -> bool:
        """By HTTPS: everywhere but on a developer's own machine."""
        return self.root.startswith("https:")


def site_of(event: Mapping[str, Any]) -> Site:
    """From an event of API Gateway, which says the path with what stands before the resource."""
    context = event.get("requestContext") or {}
    proxy = (event.get("pathParameters") or {}).get("page")
    segments = 1 + (len(proxy.strip("/").split("/")) if proxy else 0)
    path = str(context.get("path") or event.get("path") or "/")
    parts = path.strip("/").split("/")
    before = parts[: len(parts) - segments]
    page = "/" + "/".join(parts[len(before) :])
    below = path.count("/") - len(before)  # a slash at the end is one step more
    return Site(_root(event, context, before), "../" * (below - 1) or "./", page)


def root_of(event: Mapping[str, Any]) -> str:
    """Absolute address of the API's root, from an event of one of its routes."""
    context = event.get("requestContext") or {}
    parts = str(context.get("path") or event.get("path") or "/").strip("/").split("/")
    route = str(event.get("resource") or event.get("path") or "/").strip("/").split("/")
    return _root(event, context, parts[: len(parts) - len(route)])


def _root(event: Mapping[str, Any], context: Mapping[str, Any], before: list[str]) -> str:
    host = str(context.get("domainName") or _host(event))
    scheme = "http" if urlsplit(f"//{host}").hostname in LOOPBACK else "https"
    return "/".join([f"{scheme}://{host}", *before])


def _host(event: Mapping[str, Any]) -> str:
    headers = event.get("headers") or {}
    return next((str(v) for k, v in headers.items() if k.lower() == "host"), "localhost")
