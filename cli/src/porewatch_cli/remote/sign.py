"""Sign by a server: begin, let the signer sign in again in a browser, complete."""

from __future__ import annotations

from datetime import datetime
from time import sleep
from typing import Any

from rich.text import Text

from porewatch.domain.base import now
from porewatch.domain.reasons.signature_codes import SignatureCode
from porewatch.domain.signatures.signature import Meaning
from porewatch_cli.remote.server import Server, ServerRefused
from porewatch_cli.terminal import console, errors, print_json, table

PAUSE = 3.0
"""Seconds between two questions whether the signer has signed in again."""


def show_signatures(server: Server, run_id: str, *, as_json: bool) -> None:
    """State of the newest report, and every signature of the run."""
    found = server.ask("GET", f"/runs/{run_id}/signatures")
    if as_json:
        print_json(found)
        return
    if found["revision"] is not None:
        console.print(f"revision {found['revision']}: {found['state']}")
    shown = table("", "", "meaning", "revision", "by", "at (UTC)", "samples", "reason")
    for one in found["signatures"]:
        shown.add_row(
            str(one["number"]),
            one["meaning"],
            str(one["revision"]),
            Text(f"{one['name']} ({one['role']})"),
            one["at"][:19].replace("T", " "),
            Text(", ".join(one["samples"])),
            Text(one["reason"]),
        )
    console.print(shown if found["signatures"] else "nobody has signed yet")


def sign_run(
    server: Server,
    run_id: str,
    meaning: Meaning,
    *,
    samples: tuple[str, ...],
    reason: str,
    as_json: bool,
) -> None:
    """Sign the newest report, once the signer has signed in again. Raises ServerRefused."""
    shown = server.ask("GET", f"/runs/{run_id}/signatures")
    order = {
        "revision": shown["revision"] or 0,
        "report_sha256": shown["report_sha256"] or "0" * 64,  # refused there: there is no report
        "samples": samples,
        "reason": reason,
    }
    if meaning is Meaning.AMENDED:
        act = server.ask("POST", f"/runs/{run_id}/amendments", order)
    else:
        act = server.ask("POST", f"/runs/{run_id}/signatures", {**order, "meaning": meaning})
    errors.print(Text(f"Sign in again here: {server.address}{act['path']}"), soft_wrap=True)
    signed = _completed(server, act)
    if as_json:
        print_json(signed)
        return
    console.print(f"signed: {signed['meaning']}, signature {signed['number']} of {run_id}")


def _completed(server: Server, act: dict[str, Any]) -> Any:
    path = f"/runs/{act['run_id']}/signatures/{act['act_id']}"
    expires = datetime.fromisoformat(act["expires_at"])
    while True:
        try:
            return server.ask("POST", path, {})
        except ServerRefused as refusal:
            waits = refusal.answered == SignatureCode.SIGNATURE_NOT_CONFIRMED
            if not waits or now() >= expires:
                raise
        sleep(PAUSE)
