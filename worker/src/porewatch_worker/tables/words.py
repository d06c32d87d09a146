"""Names and descriptions of tables and columns that the models do not give."""

from __future__ import annotations

import json
from importlib.resources import files

_TEXTS: dict[str, dict[str, str]] = json.loads(
    files("porewatch_worker").joinpath("data/tables.json").read_text("utf-8")
)
NAMES = _TEXTS["names"]
"""Path in the report -> name of its table, where the path itself would be clumsy."""
TABLES = _TEXTS["tables"]
"""Name of a table -> one sentence."""
COLUMNS = _TEXTS["columns"]
"""Column, or `table.column` where the same word means two things -> one sentence. `key:TABLE` names
the column that a table's keys go into."""
