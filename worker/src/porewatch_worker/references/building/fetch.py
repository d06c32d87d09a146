"""Fetch references by accession from NCBI's E-utilities, for `build_bundle`.

`data/accessions.tsv` lists the known accessions of the panel; `fetch` writes one FASTA a record and
a sheet, so that a fetched folder is built exactly like one that was assembled by hand. Files of an
earlier, interrupted fetch are checked and reused. The host genome is not fetched: put its FASTA
into `host/` of the same folder.
"""

from __future__ import annotations

import csv
import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import BundleRefused, Unavailable
from porewatch_worker.references.building.fasta import read_fasta
from porewatch_worker.references.building.sheet import COLUMNS

EUTILS = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
SHEET = "sheet.tsv"
_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_WITHOUT_NETWORK = (
    "try again later, or fetch the FASTA elsewhere and build from the folder "
    "(`porewatch references build NAME@VERSION --from FOLDER`)."
)


@dataclass(frozen=True)
class ReferenceRecord:
    """One record to fetch. `confirmed` False: known by name only, fetched only with `unconfirmed`.
    `title`: text that the record's own title must contain, or it is another sequence."""

    target: str
    role: ContigRole
    accession: str
    segment: str = ""
    circular: str = ""
    confirmed: bool = True
    remark: str = ""
    title: str = ""


def shipped_accessions() -> tuple[ReferenceRecord, ...]:
    """The accessions known for the shipped panel, its decoys and spike-ins."""
    text = files("porewatch_worker").joinpath("data/accessions.tsv").read_text("utf-8")
    return _read_rows(text.splitlines(), "accessions.tsv")


def read_accessions(path: Path) -> tuple[ReferenceRecord, ...]:
    """A list in the shape of the shipped one. Raises BundleRefused naming the line."""
    return _read_rows(path.read_text("utf-8-sig").splitlines(), str(path))


def not_chosen(records: Sequence[ReferenceRecord], panel: Panel) -> Iterator[str]:
    """One line, with the reason, for each row of the list without a sequence in `records`."""
    there = {record.target for record in records if record.confirmed}
    for entry in panel.entries:
        if not entry.members and entry.code not in there:
            reason = entry.no_accession or "the list of accessions leaves it out"
            yield f"{entry.code} ({entry.name}): {reason}"


def _read_rows(lines: Iterable[str], file: str) -> tuple[ReferenceRecord, ...]:
    reader = csv.DictReader(lines, delimiter="\t")
    found = []
    for row in reader:
        try:
            found.append(
                ReferenceRecord(
                    target=row["target"],
                    role=ContigRole(row["role"]),
                    accession=row["accession"],
                    segment=row.get("segment") or "",
                    circular=row.get("circular") or "",
                    confirmed=row.get("confirmed") != "no",
                    remark=row.get("remark") or "",
                    title=row.get("title") or "",
                )
            )
        except (KeyError, ValueError) as error:
            raise BundleRefused(
                f"the row is not target, role, accession ({error}).",
                file=file,
                line=reader.line_num,
                remedy="compare it with the accessions.tsv that ships with the worker.",
            ) from error
    return tuple(found)


@dataclass(frozen=True)
class Entrez:
    """NCBI's efetch, politely: at most 3 requests a second without a key, 10 with one."""

    base_url: str = EUTILS
    email: str = ""
    api_key: str = ""
    attempts: int = 5
    timeout_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep

    def fasta(self, accession: str) -> bytes:
        """The record as FASTA text.

        Raises BundleRefused when NCBI has no such record, Unavailable when NCBI cannot be reached
        or keeps failing.
        """
        problem = ""
        for attempt in range(self.attempts):
            self.sleep((0.11 if self.api_key else 0.34) if attempt == 0 else 2.0**attempt)
            try:
                text = self._get(accession)
            except urllib.error.HTTPError as error:
                if error.code not in _TRY_LATER:
                    raise _unknown(accession, f"HTTP {error.code}") from error
                problem = f"HTTP {error.code}"
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            else:
                if text.startswith(b">"):
                    return text
                problem = f"no FASTA in the answer ({text[:60].decode(errors='replace').strip()!r})"
        raise Unavailable(
            f"{accession} could not be fetched from {self.base_url} in {self.attempts} attempts: "
            f"{problem}.",
            remedy=_WITHOUT_NETWORK,
        )

    def _get(self, accession: str) -> bytes:
        query = {"db": "nuccore", "id": accession, "rettype": "fasta", "retmode": "text"}
        query["tool"] = "porewatch"
        if self.email:
            query["email"] = self.email
        if self.api_key:
            query["api_key"] = self.api_key
        url = f"{self.base_url}/efetch.fcgi?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=self.timeout_s) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body


def _unknown(accession: str, answer: str) -> BundleRefused:
    return BundleRefused(
        f"NCBI does not give the record {accession} ({answer}).",
        remedy="correct the accession, or take it off the list.",
    )


def fetch(
    records: Sequence[ReferenceRecord],
    folder: Path,
    entrez: Entrez,
    *,
    unconfirmed: bool = False,
    on_line: Callable[[str], None] = lambda line: None,
) -> Path:
    """Fetch every record into `folder` and write `sheet.tsv`; returns the sheet's path.

    Host FASTA in `folder/host/` gets a row as well. `on_line` gets one line a record.
    """
    rows = []
    for record in records:
        if not (record.confirmed or unconfirmed):
            on_line(f"{record.accession} ({record.target}): left out, {record.remark}")
            continue
        path = folder / record.role / f"{record.accession}.fa"
        if not path.exists():
            _write(path, entrez.fasta(record.accession))
        rows.append(_row(record, path, folder))
        on_line(f"{record.accession} ({record.target}): {path.stat().st_size} bytes")
    rows += [
        {"file": path.relative_to(folder).as_posix(), "role": "host", "target": "host"}
        for path in sorted((folder / "host").glob("*"))
    ]
    return _write_sheet(folder / SHEET, rows)


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(text)
    part.replace(path)


def _check_title(record: ReferenceRecord, title: str, path: Path) -> None:
    if record.title.casefold() not in title.casefold():
        raise BundleRefused(
            f"{record.accession} is {title!r}, and {record.target} should be {record.title!r}.",
            file=str(path),
            remedy="correct the accession in the list, and remove the file.",
        )


def _row(record: ReferenceRecord, path: Path, folder: Path) -> dict[str, str]:
    """A row of the sheet, once the file holds exactly the requested record."""
    found = list(read_fasta(path))
    names = [record.name for record in found]
    if len(names) != 1 or not _answers(record.accession, names[0]):
        raise BundleRefused(
            f"requested {record.accession}, received {', '.join(names)}.",
            file=str(path),
            remedy="remove the file and retry; if the error persists, correct the accession.",
        )
    _check_title(record, found[0].description, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    fetched = date.fromtimestamp(path.stat().st_mtime).isoformat()
    return {
        "file": path.relative_to(folder).as_posix(),
        "role": record.role,
        "target": record.target,
        "circular": record.circular,
        "segment": record.segment,
        "accession": names[0],
        "source": f"NCBI nuccore {names[0]}, fetched {fetched}, sha256 {digest}",
    }


def _answers(accession: str, name: str) -> bool:
    """Whether the names match: without a version any version does, with one only that one."""
    return name == accession or ("." not in accession and name.partition(".")[0] == accession)


def _write_sheet(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, delimiter="\t", lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
