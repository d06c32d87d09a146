"""The kind of value that a field of a model holds."""

from __future__ import annotations

import types
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel


def plain(annotation: Any) -> Any:
    """The type without `None` and without notes on it."""
    if get_origin(annotation) in (Union, types.UnionType):
        return plain(next(a for a in get_args(annotation) if a is not type(None)))
    if hasattr(annotation, "__metadata__"):
        return plain(get_args(annotation)[0])
    return annotation


class Field(NamedTuple):
    kind: Any
    description: str


def fields_of(model: type[BaseModel]) -> dict[str, Field]:
    """The fields of a model, computed ones (texts of reasons) included."""
    held = {
        n: Field(plain(f.annotation), f.description or "") for n, f in model.model_fields.items()
    }
    computed = {
        n: Field(plain(f.return_type), f.description or "")
        for n, f in model.model_computed_fields.items()
    }
    return held | computed


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def type_name(kind: Any) -> str:
    """As the Frictionless Table Schema names types."""
    names = {int: "integer", float: "number", bool: "boolean", datetime: "datetime"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "string"
    return names.get(kind, "string")
