"""Runs of known composition, and what the screen makes of them: the programs behind the tables of
docs/science/ (`python -m validation.lod_pack`, `interval_pack`, `perv_pack`, `alert_pack`).

`panel_set` and `surrogates` are what is screened, `made_reads` and `drawn` make reads of it,
`screens` screens them; `shared_data` finds real public data.
"""
