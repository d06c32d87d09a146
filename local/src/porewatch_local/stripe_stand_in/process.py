"""Starts and stops the local stand-in for Stripe, and says what a deploy needs to know of it."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

from porewatch_local import processes
from porewatch_local.paths import LOOPBACK, Home, LocalStack, free_port, remembered
from porewatch_local.paths import write_private as write

PRICE = "price_of_the_stand_in"
UNPAID = "POREWATCH_UNPAID_TIER"
"""Variable that says which tier users of the local stack have who pay nothing; unset: premium."""
_READY_S = 15.0


def start_stripe(home: Home) -> str:
    """The address of the stand-in, started unless it runs already. Raises LocalProblem."""
    record = home.state / "stripe.json"
    if running := processes.read_record(record):
        return _address(running.port)
    port = free_port(processes.last_port(record))
    config = home.state / "stripe-config.json"
    write(config, json.dumps({**_secrets(home), "port": port}))
    log = home.state / "stripe.log"
    process, _ = processes.start(
        [sys.executable, "-m", "porewatch_local.stripe_stand_in", config],
        record=record,
        log=log,
        environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        port=port,
        folder=home.state,
    )
    processes.wait_ready(
        process,
        lambda: switch(_address(port), "state"),
        name="the stand-in for Stripe",
        log=log,
        seconds=_READY_S,
    )
    return _address(port)


def stop_stripe(home: Home) -> bool:
    """Stop it; what was paid is forgotten. True when it was running."""
    return processes.stop(home.state / "stripe.json", seconds=5)


def said_to_the_stack(home: Home) -> dict[str, str]:
    """Parameters of a deploy that the stand-in decides, without its secret; none while it is
    down."""
    running = processes.read_record(home.state / "stripe.json")
    if running is None:
        return {}
    values = {"StripePrice": PRICE, "StripeAddress": _address(running.port)}
    unpaid = os.environ.get(UNPAID)
    return {**values, "UnpaidTier": unpaid} if unpaid else values


def secret(home: Home) -> str:
    """What the stack's secret holds, as JSON."""
    return json.dumps(_secrets(home))


def listen(home: Home, stack: LocalStack) -> None:
    """Events go to the API of this stack from now on."""
    running = processes.read_record(home.state / "stripe.json")
    api = stack.outputs.get("ApiUrl")
    if running is not None and api:
        switch(_address(running.port), "webhook", url=f"{api.rstrip('/')}/billing/events")


def switch(address: str, name: str, **order: str) -> bool:
    """Ask the stand-in for one of its switches; whether it answered."""
    body = "&".join(f"{key}={value}" for key, value in order.items()).encode()
    request = urllib.request.Request(f"{address}/stand-in/{name}", body, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2) as reply:  # noqa: S310 - our own address
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _secrets(home: Home) -> dict[str, str]:
    kept = home.state / "secrets.json"
    return {
        "api_key": remembered(kept, "stripe_api_key"),
        "webhook_secret": remembered(kept, "stripe_webhook_secret"),
    }


def _address(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
