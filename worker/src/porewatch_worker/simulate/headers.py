"""Read headers as the sequencer writes them, in both dialects.

`minknow`: `id runid=… read=… ch=… start_time=… flow_cell_id=… barcode=…` (MinKNOW and Guppy).
`dorado`: tab-separated SAM tags (`qs`, `du`, `ch`, `st`, `rn`, `fn`, `RG`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Dialect = Literal["minknow", "dorado"]

SAMPLES_PER_BASE = 5000 / 400
"""Signal samples a second over bases a second, for the duration tags."""


@dataclass(frozen=True)
class RunIdentity:
    """The fields of every header of one run."""

    run_id: str
    flow_cell: str
    sample_id: str
    model: str
    started_at: datetime
    kit: str = "SQK-NBD114-24"

    def header(self, read: HeaderFields, dialect: Dialect) -> bytes:
        """The header line without its `@` and line end."""
        text = self._minknow(read) if dialect == "minknow" else self._dorado(read)
        return text.encode("ascii")

    def _minknow(self, read: HeaderFields) -> str:
        return (
            f"{read.id} runid={self.run_id} read={read.number} ch={read.channel} "
            f"start_time={read.start.isoformat(timespec='milliseconds')} "
            f"flow_cell_id={self.flow_cell} protocol_group_id={self.sample_id} "
            f"sample_id={self.sample_id} barcode={read.barcode} barcode_alias={read.barcode} "
            f"parent_read_id={read.id} basecall_model_version_id={self.model}"
        )

    def _dorado(self, read: HeaderFields) -> str:
        arrangement = (
            read.barcode if read.barcode == "unclassified" else f"{self.kit}_{read.barcode}"
        )
        return "\t".join(
            (
                read.id,
                f"qs:f:{read.quality:.4f}",
                f"du:f:{read.length * SAMPLES_PER_BASE / 5000:.3f}",
                f"ns:i:{int(read.length * SAMPLES_PER_BASE)}",
                f"ch:i:{read.channel}",
                f"st:Z:{read.start.isoformat(timespec='milliseconds')}",
                f"rn:i:{read.number}",
                f"fn:Z:{self.flow_cell}_pass_{self.run_id[:8]}_0.pod5",
                f"RG:Z:{self.run_id}_{self.model}_{arrangement}",
            )
        )


@dataclass(frozen=True)
class HeaderFields:
    """What differs from read to read. `quality` is the mean Phred value, `length` in bases."""

    id: str
    number: int
    channel: int
    start: datetime
    barcode: str
    quality: float
    length: int
