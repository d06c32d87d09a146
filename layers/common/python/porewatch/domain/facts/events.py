"""The registry of facts: what happened, past participle, in the order of a run's life.

Class name = detail-type on the bus = folder in `events/`. The classes are in `fact.py` (base),
`run_facts.py`, `stage_facts.py` and `alert_facts.py`; a new fact is added to `FACTS` here.
"""

from __future__ import annotations

from porewatch.domain.facts.alert_facts import (
    AlertAcknowledged,
    AlertEscalated,
    PathogenSuspected,
    SuspicionConfirmed,
    SuspicionUnconfirmed,
    SuspicionWithdrawn,
)
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    FileQuarantined,
    FileValidated,
    HoldReleased,
    ObjectAnswered,
    ReportSigned,
    RunCancelled,
    RunCompleted,
    RunDeleted,
    RunFailed,
    RunHeld,
    RunRefused,
    RunSealed,
    RunStands,
    RunStarted,
)
from porewatch.domain.facts.stage_facts import (
    BudgetReached,
    InstanceLaunched,
    InstanceTerminated,
    LaunchRefused,
    PhaseCompleted,
    SpotInterrupted,
    StageClaimed,
    StageCompleted,
    StageFailed,
    StageStalled,
)

FACTS: dict[str, type[Fact]] = {
    cls.__name__: cls
    for cls in (
        FileValidated,
        FileQuarantined,
        ObjectAnswered,
        RunSealed,
        RunStarted,
        RunRefused,
        LaunchRefused,
        InstanceLaunched,
        StageClaimed,
        PhaseCompleted,
        SpotInterrupted,
        StageCompleted,
        StageFailed,
        StageStalled,
        InstanceTerminated,
        BudgetReached,
        PathogenSuspected,
        SuspicionConfirmed,
        SuspicionWithdrawn,
        SuspicionUnconfirmed,
        AlertAcknowledged,
        AlertEscalated,
        RunCompleted,
        RunFailed,
        RunCancelled,
        RunStands,
        ReportSigned,
        RunHeld,
        HoldReleased,
        RunDeleted,
    )
}
