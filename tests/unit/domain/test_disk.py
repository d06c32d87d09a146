"""A machine's disk holds what its stage fetches and writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.stage.disk_size import (
    HOST_GIB,
    after_full,
    disk_gib,
)
from porewatch.domain.stage.spec import Phase, StageSpec
from porewatch_local.stack_template.template import Template

GIB = 2**30


def spec(*phases: Phase) -> StageSpec:
    return StageSpec(name="x", phases=phases, instance_types=("m5.large",), disk_gib=50)


@pytest.mark.parametrize(
    ("phases", "gib", "size"),
    [
        ((Phase.HOST_REMOVAL,), 1, 50),  # the profile's least
        ((Phase.HOST_REMOVAL,), 100, 20 + 20 + 132),  # a bundle; 100 x 1.05 x 1.25 = 131.25
        ((Phase.BASECALLING,), 1000, 20 + 1625),  # a terabyte of signal
        ((Phase.QUANTIFICATION, Phase.REPORTING), 1000, 50),  # fetches no reads
    ],
)
def test_the_disk_grows_with_what_the_stage_fetches(
    phases: tuple[Phase, ...], gib: int, size: int
) -> None:
    assert disk_gib(spec(*phases), gib * GIB) == size


@pytest.mark.parametrize(
    ("disk", "times", "then"),
    [(100, 0, 100), (100, 1, 200), (100, 2, 400), (9000, 1, 16384), (20000, 1, 20000)],
)
def test_a_disk_that_was_full_doubles_as_far_as_volumes_go(
    disk: int, times: int, then: int
) -> None:
    assert after_full(disk, times, 0) == then


@pytest.mark.parametrize(
    ("disk", "times", "on_hosts", "then"),
    [(100, 1, 0, 200), (100, 1, 1, 1000), (100, 2, 1, 2000), (600, 1, 1, 1200)],
)
def test_a_full_disk_of_a_batch_host_was_as_large_as_hosts_have_it(
    disk: int, times: int, on_hosts: int, then: int
) -> None:
    assert after_full(disk, times, on_hosts) == then


def test_hosts_of_the_template_have_the_disk_that_launches_count_on() -> None:
    template = Template.load(Path(__file__).parents[3] / "template.yaml")
    data = template.resources["JobHostTemplate"]["Properties"]["LaunchTemplateData"]
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["VolumeSize"] == HOST_GIB
