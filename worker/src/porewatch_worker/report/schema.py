"""Publishes the JSON Schema of `report.json`: `python -m porewatch_worker.report.schema [PATH]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from porewatch.domain.results.report import Report

DEFAULT = Path("docs/report.schema.json")


def report_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of the report as it is written."""
    schema = Report.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Porewatch report, version 2",
    }


def schema_text() -> str:
    return json.dumps(report_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    target.write_text(schema_text(), encoding="utf-8")
    print(target)
