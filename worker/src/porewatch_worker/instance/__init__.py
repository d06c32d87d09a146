"""The worker on an instance: assignment, claim, attempt, interruption notice, log, results."""
