"""Every kind of spoiled input that the end-to-end tests send, and what the problem must contain."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pysam

READ = b"@r%d\nACGTACGTAC\n+\nIIIIIIIIII\n"
READS = b"".join(READ % number for number in range(1, 6))
GOOD_PATH = "fastq/good.fastq"


@dataclass(frozen=True)
class BadFile:
    """Lies beside a sound file in a run that is sealed with both. `phrases` are in the message in
    this order; `run_phrases` in the run's, where that is about something else."""

    path: str
    content: Callable[[], bytes]
    phrases: tuple[str, ...]
    run_phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class BadManifest:
    """A run of one sound file, sealed with `spoil(manifest)`."""

    spoil: Callable[[dict[str, Any]], object]
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class BadTar:
    """`inbox/{run}.tar` with these members."""

    members: Callable[[], list[tuple[tarfile.TarInfo, bytes]]]
    phrases: tuple[str, ...]


def _bam_without_sequence() -> bytes:
    header = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6"}})
    with tempfile.NamedTemporaryFile(suffix=".bam") as place:
        with pysam.AlignmentFile(place.name, "wb", header=header) as bam:
            for number, sequence in enumerate(("ACGT", None), 1):
                read = pysam.AlignedSegment(header)
                read.query_name, read.flag, read.query_sequence = f"r{number}", 4, sequence
                if sequence:
                    read.query_qualities = pysam.qualitystring_to_array("IIII")
                bam.write(read)
        return place.read()


def _cut_signal() -> bytes:
    return b"\x8bPOD\r\n\x1a\n" + bytes(500)


BAD_FILES: dict[str, BadFile] = {
    "truncated gzip": BadFile(
        "fastq/cut.fastq.gz",
        lambda: gzip.compress(READS * 400, mtime=0)[:-30],
        ("fastq/cut.fastq.gz record ", " line ", "ends early", "Remedy: copy the file again"),
    ),
    "lengths differ": BadFile(
        "fastq/lengths.fastq",
        lambda: READ % 1 + READ % 2 + b"@r3\nACGTACGTAC\n+\nIIIIIIIII\n" + READ % 4,
        ("fastq/lengths.fastq record 3 line 12", "10 bases", "9 values", "Remedy: "),
    ),
    "no plus line": BadFile(
        "fastq/plus.fastq",
        lambda: READ % 1 + b"@r2\nACGTACGTAC\nIIIIIIIIII\n" + READ % 3,
        ("fastq/plus.fastq record 2 line 7", "should start with '+'", "Remedy: "),
    ),
    "windows line ends": BadFile(
        "fastq/windows.fastq",
        lambda: READS.replace(b"\n", b"\r\n"),
        ("fastq/windows.fastq record 1 line 1", "Windows line ends", "Remedy: convert"),
    ),
    "empty": BadFile("fastq/empty.fastq", lambda: b"", ("fastq/empty.fastq", "empty", "Remedy: ")),
    "quality out of range": BadFile(
        "fastq/quality.fastq",
        lambda: READ % 1 + b"@r2\nACGTACGTAC\n+\nIII IIIIII\n",
        ("fastq/quality.fastq record 2 line 8", "at position 4", "Remedy: "),
    ),
    "fasta": BadFile(
        "fastq/really_fasta.fastq",
        lambda: b">r1\nACGTACGTAC\n",
        ("fastq/really_fasta.fastq record 1 line 1", "FASTA, not FASTQ", "Remedy: send the FASTQ"),
    ),
    "bam without sequence": BadFile(
        "bam/bare.bam",
        _bam_without_sequence,
        ("bam/bare.bam record 2", "r2 has no sequence", "Remedy: write the BAM again"),
    ),
    "signal cut short": BadFile(
        "pod5/cut.pod5",
        _cut_signal,
        ("pod5/cut.pod5", "cut short", "Remedy: copy the file again"),
        run_phrases=("pod5/cut.pod5", "basecalling is not enabled", "Remedy: call bases first"),
    ),
}


def _samples(*samples: dict[str, str]) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: manifest.update(samples=list(samples))


def _file(**fields: object) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: manifest["files"][0].update(fields)


def _one_more(path: str) -> Callable[[dict[str, Any]], object]:
    more = {"path": path, "kind": path.split("/", 1)[0], "size": 9}
    return lambda manifest: manifest["files"].append(more)


BAD_MANIFESTS: dict[str, BadManifest] = {
    "wrong checksum": BadManifest(
        _file(sha256="0" * 64),
        (GOOD_PATH, "its sha256 is ", "the manifest says 0000", "Remedy: send the named files"),
    ),
    "missing file": BadManifest(
        _one_more("fastq/missing.fastq"),
        ("run.json", "fastq/missing.fastq", "not in the run's folder", "Remedy: "),
    ),
    "duplicate sample names": BadManifest(
        _samples(
            {"name": "pig-7", "barcode": "barcode01"}, {"name": "pig-7", "barcode": "barcode02"}
        ),
        ("run.json", "duplicate sample name: pig-7", "Remedy: "),
    ),
    "unknown barcode": BadManifest(
        _samples({"name": "pig-7", "barcode": "RB01"}),
        ("run.json", "barcode", "RB01", "Remedy: "),
    ),
    "path out of the run": BadManifest(
        _one_more("fastq/../../other/run.json"), ("run.json", "leaves the run's folder", "Remedy: ")
    ),
    "signal without basecalling": BadManifest(
        _one_more("pod5/signal.pod5"),
        ("pod5/signal.pod5", "basecalling is not enabled", "Remedy: call bases first"),
    ),
}


def _member(name: str, content: bytes = READS, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    member.size = 0 if "linkname" in fields else len(content)
    return member, content[: member.size]


def _sheet(*rows: str) -> tuple[tarfile.TarInfo, bytes]:
    return _member("sample_sheet.csv", "\n".join(("name,barcode", *rows, "")).encode())


BAD_TARS: dict[str, BadTar] = {
    "parent folder": BadTar(
        lambda: [_member("fastq/a.fastq"), _member("fastq/../../b.fastq")],
        ("fastq/../../b.fastq", "leaves its folder", "Remedy: "),
    ),
    "absolute path": BadTar(
        lambda: [_member("/tmp/a.fastq")], ("/tmp/a.fastq", "absolute path", "Remedy: ")
    ),
    "symbolic link": BadTar(
        lambda: [_member("fastq/a.fastq", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
        ("fastq/a.fastq", "is a link", "Remedy: "),
    ),
    "bomb": BadTar(
        lambda: [_member("fastq/bomb.fastq.gz", gzip.compress(bytes(50_000_000), mtime=0))],
        ("fastq/bomb.fastq.gz", "more than 200 times", "Remedy: "),
    ),
    "barcode that is none": BadTar(
        lambda: [_member("fastq/barcode07/a.fastq"), _sheet("pig-7,barcode007")],
        ("sample_sheet.csv line 2", "barcode007", "Remedy: "),
    ),
    "one sample twice": BadTar(
        lambda: [_member("fastq/a.fastq"), _sheet("pig-7,barcode01", "pig-7,barcode02")],
        ("sample_sheet.csv line 3", "pig-7", "already given in line 2", "Remedy: "),
    ),
}


def tar_of(bad: BadTar) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for member, content in bad.members():
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
