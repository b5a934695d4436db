"""The drawings of the mini release: landscapes and still lifes, numpy and Pillow only.

Every scene is a function of a :class:`~mini_pictures.canvas.Canvas` (size in
pixels and a seed) and of named parameters; :mod:`.catalogue` lists the 64 pictures.
"""

from __future__ import annotations
