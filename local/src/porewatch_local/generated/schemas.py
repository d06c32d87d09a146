"""Exports the schema of every event: `python -m porewatch_local.generated.schemas [--check]`.

`events/<DetailType>/schema.json` describes the `detail` of the event; `example.json` beside it is
a whole event as it comes over the bus, written by hand. `--check` writes nothing and says what
would change.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from porewatch.domain.facts.events import FACTS
from porewatch.domain.mail.user_occasions import USER_EVENTS

DESCRIBED: dict[str, type[BaseModel]] = {**FACTS, **USER_EVENTS}
"""Facts of runs, and events about users; by detail-type."""
EVENTS = Path(__file__).parents[4] / "events"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(event: type[BaseModel]) -> str:
    """The JSON Schema of an event as text, the same on every machine."""
    described = {"$schema": DIALECT, **event.model_json_schema(mode="serialization")}
    return json.dumps(described, indent=2, sort_keys=True) + "\n"


def stale(events: Path) -> Iterator[Path]:
    """The schema files that differ from the code, or whose event is gone."""
    for name, event in DESCRIBED.items():
        path = events / name / "schema.json"
        if not path.exists() or path.read_text() != schema_of(event):
            yield path
    yield from (p for p in sorted(events.glob("*/schema.json")) if p.parent.name not in DESCRIBED)


def export(events: Path) -> list[Path]:
    """Write what is stale, remove what is gone; the paths that changed."""
    changed = list(stale(events))
    for path in changed:
        event = DESCRIBED.get(path.parent.name)
        if event is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_of(event))
    return changed


def main() -> int:
    parser = argparse.ArgumentParser(prog="porewatch_local.generated.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    given = parser.parse_args()
    changed = list(stale(EVENTS)) if given.check else export(EVENTS)
    for path in changed:
        print(path.relative_to(EVENTS.parent))
    return 1 if given.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
