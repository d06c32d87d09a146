"""What an authorizer sees of a request."""

from __future__ import annotations

from typing import NamedTuple


class Shown(NamedTuple):
    """What a request shows of who asks; empty: nothing of it."""

    session: str = ""
    token: str = ""
    api_key: str = ""


class Request(NamedTuple):
    """`resource`: the route, as `/runs/{run_id}`; `csrf`: header `x-csrf-token`."""

    method: str
    resource: str
    shown: Shown
    csrf: str = ""
