"""The validation pack: made runs with known truth, screened by the product itself and scored.

Order: `worlds` (invented genomes and their bundle) -> `sets` (which sample holds what) ->
`screened` (reads are made and screened) -> `score` (agreement, LOD95) -> `result`, `page`.
Everything is simulated and drawn from one seed; what that can and cannot show stands in the result.
"""
