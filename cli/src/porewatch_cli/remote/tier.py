"""What `porewatch tier` prints: one's own tier at a server."""

from __future__ import annotations

from porewatch_cli.remote.server import Server
from porewatch_cli.terminal import console, print_json, table

LIMITS = {
    "run_gigabytes": "size of a run (GB)",
    "month_runs": "runs in a month",
    "month_usd": "cost of machines in a month (USD)",
    "results_days": "days for which large results stay readable",
    "spot_waits": "waits for spot before a machine on demand",
}


def show_tier(server: Server, *, as_json: bool) -> None:
    """The tier, what it allows, what was used, and what the one above would allow."""
    found = server.ask("GET", "/me/tier")
    if as_json:
        print_json(found)
        return
    used, above = found["used"], found["upgrade"]
    spent = f"{used['spent_usd'] + used['held_usd']:.2f}"
    counted = {"month_runs": str(used["runs"]), "month_usd": spent}
    shown = table("", "", found["tier"], "used this month", *([above["tier"]] if above else []))
    for name, words in LIMITS.items():
        more = [_most(above["allows"][name])] if above else []
        shown.add_row(words, _most(found["allows"][name]), counted.get(name, ""), *more)
    console.print(shown)
    if found["payment_failed"]:
        console.print("the last payment failed; give another card on the account page")
    for until, words in (("paid_until", "paid until"), ("grace_until", "in grace until")):
        if found[until]:
            console.print(f"{words} {found[until][:16].replace('T', ' ')} UTC")


def _most(limit: float | None) -> str:
    return "no limit" if limit is None else f"{limit:g}"
