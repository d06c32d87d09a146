"""How state moves: runs, revisions, stages, epochs (fencing), liveness, orphans. Pure functions."""
