from __future__ import annotations

import pytest

from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.coco import CLASS_NAMES, PERSON
from pass_dataset.passify.detectors.libraries.labels import person_classes


def test_people_by_name() -> None:
    assert person_classes(CLASS_NAMES, "model") == {PERSON}
    names = ["Person", "snowman", "Man/Woman", "baby, infant", "manhole", "personal care", "PEOPLE"]
    assert person_classes(names, "model") == {0, 2, 3, 6}


def test_a_model_without_people_is_refused() -> None:
    with pytest.raises(DetectorError) as caught:
        person_classes(["cat", "dog"], "torchvision:pets")
    assert "torchvision:pets: expected a class of people (baby, " in str(caught.value)
    assert str(caught.value).endswith("found only: cat, dog")
