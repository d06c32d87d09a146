"""Legal holds and deletions of the data of a run."""
