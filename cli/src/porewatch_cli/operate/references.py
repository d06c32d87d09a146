"""`porewatch references`: build, list and verify local bundles."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain.calls.references import BundleManifest, ContigRole
from porewatch.domain.errors import BundleRefused, PorewatchError
from porewatch_cli.home import home
from porewatch_cli.links import file_link
from porewatch_cli.plurals import plural
from porewatch_cli.terminal import console, errors, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def build_here(
    name: str,
    folder: Path | None,
    *,
    accessions: Path | None,
    fetch_known: bool,
    email: str,
    unconfirmed: bool,
    sheet: Path | None,
    description: str,
    references: Path | None,
    as_json: bool,
) -> None:
    """Build a bundle from a folder of FASTA, or by accession from NCBI."""
    from porewatch_worker.references.building.build import build_bundle  # noqa: PLC0415 - loads minimap2
    from porewatch_worker.references.building.sheet import not_read  # noqa: PLC0415
    from porewatch_worker.references.installed import bundle_folder  # noqa: PLC0415

    wanted, _, version = name.partition("@")
    if not version:
        raise BundleRefused(f"{name!r} has no version.", remedy="write NAME@VERSION, e.g. pig@1.")
    with tempfile.TemporaryDirectory() as scratch:
        if accessions or fetch_known:
            folder = folder or Path(scratch)
            sheet = _fetch(accessions, folder, email, unconfirmed)
        if folder is None:
            raise BundleRefused(
                "there is nothing to build from.",
                remedy="give --from FOLDER, --accessions FILE or --fetch.",
            )
        made = build_bundle(
            folder,
            references or home() / "references",
            wanted,
            version,
            sheet=sheet,
            description=description,
        )
        unread = not_read(folder)
    for path in unread:
        errors.print(f"skipped, no FASTA by its name: {path}")
    if references is None:
        _record_where_up(made)
    if as_json:
        print_json(made)
        return
    _show([made])
    place = bundle_folder(references or home() / "references", made.ref)
    size = sum(file.size for file in made.every_file)
    console.print(Text.assemble(file_link(place), f", {size / 1e6:,.1f} MB"), soft_wrap=True)


def list_here(references: Path | None, *, as_json: bool) -> None:
    """List all local bundles."""
    from porewatch_worker.references.installed import list_bundles  # noqa: PLC0415

    found = list_bundles(references or home() / "references")
    if as_json:
        print_json(found)
    elif found:
        _show(found)
    else:
        console.print("no bundles yet; `porewatch references build` creates one")
    if not as_json and (count := _pushed_here()):
        console.print(f"pushed to the embedded AWS: {count} (porewatch references list --pushed)")


def verify_here(bundle: str, references: Path | None, *, as_json: bool) -> None:
    """Hash every file of a bundle and compare with its manifest."""
    from porewatch_worker.references.building.decoys import (  # noqa: PLC0415
        list_of,
        missing_decoys,
    )
    from porewatch_worker.references.verify import verify_bundle  # noqa: PLC0415

    root = references or home() / "references"
    manifest = verify_bundle(root, bundle)
    for line in missing_decoys(manifest, list_of(root, manifest)):
        errors.print(Text.assemble(("no decoy", "yellow"), f": {line}"))
    if as_json:
        print_json(manifest)
    else:
        summary = f": {manifest.ref}, {plural(len(manifest.files), 'file')}"
        console.print(Text.assemble(("valid", "green"), summary))


def _embedded_if_up() -> Stack | None:
    """The embedded AWS of this folder, if it exists and runs, and boto3 is installed."""
    try:
        from porewatch_cli.stack import find_stack  # noqa: PLC0415 - building takes no AWS
    except ModuleNotFoundError:
        return None
    try:
        return find_stack()
    except PorewatchError:
        return None


def _record_where_up(made: BundleManifest) -> None:
    """Register a new bundle with the embedded AWS of this folder, if it runs."""
    if (embedded := _embedded_if_up()) is None:
        return  # once it runs, it lists its folder itself
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from porewatch_cli.submit.choices import record_bundles  # noqa: PLC0415

    with suppress(PorewatchError, ClientError, BotoCoreError):
        record_bundles(embedded, [made], "porewatch references build")


def _pushed_here() -> int:
    """The number of bundles pushed to the embedded AWS of this folder, if it runs."""
    if (embedded := _embedded_if_up()) is None:
        return 0
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        return len(embedded.bundles.all()) if embedded.bundles is not None else 0
    except (PorewatchError, ClientError, BotoCoreError):
        return 0


def _fetch(accessions: Path | None, folder: Path, email: str, unconfirmed: bool) -> Path:
    from porewatch_worker.references.building.fetch import (  # noqa: PLC0415
        Entrez,
        fetch,
        not_chosen,
        read_accessions,
        shipped_accessions,
    )
    from porewatch_worker.references.panel import shipped_panel  # noqa: PLC0415

    wanted = read_accessions(accessions) if accessions else shipped_accessions()
    for line in not_chosen(wanted, shipped_panel()):
        errors.print(f"no sequence: {line}")
    return fetch(
        wanted,
        folder,
        Entrez(email=email),
        unconfirmed=unconfirmed,
        on_line=errors.print,
    )


def _show(bundles: list[BundleManifest]) -> None:
    numeric = ("panel targets", "decoys", "host bases")
    shown = table("", "bundle", "kind", *numeric, "description", numeric=numeric)
    for one in bundles:
        targets = {c.target for c in one.contigs if c.role is ContigRole.PANEL}
        decoys = {c.target for c in one.contigs if c.role is ContigRole.DECOY}
        shown.add_row(
            one.ref,
            "SYNTHETIC" if one.synthetic else "real",
            str(len(targets)),
            str(len(decoys)),
            f"{one.host_bases:,}",
            one.description,
        )
    console.print(shown)
