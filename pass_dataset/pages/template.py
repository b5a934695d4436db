"""Pages made of Jinja2 templates: each is one HTML file that asks for no other.

Templates are files ``*.html`` beside the module that renders them. Within one, ``./name.html`` is
its neighbour, and ``name.html`` is one of this package, which all pages share. All that a template
shows is escaped, unless it is `Markup`; a name that it does not know is an error.

What templates find, beside Jinja2's own:

number              filter: 1234567 as 1,234,567
count, duration,
percent, share      functions: numbers in words, those of `wording`
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping

import jinja2
from markupsafe import Markup

from pass_dataset.pages.words import count, duration, percent, share

__all__ = ["render", "render_pieces"]

#: What a template makes is handed on in pieces of so many of its parts: some kilobytes.
_BUFFERED_PARTS = 500


def render(package: str, name: str, fields: Mapping[str, object]) -> Markup:
    """A template filled in.

    Args:
      package: dotted name of the package that it is in.
      name: of its file.
      fields: what it shows, by the names that it has for them.

    Returns:
      HTML that can be written: lone surrogates, for which UTF-8 has no bytes, are in it as
      ``\\udcXX``.

    Raises:
      jinja2.UndefinedError: the template names what is not given.
    """
    return Markup(_writable(_find(package, name).render(fields)))


def render_pieces(package: str, name: str, fields: Mapping[str, object]) -> Iterator[str]:
    """The same piece by piece, for pages of any length.

    A field that is an iterator is taken from as the page goes on: the page is never in memory.
    """
    stream = _find(package, name).stream(fields)
    stream.enable_buffering(_BUFFERED_PARTS)
    return map(_writable, stream)


class _Environment(jinja2.Environment):
    """Knows templates as ``package/name``."""

    def join_path(self, template: str, parent: str) -> str:
        if template.startswith("./"):
            return parent.rpartition("/")[0] + template[1:]
        return f"{__package__}/{template}"


def _find(package: str, name: str) -> jinja2.Template:
    return _ENVIRONMENT.get_template(f"{package}/{name}")


def _source(template: str) -> str:
    package, _, name = template.rpartition("/")
    return (importlib.resources.files(package) / name).read_text(encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:,}"


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


_ENVIRONMENT = _Environment(
    loader=jinja2.FunctionLoader(_source),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["number"] = _number
_ENVIRONMENT.globals.update(count=count, duration=duration, percent=percent, share=share)
