"""Settings of a curation: one TOML file with a table for each step, which is checked strictly.

    [select]
    licenses = ["by"]

    [balance]
    per_photographer = 80

Each step has its own frozen dataclass of settings; what is not given has that class's default. What
a step was begun with stands in the ledger from then on (see `ledger`), so nothing here is written.
"""

from __future__ import annotations

import hashlib
import json
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from pass_dataset.errors import CurationError

if sys.version_info >= (3, 11):
    import tomllib
else:  # the same parser, before Python had it
    import tomli as tomllib

__all__ = [
    "as_content",
    "differences",
    "load_settings",
    "parse_settings",
    "read_settings_text",
    "section",
    "settings_sha256",
]

T = TypeVar("T")


def load_settings(path: Path) -> dict[str, Any]:
    """The tables of a settings file.

    Raises:
      CurationError: it cannot be read, or is no TOML.
    """
    return parse_settings(read_settings_text(path), str(path))


def read_settings_text(path: Path) -> str:
    """The text of a settings file.

    Raises:
      CurationError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CurationError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CurationError(f"{path}: expected settings as TOML, found: {error}") from error


def parse_settings(text: str, where: str) -> dict[str, Any]:
    """The tables of settings as text.

    Raises:
      CurationError: it is no TOML.
    """
    try:
        content: dict[str, Any] = tomllib.loads(text)
        return content
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CurationError(f"{where}: expected settings as TOML, found: {error}") from error


def section(kind: type[T], content: Mapping[str, Any], where: str) -> T:
    """A step's settings from its table.

    Args:
      kind: the step's dataclass; its fields are numbers, text, booleans, tuples of these, or None.
      content: the table.
      where: what messages call it, such as ``settings.toml [select]``.

    Raises:
      CurationError: a name that is not known, or a value of another type or range.
    """
    types_of = typing.get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise CurationError(
            f"{where}: {unknown[0]!r} is no setting; there are: {', '.join(known) or 'none'}"
        )
    values = {
        name: _checked(value, types_of[name], f"{where} {name}") for name, value in content.items()
    }
    missing = [
        name
        for name, field in known.items()
        if name not in values and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise CurationError(f"{where}: {missing[0]} is missing")
    try:
        return kind(**values)
    except ValueError as error:
        raise CurationError(f"{where}: {error}") from error


def _checked(value: Any, expected: Any, where: str) -> Any:
    """A value of TOML as a field's type has it; arrays become tuples, tables stay."""
    origin = typing.get_origin(expected)
    options = typing.get_args(expected)
    if origin in (typing.Union, types.UnionType):
        for option in options:
            try:
                return _checked(value, option, where)
            except CurationError:
                continue
    elif origin is typing.Literal:
        if value in options:
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple):
            inner = options[:1] * len(value) if options[1:] == (...,) else options
            if len(inner) == len(value):
                return tuple(
                    _checked(item, kind, where) for item, kind in zip(value, inner, strict=True)
                )
    elif origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        if isinstance(value, Mapping):
            return {str(key): _checked(item, options[1], where) for key, item in value.items()}
    elif expected is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif expected is types.NoneType:
        if value is None:
            return None
    elif isinstance(value, expected) and isinstance(value, bool) == (expected is bool):
        return value
    raise CurationError(f"{where}: expected {_named(expected)}, found {value!r}")


def _named(expected: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    if expected in names:
        return names[expected]
    origin, options = typing.get_origin(expected), typing.get_args(expected)
    if origin is typing.Literal:
        return " or ".join(repr(option) for option in options)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_named(option) for option in options if option is not types.NoneType)
    if origin is tuple:
        inner = [_named(option) for option in options if option is not ...]
        return f"an array of {' and '.join(dict.fromkeys(inner))}"
    return "a table" if origin is not None else str(expected)


def as_content(settings: Any) -> dict[str, Any]:
    """A step's settings as JSON has them, for the ledger."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    return content


def settings_sha256(content: Mapping[str, Any]) -> str:
    """The digest that rows and receipts name settings by."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What differs, a line each, by name."""
    return [
        f"{name}: it was begun with {stored.get(name)!r}, asked for is {asked.get(name)!r}"
        for name in sorted({**stored, **asked})
        if stored.get(name) != asked.get(name)
    ]
