"""The languages of a report: those that have a catalogue. The command line reads them at start, so
nothing heavy is imported here.
"""

from __future__ import annotations

from porewatch.domain.reasons.catalogue import SOURCE, languages

Language = str
"""The code of a language: `en`, `ja`, or another one that has catalogues."""
__all__ = ["SOURCE", "Language", "languages"]
