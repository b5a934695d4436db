"""What is pickled for other processes without what this one has opened."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

__all__ = ["MadeAnew"]


class MadeAnew:
    """A dataclass that pickles what it was made with, and is made of that again elsewhere.

    Its other fields, such as connections, maps and memory, belong to the process.
    """

    def __getstate__(self) -> dict[str, Any]:
        given = (field for field in fields(self) if field.init)  # type: ignore[arg-type]
        return {field.name: getattr(self, field.name) for field in given}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
