"""Why something is as it is: a code and its values. Decisions ask for codes, people read texts.

A text is made when it is shown, from the catalogue of a language (`domain.reasons.catalogue`).
Documents carry the codes and, beside them, the English text: it is the text that `report.json`
version 1 had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from porewatch.domain.base import Model
from porewatch.domain.bounds import MOST_COUNT
from porewatch.domain.errors import PorewatchError
from porewatch.domain.reasons.catalogue import SOURCE, Catalogue, catalogue
from porewatch.domain.reasons.codes import RELATIVES, Code
from porewatch.domain.reasons.people_codes import PeopleCode
from porewatch.domain.reasons.refusal_codes import RefusalCode
from porewatch.domain.reasons.run_codes import RunCode
from porewatch.domain.reasons.sign_in_codes import SignInCode
from porewatch.domain.reasons.signature_codes import SignatureCode

__all__ = [
    "CODES",
    "RELATIVES",
    "Code",
    "PeopleCode",
    "Reason",
    "Reasons",
    "RefusalCode",
    "RunCode",
    "SignInCode",
    "SignatureCode",
    "Value",
    "because",
]

AnyCode = Code | RunCode | RefusalCode | SignInCode | PeopleCode | SignatureCode
CODES: frozenset[AnyCode] = frozenset(
    (*Code, *RunCode, *RefusalCode, *SignInCode, *PeopleCode, *SignatureCode)
)


class Reason(Model):
    """`values` are None where a document of version 1 named the code alone: its words stand in a
    `verbatim` reason beside it. A value may be a reason itself, or several."""

    code: AnyCode
    values: dict[str, Value] | None = {}

    def text(self, language: str = SOURCE) -> str:
        return _said(self, catalogue(language))

    @model_validator(mode="after")
    def _fills_its_places(self) -> Self:
        """So that no reader of a document or a message finds a reason without a text."""
        try:
            self.text()
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{self.code.value} lacks a value, or has a wrong one") from error
        return self


Whole = Annotated[int, Field(ge=-MOST_COUNT, le=MOST_COUNT)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-MOST_COUNT, le=MOST_COUNT)]
Value = Whole | Number | str | Reason | tuple[Reason, ...] | tuple[str, ...]
Reasons = tuple[Reason, ...]
Reason.model_rebuild()


def because(code: AnyCode, /, **values: Value) -> Reason:
    """The reason `code`, with what fills its places."""
    return Reason(code=code, values=values)


def verbatim(text: str) -> Reasons:
    """Words as somebody else wrote them; none for no words."""
    return (because(Code.VERBATIM, text=text),) if text else ()


def original(text: str) -> Reasons:
    """Text of AWS or another program, as a quotation; none for no text."""
    return (because(RunCode.ORIGINAL, text=text),) if text else ()


def text_of(problem: str | Reason) -> str:
    """In English: a problem may be text alone, or a reason by code."""
    return problem if isinstance(problem, str) else problem.text()


def coded(problem: str | Reason) -> Reasons:
    """The reason, where the problem is one; none for text alone."""
    return () if isinstance(problem, str) else (problem,)


def problem_of(error: PorewatchError) -> str | Reason:
    """An error's problem: as a reason where it was raised with one, else its text."""
    return error.why if isinstance(error.why, Reason) else error.problem


def panel_note(text: str) -> Reasons:
    """What the panel file says of a row; the catalogues may translate it."""
    return (because(Code.PANEL_NOTE, text=text),) if text else ()


def clauses(reasons: Iterable[Reason], language: str = SOURCE) -> str:
    """All of them, as clauses of one sentence."""
    return _joined(reasons, language, "join.clause")


def sentences(reasons: Iterable[Reason], language: str = SOURCE) -> str:
    """All of them, each a sentence of its own."""
    return _joined(reasons, language, "join.sentence")


def texts(reasons: Iterable[Reason], language: str = SOURCE) -> tuple[str, ...]:
    told = (reason.text(language) for reason in reasons)
    return tuple(text for text in told if text)


def each(reasons: Iterable[Reason]) -> Iterator[Reason]:
    """All of them and all that stand in their values."""
    for reason in reasons:
        yield reason
        for value in (reason.values or {}).values():
            if isinstance(value, Reason):
                yield from each((value,))
            elif isinstance(value, tuple):
                yield from each(part for part in value if isinstance(part, Reason))


def of_version_1(document: Any, *, codes: str = "", **fields: str) -> Any:
    """`document` with reasons where it has words alone. `fields`: text field -> field of reasons.

    Words stay as they are. `codes`: the field in which version 1 named some codes; they stand,
    without values, among the first field's reasons."""
    if not isinstance(document, Mapping):
        return document
    made = dict(document)
    named = made.pop(codes, None) or ()
    for text, field in fields.items():
        words = made.pop(text, None)  # what is said in English follows from the reasons
        if words and not _are_reasons(made.get(field)):
            words = (words,) if isinstance(words, str) else words
            known = [{"code": code, "values": None} for code in named if code in CODES]
            made[field] = [*(reason for word in words for reason in verbatim(word)), *known]
        named = ()
    return made


def _are_reasons(found: object) -> bool:
    """Whether there are reasons, and this version has words for all of them."""
    if not isinstance(found, list | tuple) or not found:
        return False
    try:
        return all(isinstance(r, Reason) or Reason.model_validate(r) for r in found)
    except ValidationError:
        return False


def _or_none(found: Any) -> Any:
    """Reasons of a later version are passed over: a text stands beside them."""
    return found if _are_reasons(found) else ()


BesideText = Annotated[Reasons, BeforeValidator(_or_none)]
"""Reasons of a model that carries their text in a field of its own. None: the text alone is
known."""


def _joined(reasons: Iterable[Reason], language: str, joint: str) -> str:
    return catalogue(language).text(joint).join(texts(reasons, language))


def _said(reason: Reason, words: Catalogue) -> str:
    if reason.values is None:
        return ""
    if reason.code is Code.PANEL_NOTE:
        return words.panel(str(reason.values["text"]))
    values = {name: _shown(value, words) for name, value in reason.values.items()}
    return words.filled(f"reason.{reason.code.value}", values)


def _shown(value: Value, words: Catalogue) -> object:
    """A value as the catalogue's places take it: reasons in words of the same language."""
    if isinstance(value, Reason):
        return _said(value, words)
    if isinstance(value, tuple):
        return tuple(_said(v, words) if isinstance(v, Reason) else v for v in value)
    return value
