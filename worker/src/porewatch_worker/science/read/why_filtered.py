"""Why a read does not count, by name. Pages of a report read it, too, so nothing heavy is imported
here."""

TOO_SHORT = "too_short"
DUPLEX_PARENT = "duplex_parent"
LOW_COMPLEXITY = "low_complexity"
OTHER_BARCODE = "other_barcode"
AGAIN = "came_before"
"""The same read was sent more than once: it counts the first time."""
LOW_QUALITY = "low_quality"
