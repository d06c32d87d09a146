"""Real kills of real workers: a trial, the baseline, the table of many."""
