"""Figures of nothing, of one thing and of ten thousand."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.pages.results.findings import findings
from porewatch_worker.report.pages.results.samples import accounting
from porewatch_worker.report.parts.document import Figure, Figures, Section
from tests.web import made_up


@pytest.mark.parametrize("contigs", [0, 1, 10_000])
def test_a_finding_is_drawn_however_many_contigs_its_genome_has(contigs: int) -> None:
    """A draft assembly of a bacterium has hundreds."""
    inputs = made_up.rich()
    one = made_up.coverage("contig", 5_000, 4.0)
    many = tuple(one.model_copy(update={"contig": f"contig_{n}"}) for n in range(contigs))
    changed = tuple(
        f.model_copy(update={"evidence": f.evidence.model_copy(update={"coverage": many})})
        if f.evidence
        else f
        for f in inputs.quantification.findings
    )
    counted = inputs.quantification.model_copy(update={"findings": changed})
    report = assemble(replace(inputs, quantification=counted))
    figures = _figures(findings(report))
    assert bool(figures) == bool(contigs)
    for figure in figures:
        assert len(figure.svg) < 100_000
        places = re.findall(r'(?:x1|x2|d|x)="([^"]*)"', figure.svg)
        across = [float(n) for place in places for n in re.findall(r"-?[0-9.]+", place)]
        assert across and min(across) >= 0 and max(across) <= 760
        assert ("9988 contigs" in figure.caption) == (contigs > 1)


@pytest.mark.parametrize("samples", [0, 1, 10_000])
def test_where_reads_went_is_drawn_however_many_samples_there_are(samples: int) -> None:
    report = assemble(made_up.clean())
    one = report.screens[0]
    many = tuple(one.model_copy(update={"sample": f"pig-{n}"}) for n in range(samples))
    drawn = accounting(report.model_copy(update={"screens": many}))
    assert sum(f.svg.count(">pig-") for f in _figures(drawn)) == samples


def _figures(section: Section) -> list[Figure]:
    here = [f for block in section.blocks if isinstance(block, Figures) for f in block.figures]
    return here + [f for part in section.parts for f in _figures(part)]
