"""Credits: who made the images of any subset, and under which licence they are.

credit    one image: creator, licence, source, and what of these is not known
names     photographers' names: decoded, filed
reading   the credits of a subset, by image or by photographer
csv_text, bibtex, page  the formats
"""

from __future__ import annotations

from pass_dataset.reports.credits.credit import Credit
from pass_dataset.reports.credits.reading import Credits, read_credits

__all__ = ["Credit", "Credits", "read_credits"]
