"""Whatever lands in the bucket is answered: reads are checked where they lie, the rest is named."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.inputs.file_names import (
    Landed,
    classify,
)
from porewatch.domain.inputs.landing.answers import (
    Treatment,
    answer_of,
)
from porewatch.domain.records.file_record import FileState
from porewatch.domain.runs import RunManifest, RunState
from porewatch.usecases.views.show_runs import show_run
from porewatch_cli.submit.collect_run import collect_run
from porewatch_local.stack_template.event_patterns import matches
from porewatch_local.stack_template.template import Template
from tests.functional.conftest import Mail, executions
from tests.functional.doors import created, keys, put, send
from tests.mocked import facts_in

ROOT = Path(__file__).resolve().parents[2]
RULES = Template.load(ROOT / "template.yaml").of_type("AWS::Events::Rule")
RUN = "20260301_1200_X1_FAX00001_abcdef01"
SUMMARY = (
    b"acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\ninstrument=MN1\n"
    b"flow_cell_id=FAX00001\nfastq_files_in_final_dest=3\n"
)
SHEET = b"alias,barcode,type\npig,barcode01,test_sample\nntc,barcode02,no_template_control\n"


def reads(barcode: str, number: int) -> bytes:
    lines = (f"@{barcode}-{number}-{n}\n{'ACGT' * 8}\n+\n{'I' * 32}\n" for n in range(3))
    return gzip.compress("".join(lines).encode(), mtime=0)


TREE = {
    "fastq_pass/barcode01/FAX00001_pass_barcode01_abcdef01_0.fastq.gz": reads("barcode01", 0),
    "fastq_pass/barcode02/FAX00001_pass_barcode02_abcdef01_0.fastq.gz": reads("barcode02", 0),
    "fastq_fail/barcode01/FAX00001_fail_barcode01_abcdef01_0.fastq.gz": reads("barcode01", 1),
    "report_FAX00001.html": b"<html>",
    "sequencing_summary_FAX00001_abcdef01.txt": b"a\tb\n",
    "sample_sheet.csv": SHEET,
    ".DS_Store": b"x",
}
WAKES = {
    "FilesRule": "fastq_validator",
    "SealsRule": "pipeline_orchestrator",
    "BundlesRule": "bundle_unpacker",
}


def woken_by(key: str) -> list[str]:
    """Functions that the template's own rules wake for an object."""
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "raw"}, "object": {"key": key}},
    }
    return [
        function
        for rule, function in WAKES.items()
        if matches(RULES[rule]["EventPattern"], event, {"RawBucket": "raw"})
    ]


def land(key: str, content: bytes) -> None:
    """Put it, and invoke the functions of the rules that match."""
    event = put(key, content)
    for function in woken_by(key):
        send(function, event)


def finish(run_id: str) -> RunManifest:
    """The summary comes last, and after it the seal it makes."""
    land(f"runs/{run_id}/exp/sample/{RUN}/final_summary_FAX00001_a_b.txt", SUMMARY)
    send("pipeline_orchestrator", created(s3_keys.seal_key(run_id)))
    return Objects("raw").get_json(s3_keys.seal_key(run_id), RunManifest)


EVERY_KIND = {
    "fast5/a.fast5": Landed.SIGNAL_OLD,
    f"exp/sample/{RUN}/fast5_pass/a.fast5": Landed.SIGNAL_OLD,
    "notes/plan.docx": Landed.UNKNOWN,
    "reads.fasta": Landed.UNREADABLE,
    "x/aligned.cram": Landed.UNREADABLE,
    "fastq_fail/a.fastq": Landed.FAILED,
    "bam_pass/a.bam.bai": Landed.INDEX,
    "run_report.pdf": Landed.RECORD,
    "animals.xlsx": Landed.TABLE,
    "Thumbs.db": Landed.LEFTOVER,
    ".snapshot/a.fastq": Landed.HIDDEN,
    "copy/run.json": Landed.MANIFEST,
    "sample_sheet_FAX1.csv": Landed.SHEET,
    "Final_Summary_x.TXT": Landed.SUMMARY,
    "lab.toml": Landed.LABORATORY,
}


@pytest.mark.parametrize("key", [
    *(f"runs/r/{path}" for path in EVERY_KIND), "runs/r/run.json", "runs/r/a/final_summary_x.txt",
    "runs/r/pod5_pass/barcode01/a.pod5", "inbox/pig.tar", "inbox/x.docx", "input.tar",
    "somewhere/input.tar", "runs/r/input.tar", "loose.fastq",
])  # fmt: skip
def test_every_object_wakes_exactly_one_function(key: str) -> None:
    assert len(woken_by(key)) == 1


@pytest.mark.parametrize("key", ["quarantine/runs/r/fastq/a.fastq", "manifests/r/ab.json"])
def test_what_we_write_ourselves_wakes_nobody(key: str) -> None:
    assert woken_by(key) == []


