"""Codes of what happened to a run: its history, launches, machines, phases and bill.

`domain.reasons.codes` has those of results. The catalogues say each of them in words.
"""

from __future__ import annotations

from enum import StrEnum


class RunCode(StrEnum):
    """What a run's history, its phases and its bill say."""

    ORIGINAL = "original"
    """Text of AWS, of another program, or of a version that knew no code: shown as a quotation."""

    # history: events
    RUN_SEALED = "run_sealed"
    RUN_STARTED = "run_started"
    RUN_COMPLETED = "run_completed"
    RUN_WITHOUT_RESULT = "run_without_result"
    PATHOGEN_SUSPECTED = "pathogen_suspected"
    SUSPICION_CONFIRMED = "suspicion_confirmed"
    SUSPICION_WITHDRAWN = "suspicion_withdrawn"
    SUSPICION_UNCONFIRMED = "suspicion_unconfirmed"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_ESCALATED = "alert_escalated"
    PHASE_ENDED = "phase_ended"
    NO_MACHINE_FROM = "no_machine_from"
    MACHINE_LAUNCHED = "machine_launched"
    WORK_BEGAN = "work_began"
    MACHINE_INTERRUPTED = "machine_interrupted"
    STAGE_PUBLISHED = "stage_published"
    STAGE_RETRIED = "stage_retried"
    STAGE_GIVEN_UP = "stage_given_up"
    STAGE_STALLED = "stage_stalled"
    MACHINE_ENDED = "machine_ended"

    # history: details
    SEALED_WITH = "sealed_with"
    STARTED_WITH = "started_with"
    FINDINGS = "findings"
    READS_SO_FAR = "reads_so_far"
    OF_SUSPICION = "of_suspicion"
    ACKNOWLEDGED_BY = "acknowledged_by"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NEXT = "next"
    LAUNCHED_AS = "launched_as"
    EPOCH_ON = "epoch_on"
    EPOCH = "epoch"
    NOTHING_KEPT = "nothing_kept"
    KEPT_UP_TO = "kept_up_to"
    ERROR_SAYS = "error_says"
    STILL_SINCE = "still_since"
    ENDED_AFTER = "ended_after"
    ENDED_AS = "ended_as"
    HELD_IN_VAIN = "held_in_vain"
    CANCELLED = "cancelled"
    CANCELLED_BY = "cancelled_by"
    NO_REASON_GIVEN = "no_reason_given"

    # what is done about an error
    RETRY = "retry"
    CANNOT_HELP = "cannot_help"
    GIVEN_UP = "given_up"
    FROM_CHECKPOINT = "from_checkpoint"
    WITH_TWICE_THE_DISK = "with_twice_the_disk"
    ASKED_AGAIN_SECONDS = "asked_again_seconds"
    ASKED_AGAIN_MINUTES = "asked_again_minutes"

    # launches: the rungs, and what they gave
    SPOT = "spot"
    SPOT_WIDER = "spot_wider"
    ON_DEMAND = "on_demand"
    ON_DEMAND_BECAUSE = "on_demand_because"
    BATCH_QUEUE = "batch_queue"
    BATCH_QUEUE_BECAUSE = "batch_queue_because"
    EC2_ALONE = "ec2_alone"
    ON_EC2 = "on_ec2"
    ASK_ALL_AGAIN = "ask_all_again"
    RUN_ENDS = "run_ends"
    OFTEN_INTERRUPTED = "often_interrupted"
    LITTLE_LEFT = "little_left"
    LITTLE_TIME = "little_time"
    POOLS_REFUSED = "pools_refused"
    FLEET_GAVE_NO_REASON = "fleet_gave_no_reason"
    NO_MACHINE = "no_machine"
    NO_RUNG = "no_rung"
    RUNG_SAYS = "rung_says"

    # machines that are lost
    MACHINE_RECLAIMED = "machine_reclaimed"
    MACHINE_UNKNOWN = "machine_unknown"
    MACHINE_NEVER_BEGAN = "machine_never_began"
    MACHINE_NOT_FINISHED = "machine_not_finished"
    MACHINE_SILENT = "machine_silent"
    MACHINE_STALLED = "machine_stalled"
    MACHINE_IS = "machine_is"
    MACHINE_IS_BECAUSE = "machine_is_because"
    JOB_WAITED = "job_waited"
    JOB_WAITED_BECAUSE = "job_waited_because"

    # phases
    CAME_BASECALLED = "came_basecalled"
    CAME_BASECALLED_BY = "came_basecalled_by"
    BASECALLED_BY_HEADERS = "basecalled_by_headers"
    BASECALLED_UNNAMED = "basecalled_unnamed"
    BASECALLED_HERE = "basecalled_here"
    NOT_BASECALLED_HERE = "not_basecalled_here"
    FILES_WITHOUT_READS = "files_without_reads"
    COUNTED_EARLIER = "counted_earlier"
    DORADO = "dorado"
    IMPORTED_READS = "imported_reads"
    MAPPY_ONE_PASS = "mappy_one_pass"  # noqa: S105 - no secret
    SPIKE_HOST_YIELD = "spike_host_yield"

    # bill and carbon
    BILL_BEFORE_LAST_MACHINE = "bill_before_last_machine"
    BILL_BY_LIST_PRICE = "bill_by_list_price"
    PRICES_SETTLED = "prices_settled"
    PRICES_VERIFIED = "prices_verified"
    PRICES_UNVERIFIED = "prices_unverified"
    NO_GRID = "no_grid"
    NOT_COVERED = "not_covered"
    CHIP_UNKNOWN = "chip_unknown"
    TYPE_UNKNOWN = "type_unknown"
