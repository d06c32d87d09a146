"""Which of the tables that lie in a run is its sample sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.inputs.sheet.table_text import (
    decode,
    heading,
    rows_of,
)

_MINKNOW = frozenset(
    {"protocol_run_id", "position_id", "flow_cell_id", "sample_id", "experiment_id"}
    | {"flow_cell_product_code", "kit"}
)
_NAMES = frozenset({"alias", "name", "sample", "sample_name"})


@dataclass(frozen=True)
class Sheets:
    """`chosen`: name and content of the one that is read; `records`: MinKNOW's own."""

    chosen: tuple[str, bytes] | None
    records: tuple[str, ...]
    copies: tuple[str, ...] = ()


def choose(names: Iterable[str], text: Callable[[str], bytes]) -> Sheets:
    """MinKNOW's own records are none; equal copies of one sheet are one. Raises SampleSheetRefused
    when two different ones are there, with both names."""
    records: list[tuple[str, bytes]] = []
    real: list[tuple[str, bytes]] = []
    for name in sorted(names):
        content = text(name)
        (records if is_minknows_record(content) else real).append((name, content))
    different = {content for _, content in real}
    if len(different) > 1:
        raise SampleSheetRefused(
            f"there are {len(different)} different sample sheets: "
            f"{', '.join(name for name, _ in real)}.",
            file=real[0][0],
            remedy="keep the one that is right, or name it by --sample-sheet.",
        )
    return Sheets(
        chosen=real[0] if real else None,
        records=tuple(name for name, _ in records),
        copies=tuple(name for name, _ in real[1:]),
    )


def is_minknows_record(content: bytes) -> bool:
    """The sheet that MinKNOW keeps of a run: it names flow cell and experiment and tells no samples
    apart. With a column of sample types it says more than the folders do, and is read."""
    columns = _header(content)
    barcodes = {c for c in columns if c == "barcode" or c.endswith("_barcode")}
    described = set(columns) - barcodes
    return bool(columns) and bool(described) and described <= _MINKNOW


def _header(content: bytes) -> list[str]:
    """Its headings; none for what cannot be read, which then is refused as a sheet."""
    try:
        header = rows_of(decode(content, "").text, "")[0]
    except SampleSheetRefused:
        return []
    return [name for name in map(heading, header.cells) if name]
