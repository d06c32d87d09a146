"""Colours of plots. None carries meaning alone: every mark is labelled.

Where reads went has six, which stay apart for people who see red, green or blue less (simulated in
the tests after Machado 2009), on white and on dark paper. Amounts along an axis have one.
"""

from __future__ import annotations

WHERE = {
    "filtered": "#8a939b",
    "host": "#c46d0b",
    "panel": "#be2b28",
    "spike": "#2ba46c",
    "decoy": "#bf27a9",
    "unassigned": "#287aea",
}
READS = "#33608c"
