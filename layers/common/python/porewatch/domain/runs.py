"""Runs, samples, input files, and the manifest that seals a run."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from porewatch.domain.base import Count, Moment, Sha256
from porewatch.domain.bounds import LEAST_AMOUNT, MOST_AMOUNT, refuse_controls
from porewatch.domain.completeness import Expected, LeftOut, LostFile
from porewatch.domain.identity import Day, Laboratory
from porewatch.domain.labels import Label
from porewatch.domain.manifest_part import ManifestPart
from porewatch.domain.sample_names import SampleName, as_seen

RUN_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"


RunId = Annotated[str, StringConstraints(pattern=RUN_ID_PATTERN)]
"""1 to 63 letters, digits, `-`, `_`; first a letter or digit (it is a key, a tag, a name)."""


Barcode = Annotated[str, StringConstraints(pattern=r"^barcode(\d{2}|[1-9]\d{2,3})[a-d]?$")]


VersionId = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""S3's name of one version of an object."""


class ReadKind(StrEnum):
    """What a file holds; also its folder under `runs/{run_id}/`."""

    POD5 = "pod5"
    FASTQ = "fastq"
    BAM = "bam"


class RunState(StrEnum):
    """Life of a run."""

    RECEIVING = "receiving"  # files arrive, nothing is sealed
    SEALED = "sealed"  # the manifest is here; some files may still be unchecked
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"  # an error of ours or of AWS; `problem` says which
    REFUSED = "refused"  # the input's fault; `problem` says what to correct
    CANCELLED = "cancelled"  # stopped by a person; `problem` says who and why
    DELETING = "deleting"  # a person deleted it; some of its data may still lie there
    DELETED = "deleted"  # nothing but this record is left of it


GONE_STATES = frozenset({RunState.DELETING, RunState.DELETED})


FINAL_STATES = GONE_STATES | {
    RunState.COMPLETED,
    RunState.FAILED,
    RunState.REFUSED,
    RunState.CANCELLED,
}


class InputFile(ManifestPart):
    """One file of a run. `path` is its place in the run, e.g. `fastq/barcode01/a.fastq.gz`; it lies
    there below `runs/{run_id}/`, or at `at` when it was uploaded in another layout."""

    always: ClassVar[frozenset[str]] = frozenset({"path", "kind", "size", "sha256", "barcode"})

    path: Annotated[str, StringConstraints(pattern=r"^(pod5|fastq|bam)/[^/\\][^\\]*$")]
    kind: ReadKind
    size: Annotated[Count, Field(description="bytes")]
    sha256: Sha256 | None = None
    barcode: Barcode | None = None
    at: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[^/\\][^\\]*$")] | None,
        Field(description="where it lies below the run's folder; None: at its path"),
    ] = None
    version: Annotated[
        VersionId | None,
        Field(description="S3's version of the object that was checked; None: not known"),
    ] = None

    @model_validator(mode="after")
    def _stays_inside(self) -> InputFile:
        for path in (self.path, self.at or ""):
            if ".." in path.split("/"):
                raise ValueError(f"path {path!r} leaves the run's folder")
            refuse_controls(path)
        return self

    @property
    def lies_at(self) -> str:
        """Below `runs/{run_id}/`."""
        return self.at or self.path


Amount = Annotated[float, Field(ge=LEAST_AMOUNT, le=MOST_AMOUNT)]


class SampleRole(StrEnum):
    SAMPLE = "sample"
    NO_TEMPLATE_CONTROL = "no_template_control"
    POSITIVE_CONTROL = "positive_control"


class ReadLimits(ManifestPart):
    """How short reads and aligned blocks may be to count; None: not set here."""

    min_read_length: Annotated[
        int | None, Field(ge=40, le=100_000, description="bases, after trimming")
    ] = None
    min_block: Annotated[
        int | None, Field(ge=40, le=10_000, description="bases of an alignment that counts")
    ] = None


