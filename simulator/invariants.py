"""What must hold in a world when all is quiet again, whatever went wrong in it. Each rule answers
sentences about what is broken; none: it holds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from simulator.world import ENDS, World

PROJECT = "PROJECT#default"
"""To which all runs of a world belong."""


def broken(world: World) -> list[str]:
    """All that does not hold."""
    rules = (
        _as_it_happened,
        _every_run_ended,
        _every_end_is_whole,
        _the_registry_knows_every_end,
        _one_manifest_each,
        _one_report_each,
        _no_machine_lives,
        _every_machine_is_paid_once,
        _money_adds_up,
        _as_many_are_counted_as_are_under_way,
        _every_fact_was_published,
        _every_alert_has_its_verdict,
        _no_dead_letters,
        _no_bugs,
    )
    return [sentence for rule in rules for sentence in rule(world)]


def items(world: World, prefix: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(partition, sort key, body) of the ledger's items whose sort key begins so."""
    for pk, there in world.ledger.items.items():
        for sk, item in there.items():
            if sk.startswith(prefix):
                yield pk, sk, json.loads(item.get("body", {"S": "{}"})["S"])


def _as_it_happened(world: World) -> Iterator[str]:
    yield from world.violations


def _every_run_ended(world: World) -> Iterator[str]:
    for run_id in world.runs:
        state = world.state(run_id)
        record = json.loads(world.ledger.items[f"RUN#{run_id}"]["RUN"]["body"]["S"])
        if state not in ENDS:
            yield f"{run_id} is {state} for ever"
        elif state != "completed" and not record["problem"]:
            yield f"{run_id} is {state} and nobody knows why"
    for execution in world.stepfunctions.executions.values():
        if execution.status == "RUNNING":
            yield f"execution {execution.name} does not end"


def _every_end_is_whole(world: World) -> Iterator[str]:
    for run_id in world.runs:
        if world.unfinished(run_id):
            yield f"{run_id} is {world.state(run_id)}, and something of it may still go on"


def _the_registry_knows_every_end(world: World) -> Iterator[str]:
    """A row for each revision there was, and no other."""
    for run_id in world.runs:
        record = json.loads(world.ledger.items[f"RUN#{run_id}"]["RUN"]["body"]["S"])
        due = set(range(max(record["revision"], record["last_revision"]) + 1))
        rows = world.registry.tables.get("workflow_records", {})
        found = {row["revision"] for row in rows.values() if row["run_id"] == run_id}
        if found != due:
            yield f"the registry has rows for revisions {found} of {run_id}, not for {due}"


def _one_manifest_each(world: World) -> Iterator[str]:
    for key, times in Counter(world.manifests).items():
        if times > 1:
            yield f"{key} was published {times} times"


def _one_report_each(world: World) -> Iterator[str]:
    for run_id in world.runs:
        facts = [sk for _, sk, _ in items(world, "FACT#RunCompleted:") if f":{run_id}:" in sk]
        if world.state(run_id) != "completed":
            if facts:
                yield f"{run_id} is {world.state(run_id)} and was reported as completed"
            continue
        if len(facts) != 1:
            yield f"{run_id} was completed {len(facts)} times"
        report = world.s3.buckets["reports"].get(f"runs/{run_id}/r0/report.json")
        decision = json.loads(report.content)["decision"] if report else "nothing"
        if decision != world.expected(run_id):
            yield f"the report of {run_id} has {decision[:12]}, not what a clean run has"


def _no_machine_lives(world: World) -> Iterator[str]:
    for instance in world.instances():
        if instance.state != "terminated":
            yield f"{instance.name} of {instance.owner} is {instance.state}: nobody's machine"


def _every_machine_is_paid_once(world: World) -> Iterator[str]:
    lines = [body for _, _, body in items(world, "COST#") if body["what"] == "machine"]
    paid, known = Counter(line["instance_id"] for line in lines), world.machines.boxes
    for name in known:
        if paid[name] != 1:
            yield f"{name} is on the bill {paid[name]} times"
    for name in set(paid) - set(known):
        yield f"{name} is on the bill, and there was no such machine"


def _money_adds_up(world: World) -> Iterator[str]:
    """Every cap: reserved = settled + released, nothing is held, spent is what the bill has."""
    for pk, there in world.ledger.items.items():
        for sk, item in there.items():
            if not sk.startswith("BUDGET#"):
                continue
            n = {name: int(value["N"]) for name, value in item.items() if "N" in value}
            if n.get("reserved", 0) != n.get("settled", 0) + n.get("released", 0):
                yield f"{pk} {sk}: reserved is not settled + released: {n}"
            if n.get("committed", 0) != n.get("spent", 0):
                yield f"{pk} {sk}: money is still held: {n}"
            billed = sum(
                round(body["usd"] * 1_000_000)
                for owner, _, body in items(world, "COST#")
                if pk in ("ACCOUNT", PROJECT, owner)
            )
            if n.get("spent", 0) != billed:
                yield f"{pk} {sk}: {n.get('spent', 0)} spent, {billed} on the bill"


def _as_many_are_counted_as_are_under_way(world: World) -> Iterator[str]:
    """Whoever has ended gave its place in the project back, once."""
    slots = world.ledger.items.get(PROJECT, {}).get("SLOTS", {})
    counted = int(slots.get("under_way", {"N": "0"})["N"])
    under_way = sum(bool(body.get("slot")) for _, sk, body in items(world, "RUN") if sk == "RUN")
    if counted != under_way:
        yield f"{counted} runs are counted as under way, and {under_way} are"
    over = [pk for pk, sk, body in items(world, "RUN") if sk == "RUN" and body["state"] in ENDS]
    yield from (f"{pk} is over and counted" for pk in over if _body(world, pk).get("slot"))


def _body(world: World, pk: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(world.ledger.items[pk]["RUN"]["body"]["S"])
    return body


def _every_fact_was_published(world: World) -> Iterator[str]:
    for _, sk, _ in items(world, "FACT#"):
        if sk.removeprefix("FACT#") not in world.bus.published:
            yield f"{sk} never got onto the bus"


def _every_alert_has_its_verdict(world: World) -> Iterator[str]:
    for pk, sk, alert in items(world, "ALERT#"):
        if alert["verdict"] == "pending" and world.state(alert["run_id"]) != "running":
            yield f"{pk} {sk} waits for a verdict for ever"


def _no_dead_letters(world: World) -> Iterator[str]:
    for letter in world.lambdas.dead_letters():
        yield f"a dead letter cannot be redriven: {letter[:200]}"


def _no_bugs(world: World) -> Iterator[str]:
    for line in world.trace:
        if " BUG " in line:
            yield line[:600]
