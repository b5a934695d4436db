"""The space that few training images span: what is fitted to them lies in it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["basis_of"]

Floats = np.ndarray[Any, Any]


def basis_of(train: Floats) -> Floats | None:
    """Directions that span the images, of fewer dimensions than their features; None: it has not.

    The plane that least squares of weights and any loss of products choose lies in that space, and
    products of images are the same there: so are the steps of a solver, which each cost as much as
    there are dimensions.

    Args:
      train: float32 or float64 N×width.

    Returns:
      Float64 of shape (width, N), orthonormal columns.
    """
    if len(train) >= train.shape[1]:
        return None
    basis: Floats = np.linalg.qr(train.T.astype(np.float64))[0]
    return basis
