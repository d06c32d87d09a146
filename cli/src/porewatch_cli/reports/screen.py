"""`porewatch screen`: run the worker's phases in this process."""

from __future__ import annotations

from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from porewatch.domain.errors import BundleRefused
from porewatch.domain.results.report import Report
from porewatch.domain.runs import ReadLimits
from porewatch.domain.stage import record, screening_parameters
from porewatch_cli.links import file_link
from porewatch_cli.plurals import plural
from porewatch_cli.reports.report_files import (
    of_samples,
    other_files,
    report_files,
)
from porewatch_cli.reports.summary import show_report
from porewatch_cli.terminal import console, errors, print_json
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.report.sample_files import sample_files


def screen_here(
    reads: list[Path],
    *,
    references: Path,
    out: Path,
    bundle: str | None,
    sample_sheet: Path | None,
    lab: Path | None = None,
    threads: int,
    as_json: bool,
    language: Language = SOURCE,
    release_policy: str = "default",
    read_limits: ReadLimits | None = None,
) -> Report:
    """Screen `reads`; write report.json, and .html and .pdf in each language, to `out`."""
    from porewatch_worker.local.run import screen_locally  # noqa: PLC0415 - loads minimap2

    root, ref = locate(references, bundle)
    with _bar(disable=as_json) as bar:
        task = bar.add_task("starting", total=None, doing="")

        def show(progress: record.Progress) -> None:
            counted = (
                f"{plural(progress.units_done, 'unit')}, {plural(progress.reads, 'read')}, "
                f"{progress.bases / 1e6:,.1f} Mb"
            )
            bar.update(
                task,
                description=progress.phase.value.replace("_", " "),
                completed=progress.units_done,
                total=progress.units_total,
                doing=progress.note or counted,
            )

        done = screen_locally(
            reads,
            references_root=root,
            bundle=ref,
            out=out,
            sample_sheet=sample_sheet,
            lab=lab,
            release_policy=release_policy,
            read_limits=read_limits,
            parameters=screening_parameters.ScreeningParameters(threads=threads),
            progress=show,
        )
    for line in done.left_out:
        errors.print(line)
    report = Report.model_validate_json((out / "report.json").read_bytes())
    if as_json:
        print_json(report)
        return report
    show_report(report, language=language)
    console.print()
    for name in report_files(language):
        console.print(Text.assemble(f"{name:>14}  ", file_link(out / name)), soft_wrap=True)
    if others := other_files(language, out):
        console.print(f"{'also':>14}  {', '.join(others)}", soft_wrap=True)
    if single := set(sample_files(report)):
        console.print(of_samples(single, str(out)), soft_wrap=True)
    return report


def locate(references: Path, bundle: str | None) -> tuple[Path, str]:
    """(folder of bundles, name@version) of `references`: a bundle's own folder, or the folder of
    bundles, where `bundle` may be None if it holds a single one."""
    from porewatch_worker.references.installed import list_bundles  # noqa: PLC0415

    own = references / "bundle.json"
    if own.is_file():
        ref = "@".join(references.resolve().parts[-2:])
        if bundle not in (None, ref):
            raise BundleRefused(
                f"this is the folder of {ref}, but --bundle is {bundle}.",
                file=str(references),
                remedy="omit --bundle, or give the folder that holds all bundles.",
            )
        return references.resolve().parent.parent, ref
    if bundle is not None:
        return references, bundle
    installed = [found.ref for found in list_bundles(references)]
    if len(installed) == 1:
        return references, installed[0]
    raise BundleRefused(
        f"there are {len(installed)} bundles ({', '.join(installed)})."
        if installed
        else "there is no bundle.",
        file=str(references),
        remedy="add --bundle NAME@VERSION."
        if installed
        else "build one with `porewatch references build`.",
    )


def _bar(*, disable: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:>20}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[doing]}", markup=False),
        TimeElapsedColumn(),
        console=errors,
        disable=disable,
        transient=True,
    )
