"""How large a stage's disk must be: system, input, what lies beside it, and what comes out.

    GiB = SYSTEM + REFERENCES + MARGIN x input x (1 + share of the phases), and never less than the
    profile says

Shares are stated, from what the phases write: reads come out of signal as about 0.15 of its bytes
and lie there twice (as called, and by barcode); the pass over reads keeps the files being read and
small units; a report is small whatever the input.
"""

from __future__ import annotations

import math

from porewatch.domain.stage.spec import Phase, StageSpec

GIB = 2**30
SYSTEM_GIB = 20
"""Of an image whose size is not known. The launch looks it up, and adds what it has beyond this."""
REFERENCES_GIB = 20
"""The bundle, fetched whole: that of a pig takes 7 to 10 GB. Who calls bases reads none."""
LARGEST_GIB = 16_384
"""EBS makes no larger gp3 volume."""
HOST_GIB = 500
"""Every host of AWS Batch has so much (`JobHostTemplate`), whatever the stages of its jobs ask."""
MARGIN = 1.25
BESIDE = {
    Phase.BASECALLING: 0.3,
    Phase.QUALITY_CONTROL: 0.05,
    Phase.HOST_REMOVAL: 0.05,
    Phase.PATHOGEN_DETECTION: 0.05,
}
"""Bytes written for each byte of input. A stage of none of these does not fetch the reads."""


def disk_gib(spec: StageSpec, input_bytes: int) -> int:
    """GiB of the gp3 volume of this stage's machine, for `input_bytes` of the run's files."""
    shares = [BESIDE[phase] for phase in spec.phases if phase in BESIDE]
    held = input_bytes * (1 + sum(shares)) if shares else 0.0
    bundle = 0 if set(spec.phases) == {Phase.BASECALLING} else REFERENCES_GIB
    return max(spec.disk_gib, SYSTEM_GIB + bundle + math.ceil(MARGIN * held / GIB))


def after_full(disk: int, times: int, on_hosts: int) -> int:
    """GiB for a stage whose disk of `disk` GiB was full `times` times: twice as many each time.
    `on_hosts`: how many of these times a Batch job had the disk of its host.

    >>> after_full(100, 2, 0)
    400
    """
    had = max(disk, HOST_GIB) if on_hosts else disk
    return max(disk, min(LARGEST_GIB, had << times))


def on_image(disk: int, image: int) -> int:
    """GiB of a disk of `disk` for a machine whose image has a disk of `image` GiB: EC2 refuses one
    that is smaller than the image, and what the image takes is not free for the stage.

    >>> on_image(100, 60)
    140
    """
    return disk + max(0, image - SYSTEM_GIB)
