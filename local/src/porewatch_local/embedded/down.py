"""`down`: instances, instance host, identity provider, stand-in for Stripe, engine (which writes
its state), database. Nothing is left."""

from __future__ import annotations

import shutil
from pathlib import Path

from porewatch_local.embedded.engine import stop_engine
from porewatch_local.embedded.identity_provider import stop_identity
from porewatch_local.embedded.instance_host_process import stop_host
from porewatch_local.embedded.mail_catcher_process import stop_mail_catcher
from porewatch_local.embedded.postgres import stop_postgres
from porewatch_local.embedded.up import Progress
from porewatch_local.paths import (
    find_home,
    locked,
)
from porewatch_local.stripe_stand_in.process import stop_stripe

_PARTS = (
    ("instance host", stop_host),
    ("identity provider", stop_identity),
    ("stand-in for Stripe", stop_stripe),
    ("engine", stop_engine),
    ("catcher of mail", stop_mail_catcher),
    ("PostgreSQL", stop_postgres),
)


def down(
    home: Path | None = None, *, forget: bool = False, progress: Progress = lambda line: None
) -> list[str]:
    """Stop everything of this home; returns what was running. Doing it twice is fine.

    State is kept for the next `up`; with `forget=True` the state folder is removed.
    """
    place = find_home(home)
    if not place.state.exists():
        return []
    stopped = []
    with locked(place.state / "lock"):
        for name, stop in _PARTS:
            if stop(place):
                stopped.append(name)
                progress(f"stopped {name}")
        shutil.rmtree(place.state / "tmp", ignore_errors=True)
        if forget:
            shutil.rmtree(place.state, ignore_errors=True)
            place.local_json.unlink(missing_ok=True)
    return stopped