def test_every_kind_of_object_has_an_answer() -> None:
    assert {classify(path) for path in EVERY_KIND} == set(Landed) - {Landed.READS}
    assert all(answer_of(path) for path in EVERY_KIND)


@pytest.mark.parametrize(("path", "what"), EVERY_KIND.items(), ids=list(EVERY_KIND))
def test_an_object_that_is_no_reads_is_answered_once_a_kind(
    cloud: Table, runs: RunLedger, path: str, what: Landed
) -> None:
    for copy in range(3):
        folder, _, name = path.rpartition("/")
        land(f"runs/r/{folder}{'/' if folder else ''}{name}", bytes([copy]))
    assert facts_in(cloud, "r").count("ObjectAnswered") == 1
    (answer,) = runs.answers("r")
    assert answer.path == path and answer.problem.endswith(".")
    assert (answer.verdict in (Treatment.REFUSED, Treatment.NOT_UNDERSTOOD)) == (
        what in (Landed.SIGNAL_OLD, Landed.UNREADABLE, Landed.UNKNOWN)
    )
    assert answer.verdict is Treatment.TAKEN or answer.remedy or what in (
        Landed.RECORD, Landed.FAILED, Landed.INDEX, Landed.LEFTOVER,
    )  # fmt: skip
    assert keys("quarantine/") == [], "it is not moved"
    assert [a.path for a in show_run("r", runs=runs).answers] == [path]


def test_old_signal_is_refused_by_name_with_the_remedy_and_one_mail(
    cloud: Table, runs: RunLedger, notices: Mail
) -> None:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.domain.notices.run_notices import notice_of

    for number in range(5):
        land(f"runs/r/fast5/{number}.fast5", b"\x89HDF")
    (answer,) = runs.answers("r")
    assert "pod5 convert fast5" in answer.remedy and answer.act
    found = [notice_of(f, str) for f in StageLedger(cloud).facts("r", 0)]
    assert [n[1].subject for n in found if n] == ["Files of run r cannot be read"]


def test_a_minknow_tree_as_it_uploads_gives_the_manifest_of_submit(
    cloud: Table, runs: RunLedger, tmp_path: Path
) -> None:
    for path, content in TREE.items():
        land(f"runs/r/exp/sample/{RUN}/{path}", content)
        local = tmp_path / "exp/sample" / RUN / path
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(content)
    (tmp_path / "exp/sample" / RUN / "final_summary_FAX00001_a_b.txt").write_bytes(SUMMARY)
    sealed = finish("r")
    sent = collect_run(tmp_path, run_id="r").manifest

    def compared(manifest: RunManifest) -> list[tuple[Any, ...]]:
        return [(f.path, f.kind, f.size, f.sha256, f.barcode) for f in manifest.files]

    assert compared(sealed) == compared(sent)
    assert sealed.samples == sent.samples and sealed.sequencing.flow_cell == "FAX00001"
    assert {f.lies_at.split("/")[-3] for f in sealed.files} == {"fastq_pass"}
    assert [f.lies_at for f in sent.files] == [f.path for f in sent.files]
    assert runs.get("r").state is RunState.RUNNING
    assert len(executions()) == 1
    kinds = {answer.kind for answer in runs.answers("r")}
    assert kinds == {"failed", "record", "sheet", "leftover"}
    assert len([k for k in keys("runs/r/") if "fastq_pass" in k]) == 2, "nothing was moved"


def test_damaged_reads_of_a_tree_are_set_aside_and_notified(cloud: Table, runs: RunLedger) -> None:
    path = f"exp/s/{RUN}/fastq_pass/barcode01/x.fastq.gz"
    land(f"runs/r/{path}", reads("barcode01", 0)[:-9])
    record = runs.files_of("r")[path]
    assert record.state is FileState.QUARANTINED
    assert keys("quarantine/") == [f"quarantine/runs/r/{path}"]


def test_signal_in_the_seeds_own_folder_is_taken(cloud: Table, runs: RunLedger) -> None:
    from validation.shared_data import real

    land("runs/r/fast5/a.pod5", real("signal/multi_fast5_zip.pod5").read_bytes())
    record = runs.files_of("r")["fast5/a.pod5"]
    assert (record.state, record.kind.value, record.reads) == (FileState.VALID, "pod5", 10)
    assert runs.answers("r") == ()


def test_what_lies_outside_of_every_run_is_notified_once_a_kind_and_folder(
    cloud: Table, notices: Mail
) -> None:
    for number in range(3):
        land(f"inbox/pig-{number}.tar.gz", b"x")
        land(f"loose-{number}.fastq", b"x")
    bodies = [mail["Message"] for mail in notices()]
    assert len(bodies) == 2
    assert any("plain tar" in body for body in bodies)
    assert any("belongs to no run" in body for body in bodies)
    assert len(keys("")) == 6
