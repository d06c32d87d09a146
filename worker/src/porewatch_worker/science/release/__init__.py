"""Whether a result may be relied on: controls, crosstalk, losses, sample outcomes."""