class Sample(ManifestPart):
    """One row of the sample sheet. A run without barcodes has exactly one sample.

    A control without a batch speaks for the whole run, one with a batch for that batch alone.
    """

    always: ClassVar[frozenset[str]] = frozenset(
        {"name", "barcode", "role", "material", "volume_ml", "spike_copies"}
        | {"extraction_efficiency", "spike_cv", "extraction_cv"}
        | {"nucleic_acid_ng_per_ml", "nucleic_acid_cv", "expected_codes"}
    )

    name: SampleName
    barcode: Barcode | None = None
    role: SampleRole = SampleRole.SAMPLE
    batch: Annotated[
        SampleName | None, Field(description="what was extracted together; blank: the whole run")
    ] = None
    material: Literal["dna", "rna"] = "dna"
    volume_ml: Annotated[Amount | None, Field(description="extracted plasma, mL")] = None
    spike_copies: Annotated[Amount | None, Field(description="genome copies added")] = None
    extraction_efficiency: Annotated[Amount | None, Field(le=1)] = None
    spike_cv: Annotated[
        float | None, Field(gt=0, le=2, description="relative uncertainty of the copies added")
    ] = None
    extraction_cv: Annotated[
        float | None, Field(gt=0, le=2, description="relative uncertainty of the recovery")
    ] = None
    nucleic_acid_ng_per_ml: Annotated[
        Amount | None, Field(description="ng of nucleic acid extracted from a mL of plasma")
    ] = None
    nucleic_acid_cv: Annotated[
        float | None, Field(gt=0, le=2, description="relative uncertainty of that mass")
    ] = None
    expected_codes: Annotated[
        tuple[str, ...], Field(description="panel codes that a positive control must show")
    ] = ()
    min_read_length: Annotated[
        int | None, Field(ge=40, le=100_000, description="least read that counts, bases")
    ] = None
    min_block: Annotated[
        int | None, Field(ge=40, le=10_000, description="least aligned block that counts, bases")
    ] = None
    accession: Annotated[Label | None, Field(description="the laboratory's number for it")] = None
    animal: Annotated[Label | None, Field(description="the animal's number or name")] = None
    species: Annotated[Label | None, Field(description="as the requester named it")] = None
    tissue: Annotated[Label | None, Field(description="what was taken: plasma, spleen")] = None
    collected: Annotated[Day | None, Field(description="day it was taken")] = None
    received: Annotated[Day | None, Field(description="day it reached the laboratory")] = None
    requester: Annotated[Label | None, Field(description="who asked for this sample")] = None
    analyst: Annotated[Label | None, Field(description="who worked on this sample")] = None

    @model_validator(mode="after")
    def _received_after_collected(self) -> Sample:
        if self.collected and self.received and self.received < self.collected:
            raise ValueError(
                f"sample {self.name!r} was received on {self.received}, "
                f"before it was collected on {self.collected}"
            )
        return self

    def governs(self, other: Sample) -> bool:
        """Whether this control speaks for `other`."""
        return self.batch is None or self.batch == other.batch


class Sequencing(ManifestPart):
    """Metadata of the sequencing run; every field may be unknown."""

    always: ClassVar[frozenset[str]] = frozenset(
        {"instrument", "flow_cell", "kit", "basecall_model", "started_at", "acquisition_id"}
    )

    instrument: str | None = None
    flow_cell: str | None = None
    kit: str | None = None
    basecall_model: str | None = None
    started_at: Moment | None = None
    acquisition_id: str | None = None


class RunManifest(ManifestPart):
    """The seal. The same manifest can never run twice; a changed one is a new revision."""

    always: ClassVar[frozenset[str]] = frozenset(
        {"schema_version", "run_id", "created_at", "created_by", "profile", "bundle"}
        | {"release_policy", "files", "samples", "sequencing"}
    )

    schema_version: Literal["1"] = "1"
    run_id: RunId
    created_at: Moment
    created_by: str = "porewatch"
    profile: str = "default"
    bundle: str | None = None
    release_policy: Annotated[
        str, Field(description="which controls the run must have, by name in `release.json`")
    ] = "default"
    files: Annotated[tuple[InputFile, ...], Field(min_length=1)]
    samples: Annotated[tuple[Sample, ...], Field(min_length=1)]
    sequencing: Sequencing = Sequencing()
    laboratory: Laboratory | None = None
    left_out: Annotated[
        tuple[LeftOut, ...], Field(description="files that are not screened, by reason")
    ] = ()
    lost: Annotated[
        tuple[LostFile, ...], Field(description="files whose reads cannot be screened")
    ] = ()
    expected: Annotated[
        tuple[Expected, ...], Field(description="files by MinKNOW's count, where fewer came")
    ] = ()
    read_limits: Annotated[
        ReadLimits | None, Field(description="asked for the whole run, before any sheet or policy")
    ] = None

    @model_validator(mode="after")
    def _is_consistent(self) -> RunManifest:
        for what, values in (
            ("file path", [f.path for f in self.files]),
            ("sample name", [as_seen(s.name) for s in self.samples]),
            ("barcode", [s.barcode for s in self.samples if s.barcode]),
        ):
            twice = [str(v) for v, n in Counter(values).items() if n > 1]
            if twice:
                raise ValueError(f"duplicate {what}: {', '.join(sorted(twice))}")
        if len(self.samples) > 1 and any(s.barcode is None for s in self.samples):
            raise ValueError("every sample needs a barcode when there is more than one sample")
        return self

    @property
    def basecalled(self) -> bool:
        """True when no file holds raw signal."""
        return all(f.kind is not ReadKind.POD5 for f in self.files)
