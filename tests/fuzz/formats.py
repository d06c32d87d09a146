"""Each format that strangers send: sound examples, how they are changed, and who judges them.

A judge answers `sound`, or the class of the refusal; whatever else it raises is a finding. Where
two read the same (check and reader, both passes over a tar, what is written and read again), it
compares them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import IO, Any, NamedTuple

from porewatch.adapters.objects import Head
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import BundleRefused, MessageRefused, PorewatchError, Refused
from porewatch.domain.facts.run_facts import FileValidated
from porewatch.domain.inputs.file_kinds import find_kind
from porewatch.domain.inputs.final_summary import parse_final_summary
from porewatch.domain.inputs.lab_file import parse_laboratory
from porewatch.domain.inputs.landing.answers import (
    answer_of,
    stray_of,
)
from porewatch.domain.inputs.landing.run_paths import run_path
from porewatch.domain.inputs.landing.sheets import is_minknows_record
from porewatch.domain.inputs.seal_note import note_of
from porewatch.domain.inputs.sheet.sample_sheet import read_sheet
from porewatch.domain.runs import RunManifest
from porewatch.domain.sealing import input_file, parse_manifest, seal
from porewatch.domain.uploads.run_archives import (
    asked_by,
    manifest_of,
    run_id_of,
)
from porewatch.edge.envelopes import opened_text, stored_object
from porewatch.edge.parsers import upload_event
from porewatch.reads.check import check_file
from porewatch.reads.pod5_count import count_reads
from porewatch.usecases.intake.claim_run_archive import Claim
from porewatch.usecases.intake.unpack_run_archive import (
    look_at,
    unpack,
)
from porewatch.usecases.intake.validate_file import Arrival
from porewatch_worker.references.building.fasta import read_fasta
from tests.functional.doors import object_event, told
from tests.functional.test_bundle_unpacker import GOOD, GOOD_TAR, a_tar
from tests.fuzz import mutants
from tests.fuzz.mutants import Mutate
from tests.worker.reads.hostile import PLAIN, a_read, whole_bam
from tests.worker.reads.verdicts import by_check, signal, verdict

SOUND = "sound"
Seeds = Callable[[], tuple[bytes, ...]]


class Format(NamedTuple):
    """`name`: of the file that a mutant is written to; `seeds`: sound ones; `foreseen`: refusals
    by their class, beside those that every format has."""

    name: str
    seeds: Seeds
    ways: tuple[Mutate, ...]
    judge: Callable[[Path], str]
    foreseen: frozenset[str] = frozenset()

    def mutant(self, number: int) -> bytes:
        """The same for the same number, wherever it is made."""
        draw = Random(f"{self.name}:{number}")
        return draw.choice(self.ways)(draw.choice(_made(self.seeds)), draw)


@cache
def _made(seeds: Seeds) -> tuple[bytes, ...]:
    return seeds()


def _refusal(judge: Callable[[bytes], None]) -> Callable[[Path], str]:
    """A judge of content: sound, or refused in a sentence that can be stored and shown."""

    def judged(path: Path) -> str:
        try:
            judge(path.read_bytes())
        except Refused as e:
            return _short(e)
        return SOUND

    return judged


def _short(e: PorewatchError) -> str:
    str(e).encode()
    assert len(str(e)) < 100_000, f"a reason of {len(str(e)):,} characters"
    return type(e).__name__


# ── reads ───────────────────────────────────────────────────────────────────────────────────────
SPOKEN = b"@r1 runid=a sampleid=s ch=5 barcode=barcode01 barcode_alias=pig dx=1\nACGTN\n+\nIIII!\n"
TAGGED = (
    b"@r1\tch:i:783\tst:Z:2026-03-01T00:00:00Z\tRG:Z:0a1b2c3d_dna_r10.4.1@v5.0.0_barcode07\tdx:i:0"
    b"\nACGT\n+\nIIII\n"
)
TAGS = (
    b"RGZ0a1b2c3d_dna_r10.4.1@v5.0.0_barcode07\0chi\1\0\0\0stZ2026-03-01T00:00:00Z\0BCZx\0"
    b"dxi\1\0\0\0"
)


def _texts() -> tuple[bytes, ...]:
    return PLAIN, SPOKEN + PLAIN, TAGGED + TAGGED


def _bams() -> tuple[bytes, ...]:
    head = b"@HD\tVN:1.6\n@RG\tID:a\tDS:basecall_model=m\n"
    told = b"BAM\1" + len(head).to_bytes(4, "little") + head + (1).to_bytes(4, "little")
    told += (2).to_bytes(4, "little") + b"c\0" + (9).to_bytes(4, "little")
    return (
        whole_bam(a_read(tags=TAGS), a_read()),
        whole_bam(a_read(tags=TAGS), a_read(flag=20), a_read(flag=0x104), header=told),
    )


def _signal(path: Path) -> str:
    """By the library; where it is sound, the footers must say the same number or none."""
    found = by_check(path)
    if found == SOUND:
        content, reads = path.read_bytes(), check_file(path).reads
        counted = count_reads(lambda at, size: content[at : at + size], len(content))
        assert counted in (None, reads), f"footers count {counted}, the library {reads}"
    return found


# ── tars ────────────────────────────────────────────────────────────────────────────────────────
class _Bucket:
    """One tar, and what its unpacking writes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, _key: str) -> IO[bytes]:
        return io.BytesIO(self._content)

    def stream_new(self, _key: str, content: IO[bytes], *, sha256: str) -> None:
        digest = hashlib.sha256()
        while chunk := content.read(1 << 16):
            digest.update(chunk)
        assert digest.hexdigest() == sha256, "the second look at the tar reads another file"


