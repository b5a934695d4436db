"""The dataset card of a release."""

from __future__ import annotations

from pass_dataset.curate.release.papers.facts import Facts
from pass_dataset.pages.words import count, size
from pass_dataset.parquet.card import size_category

__all__ = ["card_of"]

_CARD = """---
pretty_name: "{label}"
license: {license}
size_categories:
- {category}
task_categories:
- image-feature-extraction
tags:
- self-supervised-learning
- images
---

# {label}

{images} by {photographers}, {size}, in the layout of PASS.

![What became of the photographs]({funnel})

How they were chosen, and what is not known of them, is in [DATASHEET.md](DATASHEET.md). Complete
its open questions before you publish the release.

## Files

{files}

## Use

```sh
pass-dataset verify .
pass-dataset index .
pass-dataset credits --archives . --all --format html --out credits.html
```

```python
from pass_dataset import PassArchive

archive = PassArchive(".")
record = archive[0]  # jpeg, hash, creator, license, date_taken, latitude, longitude
```

## Licence and credit

Each photograph has the licence of its photographer: {licenses}. Whoever shows a photograph names
photographer (`unickname`, URL-encoded), title, page (`pageurl`) and licence (`licenseurl`);
`pass-dataset credits` writes such a list.

## Take a photograph out

A list of hashes is enough: `pass-dataset remove` hides them from every reader at once,
`pass-curate release --exclude` makes a new version without them.
"""


def card_of(facts: Facts) -> str:
    """The text of the card, ``README.md``."""
    release = facts.release
    files = [f"- `{file.filename}`: {size(file.size_bytes)}" for file in release.files]
    return _CARD.format(
        label=release.label,
        license=facts.license_id,
        category=size_category(facts.images),
        images=count(facts.images, "photograph", "photographs"),
        photographers=count(facts.photographers, "photographer", "photographers"),
        size=size(release.size_bytes),
        funnel="funnel.svg",
        files="\n".join(files),
        licenses=", ".join(f"{name} ({number:,})" for name, number in facts.licenses.items()),
    )
