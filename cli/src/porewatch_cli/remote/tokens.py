"""The tokens of servers: POREWATCH_TOKEN, or a file of this user's that nobody else may read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from porewatch.domain.errors import ConfigurationRefused

VARIABLE = "POREWATCH_TOKEN"


def token_file() -> Path:
    """In the user's folder for settings."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "porewatch" / "tokens.json"


def keep_token(server: str, token: str) -> Path:
    """Keep the token of a server, readable by this user alone."""
    file = token_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = _known(file) | {server: token}
    fresh = file.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(known, out, indent=1)
    fresh.replace(file)
    return file


def token_of(server: str) -> str:
    """Raises ConfigurationRefused when none is known."""
    token = os.environ.get(VARIABLE) or _known(token_file()).get(server)
    if not token:
        raise ConfigurationRefused(
            f"no token for {server} is known.",
            remedy=f"make one on the account page, then: porewatch login --server {server}; or "
            f"set {VARIABLE}.",
        )
    return token


def _known(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise ConfigurationRefused("it is not JSON.", file=str(file)) from None
    return found if isinstance(found, dict) else {}
