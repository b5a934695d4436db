"""The ``README.md`` of a Parquet folder: the dataset card, and what this very folder holds.

What `datasets` and the Hub read of it is YAML between two lines of dashes. It is put together as
text: the little that is needed does not warrant a library that the package can do without.
"""

from __future__ import annotations

import re
from pathlib import Path

from pass_dataset.folders.review_receipt import ReviewReceipt
from pass_dataset.parquet.manifest import Export
from pass_dataset.parquet.schema import FEATURES
from pass_dataset.releases.release import format_parts

__all__ = ["card_after", "card_of", "size_category", "source_card"]

_FENCE = "---\n"

#: The Hub's names for numbers of examples, each up to that number.
_SIZE_CATEGORIES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)

_OWN_BODY = """
# Dataset Card for {what}

{notice}

It was made by `pass-dataset build parquet` from archives in the layout of PASS. This card says
nothing of where the images are from, what they show, and under which licence they are: complete it
before you publish the folder.

Columns: `image` (the JPEG as in the archives), `creator_uname` (photographer, as in the metadata),
`hash` (name of the image), `gps_lat`, `gps_lon` (degrees) and `date_taken`; what is not known is
null.
"""


def source_card() -> str:
    """The dataset card of PASS."""
    # As with the checksums: inside the package in a wheel, beside it in a checkout.
    package = Path(__file__).parent.parent
    inside = package / "builder_hf"
    folder = inside if inside.is_dir() else package.parent / "builder_hf"
    return (folder / "README.md").read_text(encoding="utf-8")


def card_of(export: Export, review: ReviewReceipt | None = None) -> str:
    """The text of an export's ``README.md``.

    A folder of a published release, or of parts of one, has the dataset card of PASS, with a notice
    of what it holds. One of a user's own release has a short card that claims nothing.

    Args:
      export: the folder.
      review: what is known of people that are left; None: nobody has looked.
    """
    notice = _notice(export)
    if review is not None:
        notice += f"\n>\n> People that are left: {review.sentence()}"
    if export.release.is_official:
        head, body = _split(source_card())
        head = _with_size(head, export.num_examples)
        body = _with_notice(body, notice)
    else:
        size = size_category(export.num_examples)
        head = f'pretty_name: "{export.what}"\nsize_categories:\n- {size}\n'
        body = _OWN_BODY.format(what=export.what, notice=notice)
    return f"{_FENCE}{head}{_facts(export)}{_FENCE}{body}"


def card_after(text: str, before: Export, after: Export) -> str:
    """The text of a card of a folder that images were purged from.

    Only what this package has written into it changes; the rest may be the user's own.

    Args:
      text: the card.
      before, after: what the folder was, and what it is.
    """
    for piece in (_facts, _notice):
        text = text.replace(piece(before), piece(after))
    old, new = (f"- {size_category(one.num_examples)}\n" for one in (before, after))
    return text.replace(f"size_categories:\n{old}", f"size_categories:\n{new}")


def size_category(num_examples: int) -> str:
    """The Hub's name for a number of examples."""
    return next((name for end, name in _SIZE_CATEGORIES if num_examples < end), "1B<n<10B")


def _split(card: str) -> tuple[str, str]:
    """YAML and text of a card."""
    _, head, body = card.split(_FENCE, 2)
    return head, body


def _with_size(head: str, num_examples: int) -> str:
    return re.sub(
        r"(?m)^size_categories:\n- .*$", f"size_categories:\n- {size_category(num_examples)}", head
    )


def _with_notice(body: str, notice: str) -> str:
    """The notice below the title."""
    title, _, rest = body.lstrip("\n").partition("\n")
    return f"\n{title}\n\n{notice}\n{rest}"


def _notice(export: Export) -> str:
    release = export.release
    number = f"{export.num_examples:,}"
    removed = f"; {export.removed:,} more were removed" if export.removed else ""
    if export.parts is None:
        whole = "" if export.removed else "whole: "
        return f"> **This folder holds {release.label}**, {whole}{number} images{removed}."
    total = "" if release.num_examples is None else f" of its {release.num_examples:,}"
    return (
        f"> **This folder holds part {format_parts(export.parts).replace(',', ', ')} of "
        f"{release.label}** (of parts 0 to {len(release.tars) - 1}): {number}{total} images"
        f"{removed}."
    )


def _facts(export: Export) -> str:
    """What `datasets` reads: where the files are, and what they hold."""
    features = "".join(f"  - name: {name}\n    dtype: {kind}\n" for name, kind in FEATURES.items())
    return (
        "configs:\n"
        "- config_name: default\n"
        "  data_files:\n"
        "  - split: train\n"
        "    path: data/train-*\n"
        "dataset_info:\n"
        f"  features:\n{features}"
        "  splits:\n"
        "  - name: train\n"
        f"    num_bytes: {export.num_bytes}\n"
        f"    num_examples: {export.num_examples}\n"
        f"  download_size: {export.size_bytes}\n"
        f"  dataset_size: {export.num_bytes}\n"
    )
