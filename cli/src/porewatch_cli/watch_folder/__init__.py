"""`porewatch watch-folder`: send a run while MinKNOW writes it, and seal it."""
