"""Names that people chose, in tables that a spreadsheet opens."""

FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the beginning of a formula (the wide ones, too)."""


def as_text(name: str) -> str:
    """The name, which no spreadsheet takes for a formula.

    >>> as_text("=1+1"), as_text("pigs")
    ("'=1+1", 'pigs')
    """
    return f"'{name}" if name.startswith(FORMULA) else name
