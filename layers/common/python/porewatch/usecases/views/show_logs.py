"""Logs of a run's machines: which there are, the end of one by byte range, and a search in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.bounds import number
from porewatch.domain.errors import InputRefused, NotFound
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.stage_facts import InstanceLaunched
from porewatch.domain.stage.record import StageRecord
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.objects import Objects

PART_BYTES = 64 * 1024
MOST_SEARCHED = 8 * 1024 * 1024
"""Bytes from the end of a log that a search looks at."""
MOST_FOUND = 500
MOST_MACHINES = 8
"""Machines whose boot logs are looked for."""
LONGEST_SEARCH = 200


class LogPart(Answer):
    """Lines of a log: bytes `start` to `end` of `size`; of a search, the lines that have it."""

    name: str
    names: tuple[str, ...]
    lines: tuple[str, ...]
    start: int
    end: int
    size: int


def show_log(
    run_id: str,
    revision: int,
    *,
    stages: StageLedger,
    results: Objects,
    machines: bool = False,
    name: str | None = None,
    before: str | None = None,
    wanted: str | None = None,
) -> LogPart:
    """The last PART_BYTES of a log, or of what lies before byte `before`; without a name, of the
    newest log. `machines`: also what machines printed at their start. NotFound when there is
    none; InputRefused for a `before` that is no number."""
    keys = _keys(stages.of_run(run_id, revision))
    if machines:
        keys |= _of_machines(stages.facts(run_id, revision), results)
    absent = NotFound(f"run {run_id} has no such log.", remedy="it comes with the first machine.")
    for one in [name] if name else reversed(keys):
        head = results.head(keys[one]) if one in keys else None
        if head is not None:
            break
    else:
        raise absent
    end = min(head.size, _byte(before)) if before else head.size
    start = max(0, end - (MOST_SEARCHED if wanted else PART_BYTES))
    lines = _lines(results.part(head.key, start, end - start), whole=start == 0)
    if wanted:
        needle = wanted[:LONGEST_SEARCH].casefold()
        lines = [line for line in lines if needle in line.casefold()][-MOST_FOUND:]
    return LogPart(
        name=str(one), names=tuple(keys), lines=tuple(lines), start=start, end=end, size=head.size
    )


def _byte(text: str) -> int:
    found = number(text)
    if found is None or found < 0:
        raise InputRefused(f"before={text[:40]!r} is no byte.", remedy="use `start` of a part.")
    return found


def _keys(records: Sequence[StageRecord]) -> dict[str, str]:
    """`screen 2` (stage and epoch) -> key, in the order in which the machines worked."""
    found = {}
    for record in sorted(records, key=lambda r: r.updated_at):
        for attempt in record.all_attempts:
            epoch = s3_keys.epoch_of_attempt(attempt)
            found[f"{record.stage} {epoch}"] = s3_keys.log_key(attempt)
    return found


def _of_machines(facts: Sequence[Fact], results: Objects) -> dict[str, str]:
    """`screen 2 boot.log`, `screen 2 console.log` of the last machines that left one: the worker
    failed on them, or never began."""
    launched = [fact for fact in facts if isinstance(fact, InstanceLaunched)][-MOST_MACHINES:]
    found = {}
    for fact in launched:
        run = fact.run_id, fact.revision, fact.stage, fact.epoch, fact.instance_id
        for key in (s3_keys.boot_log_key(*run), s3_keys.console_key(*run)):
            if results.head(key) is not None:
                found[f"{fact.stage} {fact.epoch} {key.rpartition('/')[2]}"] = key
    return found


def _lines(content: bytes, *, whole: bool) -> list[str]:
    """Without the first one, when it may be the rest of a line."""
    lines = content.decode("utf-8", errors="replace").splitlines()
    return lines if whole else lines[1:]
