"""Numbers as people read them."""

from __future__ import annotations

import math

NOTHING = "–"
GAP = "\u00a0"  # no line break between a number and its unit
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(value: float) -> str:
    """Three significant digits; from a million up and below a thousandth as a power of ten."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    value = float(f"{value:.2e}")  # rounded first, so that 999,999 becomes 10⁶
    exponent = math.floor(math.log10(abs(value)))
    if -3 <= exponent < 6:
        digits = max(0, 2 - exponent)
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value / 10**exponent:.2f}{GAP}×{GAP}10{str(exponent).translate(_SUPERSCRIPT)}"
