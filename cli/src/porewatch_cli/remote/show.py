"""What commands print of a server's runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.text import Text

from porewatch.domain.reasons.people_codes import PeopleCode
from porewatch_cli.remote.server import Server
from porewatch_cli.terminal import console, print_json, table

MOST = 200
"""Runs that a list shows."""


def show_runs(server: Server, *, as_json: bool) -> None:
    """The newest runs that the token's user may see."""
    found: list[dict[str, Any]] = []
    more = ""
    while len(found) < MOST:
        page = server.ask("GET", f"/runs?limit=50{more}")
        found += page["runs"]
        if not page["next"]:
            break
        more = f"&cursor={page['next']}"
    if as_json:
        print_json(found)
        return
    shown = table("", "run", "name", "project", "state", "review", "created", "findings", "problem")
    for run in found:
        shown.add_row(
            run["run_id"],
            Text(run.get("name") or "–"),
            str(run.get("project", "")),
            str(run["state"]),
            run.get("review") or "–",
            str(run["created_at"])[:16].replace("T", " "),
            "–" if run.get("findings") is None else str(run["findings"]),
            Text(run.get("problem") or ""),
        )
    console.print(shown if found else "no runs yet; send one with `porewatch submit --server`")


def show_report(server: Server, run_id: str, *, out: Path | None, as_json: bool) -> None:
    """Links to the reports of a run, or copies of them in folder `out`."""
    found = server.ask("GET", f"/runs/{run_id}/report")
    if as_json:
        print_json(found)
        return
    for name, url in sorted(found["links"].items()):
        if out is None:
            console.print(f"{name}: {url}", soft_wrap=True)
            continue
        out.mkdir(parents=True, exist_ok=True)
        file = out / Path(name).name
        file.write_bytes(server.get(url))
        console.print(str(file))
    for name, file in sorted(found.get("withheld", {}).items()):
        console.print(f"{name}: {_withheld(file)}", soft_wrap=True)


def _withheld(file: dict[str, Any]) -> str:
    """Why it cannot be read now."""
    if file["refused"] == PeopleCode.RESULTS_THAWING:
        return f"comes back from the archive; expected by {file['expected_at'] or '-'}"
    return f"could be read until {file['readable_until']}; your account has other tiers"
