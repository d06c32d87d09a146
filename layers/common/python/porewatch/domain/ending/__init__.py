"""How the data of a run are kept or end: legal holds and deletions.

records (what the run's record says of them) -> orders (what a person asks, what is answered) ->
rules (pure) -> stays (what no deletion takes, in plain sentences).
"""
