"""A detector of faces with which some files hold their decoder up for ever.

It is opened in the worker process, before anything is decoded there.
"""

from __future__ import annotations

from pass_dataset.images.decoding import decode
from pass_dataset.images.outcomes import DecodedImage
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.steps import culprits, decoding, watch
from tests.support import detectors

#: Of processor time: a decoder that goes on for ever comes to it on any machine.
_LIMIT_S = 0.3


def _decode(data: bytes, **options: int) -> DecodedImage:
    while data.startswith(b"STUCK"):
        pass
    return decode(data, **options)


class Faces(detectors.Faces):
    """As the other one."""

    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__(settings)
        watch.LIMIT_S = culprits.LIMIT_S = _LIMIT_S
        decoding.decode = _decode
