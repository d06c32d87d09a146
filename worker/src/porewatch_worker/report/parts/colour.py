"""Colours: fixed ones for where reads went, and one for each taxon from its code's hash.

A taxon keeps its colour from run to run. All are dark enough to be told from white paper (contrast
at least 4.5 : 1, WCAG 2.1), and none carries meaning alone: every mark is labelled.
"""

from __future__ import annotations

import colorsys
import hashlib

WHERE = {
    "filtered": "#7b8794",
    "host": "#b08948",
    "panel": "#b3261e",
    "spike": "#1f7a68",
    "decoy": "#76519e",
    "unassigned": "#3f74ad",
}
READS = "#33608c"


def taxon(code: str) -> str:
    """`#rrggbb` for a panel code."""
    digest = hashlib.sha256(code.encode()).digest()
    hue, saturation = digest[0] / 256, 0.45 + digest[1] / 256 * 0.3
    lightness = 0.5
    while contrast_with_white(_rgb(hue, lightness, saturation)) < 4.5:
        lightness -= 0.02
    return _rgb(hue, lightness, saturation)


def contrast_with_white(colour: str) -> float:
    """WCAG 2.1 contrast ratio of `#rrggbb` against white, 1 to 21."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def _rgb(hue: float, lightness: float, saturation: float) -> str:
    parts = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
