"""A page's template filled in: one HTML file that asks for no other."""

from __future__ import annotations

import importlib.resources
import string

__all__ = ["fill_page"]

#: In the package of each page.
_TEMPLATE = "page.html"
#: Of all pages.
_HEAD, _STYLE = "head.html", "style.css"


def fill_page(package: str, **fields: str) -> str:
    """The page ``page.html`` of a package.

    Args:
      package: its dotted name.
      fields: HTML by the names that the template has after ``$``. Two are for all pages:
        ``$head``, the beginning of pages that ask for nothing, up to the title, and ``$style``, to
        which the template adds its own.

    Raises:
      KeyError: the template names a field that is not given.
    """
    shared = {"head": _text(__package__, _HEAD), "style": _text(__package__, _STYLE)}
    return string.Template(_text(package, _TEMPLATE)).substitute(fields, **shared)


def _text(package: str, name: str) -> str:
    return (importlib.resources.files(package) / name).read_text(encoding="utf-8")