def _tar(content: bytes) -> None:
    """Both passes over it: what was looked at is what is unpacked."""
    raw: Any = _Bucket(content)
    head = Head(key="inbox/run-1.tar", etag="e", size=len(content), modified=now())
    found = look_at(head, raw)
    manifest, lying = manifest_of(found, run_id="run-1", created_at=head.modified, asked={})
    unpack(head, lying, Claim(manifest), raw)
    _same_when_read_again(manifest)


def _tars() -> tuple[bytes, ...]:
    sealed = a_tar(("run.json", _manifest()), ("fastq/barcode01/a.fastq.gz", GOOD))
    plain = a_tar(("fastq/a.fastq", PLAIN), ("lab.toml", LAB), ("sample_sheet.csv", SHEET))
    return GOOD_TAR, sealed, plain


# ── documents ───────────────────────────────────────────────────────────────────────────────────
SHEET = (
    "sample,barcode,role,volume_ml,batch,collected,expected_codes,notes\n"
    "pig 1,barcode01,sample,0.5,b1,2026-02-01,,ブタ\n"
    "ntc,barcode02,no_template_control,,b1,,,\n"
    "pos,barcode03,positive control,1,b1,,PCV2;PCMV,\n"
).encode()
OTHER_SHEETS = (
    b"protocol_run_id,position_id,flow_cell_id,sample_id,experiment_id,alias,barcode,type\n"
    b"a,X1,FAB1,s,e,pig,barcode01,test_sample\n",
    "sample;barcode\nブタ;barcode01\n".encode("cp932"),
    "sample\tbarcode\nÄ\tbarcode01\n".encode("utf-16"),
)
SUMMARY = (
    b"acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\nacquisition_stopped="
    b"2026-03-01T10:00:00Z\ninstrument=MN1\nflow_cell_id=FAB1\nprotocol=seq:FLO:SQK-RBK114-24\n"
    b"fastq_files_in_final_dest=3\npod5_files_in_final_dest=0\nsample_id=s\n"
)
LAB = b'laboratory = "Virology"\naddress = ["1 Street", "Town"]\nclient = "Ex Ltd"\n'


def _manifest() -> bytes:
    [sample, *_] = read_sheet(SHEET, file="s").samples
    file = input_file("fastq/barcode01/a.fastq.gz", len(GOOD), hashlib.sha256(GOOD).hexdigest())
    made = seal(
        [file],
        run_id="run-1",
        created_at=now(),
        samples=[sample],
        sequencing=parse_final_summary(SUMMARY, file="s").sequencing(),
        laboratory=parse_laboratory(LAB, file="lab.toml"),
    )
    return (
        made.model_copy(update={"created_at": made.sequencing.started_at}).canonical_json().encode()
    )


def _run_json(content: bytes) -> None:
    _same_when_read_again(parse_manifest(content, run_id="run-1"))


def _same_when_read_again(manifest: RunManifest) -> None:
    """As the worker reads it from S3, and as the ledger notes it."""
    text = manifest.canonical_json().encode()
    again = RunManifest.model_validate_json(text)
    assert again == manifest
    assert again.digest() == manifest.digest() == hashlib.sha256(text).hexdigest()
    note_of(manifest).canonical_json().encode()


def _sheet(content: bytes) -> None:
    is_minknows_record(content)
    sheet = read_sheet(content, file="sample_sheet.csv")
    for fault in sheet.faults:
        _short(fault)
    if sheet.faults:
        raise sheet.faults[0]
    files = [
        input_file(f"fastq/{s.barcode or 'x'}/{n}.fastq", 9, barcode=s.barcode)
        for n, s in enumerate(sheet.samples)
    ]
    _same_when_read_again(seal(files, run_id="run-1", created_at=now(), samples=sheet.samples))


