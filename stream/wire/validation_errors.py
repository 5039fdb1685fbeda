"""What `msgspec` reports about a value that does not fit its type: at which key, of which type, and what it may be."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_NOT_A_CHOICE = re.compile(r"Invalid enum value '(.*)'")


def split(error: str) -> tuple[str, str]:
    """Return what is wrong, and the key of the value, such as ``steps[1].rhythm``; empty for the whole."""
    what, _, place = error.partition(" - at `")
    return what, place.rsplit("`$", 1)[-1].strip("`$").removeprefix(".").removesuffix("[...]")


def type_at(root: Any, key: str) -> msgspec.inspect.Type:
    """Return the type of the value at a key of a type."""
    found = msgspec.inspect.type_info(root)
    for part in re.findall(r"[^.\[\]]+", key):
        if isinstance(found, msgspec.inspect.StructType):
            [found] = [field.type for field in found.fields if field.name == part]
        elif isinstance(found, msgspec.inspect.VarTupleType):
            found = found.item_type
        if isinstance(found, msgspec.inspect.UnionType):
            found = _table_of(found)
    return found


def unknown_choice(error: str, root: Any) -> tuple[str, str] | None:
    """Return a value that is none of its choices, and that in words, with the choices; None for another error.

    In a table with choices as keys, the value is such a key.
    """
    what, key = split(error)
    value = _NOT_A_CHOICE.fullmatch(what)
    if value is None:
        return None
    found = type_at(root, key)
    if isinstance(found, msgspec.inspect.DictType):
        found = found.key_type
    choices = found.values if isinstance(found, msgspec.inspect.LiteralType) else []
    return value[1], f"{value[1]!r} is not known: one of {', '.join(map(str, choices))}"


def _table_of(union: msgspec.inspect.UnionType) -> msgspec.inspect.Type:
    """Return the table that a value may be, else the one type that is not null."""
    types = [one for one in union.types if not isinstance(one, msgspec.inspect.NoneType)]
    return next((one for one in types if isinstance(one, msgspec.inspect.StructType)), types[0])
