"""`porewatch screen`: the same phases in one process, without a cloud."""
