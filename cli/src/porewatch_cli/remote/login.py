"""`porewatch login`: try a token, then keep it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from getpass import getpass

from porewatch_cli.remote.server import Server, server_address
from porewatch_cli.remote.tokens import keep_token


@dataclass(frozen=True)
class Login:
    """Whose token is kept where."""

    server: str
    name: str
    file: str


def log_in(server: str) -> Login:
    """Ask for a token (or read it from standard input), try it, keep it. ServerRefused."""
    token = (getpass("token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    address = server_address(server)
    me = Server(address, token).ask("GET", "/me")
    return Login(address, str(me["name"]), str(keep_token(address, token)))
