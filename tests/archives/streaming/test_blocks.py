"""Memory of blocks is filled again once nobody has what is in it."""

from __future__ import annotations

from pass_dataset.archives.streaming.blocks import BlockMemory, Filling


def test_memory_is_used_again() -> None:
    memory = BlockMemory()
    filling = Filling(memory, 10)
    filling.add("a", memoryview(b"first"))
    jpegs = filling.jpegs()
    del filling
    part = jpegs.slice(0, 1)[0].as_buffer()
    address = part.address
    del jpegs
    other = Filling(memory, 10)
    other.add("b", memoryview(b"other"))
    assert part.to_pybytes() == b"first"  # somebody has it
    del part, other
    places = set()
    for _ in range(5):
        filling = Filling(memory, 10)
        filling.add("c", memoryview(b"third"))
        places.add(filling.jpegs()[0].as_buffer().address)
        del filling
    assert len(places) <= 2 and places & {address}


def test_more_than_was_thought() -> None:
    filling = Filling(BlockMemory(), 1)
    images = [bytes([number]) * (3 << 20) for number in range(5)]
    for number, image in enumerate(images):
        filling.add(str(number), memoryview(image))
    assert filling.jpegs().to_pylist() == images
