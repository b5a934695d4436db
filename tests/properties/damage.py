"""Bytes that were good once."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["damaged"]

#: Bytes that mean something to some parser: ends, signs, quotes, numbers that are too large.
_SIGNS = [b"\0", b"\n", b"\r", b'"', b",", b"\t", b"-", b"=", b" ", b"#", b"\xff"]
_TELLING = st.sampled_from([*_SIGNS, b"\xff" * 4, b"9" * 5000])


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The data with up to four pieces of it replaced, taken out or put in."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(changed)))
        length = draw(st.sampled_from([0, 0, 1, 1, 4, 100]))
        changed[at : at + length] = draw(st.one_of(_TELLING, st.binary(max_size=4)))
    return bytes(changed)
