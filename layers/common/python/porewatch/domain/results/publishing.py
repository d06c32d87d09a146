"""Publishing at the end of a run: outputs and their content types, joined stages, settled bill."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from porewatch.domain.base import Moment
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.errors import WorkerFailed
from porewatch.domain.money.carbon import Factors
from porewatch.domain.money.cost import (
    Bill,
    CostLine,
    make_bill,
)
from porewatch.domain.reasons.catalogue import in_language, languages
from porewatch.domain.reasons.reason import Reason, RunCode, because
from porewatch.domain.results.run_results import RunResults
from porewatch.domain.stage.manifest import OutputFile, StageManifest
from porewatch.domain.stage.state_machine_tasks import Finish

SCREEN, QUANTIFICATION, REPORT = "screen.json", "quantification.json", "report.json"
REPORTS = {
    "report.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    "report.pdf": "application/pdf",
}
"""The three reports, by name of the output, with their content types."""
TABLES = {"tables.zip": "application/zip"}
"""Every number of the report as TSV (docs/tables.md); published when the stage made it."""
_OF_SAMPLE = re.compile(r"report-[A-Za-z0-9_-]+(\.[a-z]{2,3})?\.pdf")
BILL = "bill.json"
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
_SUM = re.compile(r"([0-9a-f]{64})  (\S.*)")


def outputs_of(manifests: Iterable[StageManifest]) -> dict[str, OutputFile]:
    """Every published file by name; a later stage's file of the same name takes its place."""
    return {name: file for manifest in manifests for name, file in manifest.outputs.items()}


def is_of_sample(name: str) -> bool:
    """Whether an output is the report of one sample: `report-KEY.pdf`, `report-KEY.ja.pdf`.

    >>> is_of_sample('report-donor-1.pdf'), is_of_sample('report.pdf')
    (True, False)
    """
    return bool(_OF_SAMPLE.fullmatch(name))


def translated() -> dict[str, str]:
    """The pages in the other languages, with their content types; published when the stage made
    them (older workers made fewer)."""
    return {
        in_language(name, language): kind
        for language in languages()[1:]
        for name, kind in REPORTS.items()
        if name != REPORT
    }


def content_types(outputs: Iterable[str]) -> dict[str, str]:
    """What is published beside the bill -> its content type: the reports of the run whether or not
    a stage made them, and of `outputs` those that not every worker makes."""
    known = translated() | TABLES
    more = {name: known[name] for name in outputs if name in known}
    own = {name: "application/pdf" for name in outputs if is_of_sample(name)}
    return REPORTS | more | own


def type_of(name: str) -> str:
    """The content type of a page of a report, by the end of its name."""
    return REPORTS[f"report.{name.rsplit('.', 1)[-1]}"]


def need(outputs: dict[str, OutputFile], name: str) -> OutputFile:
    """The file `name`. Raises WorkerFailed: a stage that was published without it has a fault."""
    if name not in outputs:
        there = ", ".join(sorted(outputs)) or "nothing"
        raise WorkerFailed(f"no stage published {name} (there is: {there}).", file=name)
    return outputs[name]


def sums_of(contents: Mapping[str, bytes]) -> str:
    """SHA-256 of each file, a line each, as `sha256sum` writes them.

    >>> sums_read(sums_of({"a b.pdf": b""}) + "nonsense")
    {'a b.pdf': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}
    """
    lines = (f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))
    return "".join(lines)


def sums_read(text: str) -> dict[str, str]:
    """The same, read; other lines are passed over."""
    found = (_SUM.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in found if match}


def join(
    task: Finish,
    manifests: Sequence[StageManifest],
    screen: ScreenResult,
    counted: Quantification,
) -> RunResults:
    """All stages in one object."""
    return RunResults(
        run_id=task.run_id,
        revision=task.revision,
        bundle=screen.bundle,
        bundle_sha256=screen.bundle_sha256,
        synthetic=screen.synthetic,
        phases=tuple(phase for manifest in manifests for phase in manifest.phases),
        outputs=outputs_of(manifests),
        screens=screen.samples,
        unlisted_barcodes=screen.unlisted_barcodes,
        findings=counted.findings,
        outcomes=counted.outcomes,
        alarms=counted.alarms,
    )


def settled_bill(
    lines: Sequence[CostLine],
    *,
    prices: Reason,
    as_of: Moment,
    interruptions: int = 0,
    factors: Factors | None = None,
) -> Bill:
    """The bill with every machine's seconds."""
    return make_bill(
        lines,
        prices=(prices,),
        as_of=as_of,
        remarks=(because(RunCode.BILL_BY_LIST_PRICE),),
        interruptions=interruptions,
        factors=factors,
    )
