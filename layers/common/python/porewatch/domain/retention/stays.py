"""What is kept when a run is deleted: shown before and after, and in docs/ending-runs.md."""

from __future__ import annotations

STAYS = (
    "the run's id with this deletion: who, when, why, how much, what the run had cost, the digests "
    "of its manifests, and its earlier legal holds (ledger)",
    "its id and the heads of its reports' audit trails, in the signed records of days (ledger)",
    "signatures of its reports: names of signers and samples, times, digests (ledger, and copies "
    "in the reports bucket; where tiers are paid for these are kept, elsewhere they expire)",
    "the lines of its bill: machines, seconds and USD, no data of samples (registry, table costs)",
    "facts in the event archive, with names of files and samples, until ArchiveDays have passed",
    "logs of the functions until LogDays have passed, and the history of executions for 90 days",
    "backups: 35 days of the ledger, 7 days of the registry",
    "keys by which a message is sent only once, with names of files and samples, for 400 days",
    "messages that were sent, and whatever somebody downloaded",
)

KEPT_FACTS = ("RunHeld", "HoldReleased", "RunDeleted")
"""Facts of the run that stay in the ledger: they name people and reasons, and no data."""
