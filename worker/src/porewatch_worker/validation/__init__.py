"""The validation pack: simulated runs of known composition, screened by the product and scored.

Order: `worlds` (invented genomes and their bundle) -> `sets` (which sample holds what) ->
`screened` (reads are made and screened) -> `score` (agreement, LOD95) -> `result`, `page`.
Everything is simulated and drawn from one seed; the result states what that can and cannot show.
"""
