"""What of PERV raises an alarm. Beside the calls, so that pages of a report load no mapper."""

from __future__ import annotations

from porewatch.domain.calls.panel import EXTRA
from porewatch_worker.science.call.remarks import PERV

ALARM_TYPE, ALARM_PAIR = "C", frozenset("AC")
AC = f"{EXTRA}{PERV}AC"
"""The row of A/C recombinants, beside the list."""
