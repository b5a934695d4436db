"""How PASS is cited, and where it is at home: said here, and read by all that says it.

TFDS wants the entry in a file beside each builder, ``CITATIONS.bib``, and people in a README; tests
hold these against it.
"""

from __future__ import annotations

__all__ = ["AUTHORS", "BIBTEX", "BIBTEX_AUTHORS", "BIBTEX_LINE", "HOMEPAGE"]

HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/pass/"

#: Of the paper and of the dataset.
AUTHORS = ("Yuki M. Asano", "Christian Rupprecht", "Andrew Zisserman", "Andrea Vedaldi")
BIBTEX_AUTHORS = " and ".join(AUTHORS)

#: The paper's entry, a field a line.
BIBTEX = f"""\
@inproceedings{{asano21pass,
  author    = {{{BIBTEX_AUTHORS}}},
  title     = {{PASS: An ImageNet replacement for self-supervised pretraining without humans}},
  booktitle = {{NeurIPS Track on Datasets and Benchmarks}},
  year      = {{2021}}
}}
"""

#: The same on one line.
BIBTEX_LINE = " ".join(BIBTEX.split()).replace("} }", "}}")