def _summary(content: bytes) -> None:
    summary = parse_final_summary(content, file="final_summary_a.txt")
    files = [input_file("fastq/a.fastq", 9)]
    made = seal(files, run_id="run-1", created_at=now(), sequencing=summary.sequencing())
    _same_when_read_again(made)


def _lab(content: bytes) -> None:
    parse_laboratory(content, file="lab.toml")


# ── messages ────────────────────────────────────────────────────────────────────────────────────
def _event(content: bytes) -> None:
    """As the intake and both validators read it, up to where AWS is asked."""
    try:
        envelope = opened_text(content.decode())
    except UnicodeDecodeError:
        raise MessageRefused("SQS carries no such bytes.") from None
    with suppress(MessageRefused):
        stored = stored_object(envelope)
        Arrival(key=stored.key, etag=stored.etag, sequencer=stored.sequencer or stored.time)
        by_name(stored.key)
    word = upload_event(envelope)
    if word.key is not None:
        run_id, path = s3_keys.split_raw_key(word.key)
        assert run_id
        assert path


def by_name(key: str) -> None:
    """What a key alone decides, of the whole and of its part in a run."""
    path = key.split("/", 2)[-1]
    steps: tuple[Callable[[str], object], ...] = (run_id_of, asked_by, stray_of)
    for step in steps:
        with suppress(Refused):
            step(key)
    steps = (answer_of, find_kind, run_path, lambda name: input_file(name, 9))
    for step in steps:
        with suppress(Refused):
            step(path)


def _events() -> tuple[bytes, ...]:
    keys = ("runs/run-1/fastq/a.fastq.gz", "runs/run-1/run.json", "runs/run-1/layout=x/r.tar")
    made = [object_event(key, etag="0" * 32, size=9, sequencer="0" * 16) for key in keys]
    fact = FileValidated(
        fact_id="f", run_id="run-1", at=now(), path="fastq/a.fastq", size=9, reads=1, bases=4
    )
    made.append(told("FileValidated", fact.model_dump(mode="json")))
    return tuple(json.dumps(one).encode() for one in made)


# ── references ──────────────────────────────────────────────────────────────────────────────────
FASTA = b">NC_1 Porcine circovirus 2, complete genome\nACGTNRYK\nacgu\n>b\nACGT\n"


def _fasta(path: Path) -> str:
    try:
        for record in read_fasta(path):
            record.description.encode()
            record.sequence.decode("ascii")
    except BundleRefused as e:
        return _short(e)
    return SOUND


TEXT: tuple[Mutate, ...] = (mutants.by_bytes, mutants.by_words, mutants.by_lines)
PACKED = tuple(mutants.in_gzip(way) for way in TEXT)


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


FORMATS: dict[str, Format] = {
    "fastq": Format("a.fastq", _texts, TEXT, verdict),
    "gzip": Format(
        "a.fastq.gz",
        lambda: tuple(map(_packed, _texts())),
        (mutants.by_bytes, mutants.at_the_end, *PACKED),
        verdict,
    ),
    "bam": Format("a.bam", _bams, (mutants.by_bytes, mutants.in_bgzf, mutants.in_bgzf), verdict),
    # Arrow aborts at about one mutant in a thousand: that is a verdict, of the box.
    "pod5": Format(
        "a.pod5",
        lambda: (signal(),),
        (mutants.by_bytes, mutants.at_the_end, mutants.numbers),
        _signal,
        frozenset({"ReaderCrashed"}),
    ),
    "tar": Format(
        "run-1.tar", _tars, (mutants.by_bytes, mutants.by_header, mutants.by_header), _refusal(_tar)
    ),
    "run.json": Format(
        "run.json",
        lambda: (_manifest(),),
        (mutants.by_tree, mutants.by_tree, mutants.by_words, mutants.by_bytes),
        _refusal(_run_json),
    ),
    "sheet": Format(
        "sample_sheet.csv",
        lambda: (SHEET, *OTHER_SHEETS),
        (*TEXT, mutants.by_encoding),
        _refusal(_sheet),
    ),
    "summary": Format(
        "final_summary_a.txt",
        lambda: (SUMMARY,),
        (*TEXT, mutants.by_encoding),
        _refusal(_summary),
    ),
    "lab": Format("lab.toml", lambda: (LAB,), (*TEXT, mutants.by_encoding), _refusal(_lab)),
    "event": Format(
        "event.json",
        _events,
        (mutants.by_tree, mutants.by_tree, mutants.by_words, mutants.by_bytes),
        _refusal(_event),
    ),
    "fasta": Format(
        "a.fa.gz",
        lambda: (_packed(FASTA),),
        (mutants.by_bytes, mutants.at_the_end, *PACKED),
        _fasta,
    ),
}
"""By the name that the command takes."""
