"""Exports the schema of every fact: `python -m porewatch_local.generated.schemas [--check]`.

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

from porewatch.domain.facts.events import FACTS
from porewatch.domain.facts.fact import Fact

EVENTS = Path(__file__).parents[4] / "events"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(fact: type[Fact]) -> str:
    """The JSON Schema of a fact as text, the same on every machine."""
    described = {"$schema": DIALECT, **fact.model_json_schema(mode="serialization")}
    return json.dumps(described, indent=2, sort_keys=True) + "\n"


def stale(events: Path) -> Iterator[Path]:
    """The schema files that differ from the code, or whose fact is gone."""
    for name, fact in FACTS.items():
        path = events / name / "schema.json"
        if not path.exists() or path.read_text() != schema_of(fact):
            yield path
    yield from (p for p in sorted(events.glob("*/schema.json")) if p.parent.name not in FACTS)


def export(events: Path) -> list[Path]:
    """Write what is stale, remove what is gone; the paths that changed."""
    changed = list(stale(events))
    for path in changed:
        fact = FACTS.get(path.parent.name)
        if fact is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_of(fact))
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
