"""One stage on one instance: its phases, launch, messages, disk, quarantine, retry policy."""
