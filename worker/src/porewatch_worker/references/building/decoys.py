"""Near relatives: which rows of a bundle lack the decoys that their list names for them.

Without its relative beside it, a row takes the relative's reads as its own kind of evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from porewatch.domain.calls.panel import Panel
from porewatch.domain.calls.references import (
    BundleManifest,
    ContigRole,
)
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.panel import read_panel


def list_of(root: Path, bundle: BundleManifest) -> Panel:
    """The list that a bundle was built with. Raises BundleRefused when it cannot be read."""
    return read_panel(bundle_folder(root, bundle.ref) / bundle.files["panel_list"].path)


def missing_decoys(bundle: BundleManifest, panel: Panel) -> Iterator[str]:
    """One line for each row that the bundle screens for and whose relatives it does not hold.

    A relative counts whichever part it plays: it may be screened for itself.
    """
    there = {contig.target for contig in bundle.contigs}
    screened = {c.target for c in bundle.contigs if c.role is ContigRole.PANEL}
    for entry in panel.entries:
        missing = [name for name in entry.decoys if name not in there]
        if entry.code in screened and missing:
            yield (
                f"{entry.code} is screened without {', '.join(missing)}: "
                "reads of so near a relative may count for it"
            )
