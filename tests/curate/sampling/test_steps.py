"""The steps `balance` and `draw`, on ledgers."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.sampling import order as order_module
from pass_dataset.curate.sampling.balance import BalanceSettings, run_balance
from pass_dataset.curate.sampling.draw import DrawSettings, run_draw
from pass_dataset.errors import CurationError
from tests.support.curation import Curation, hash_of, photograph


def curation(path: Path, numbers: list[int], shard_size: int = 10, **values: object) -> Curation:
    return Curation(path, [photograph(number, **values) for number in numbers], shard_size)


def names(made: Curation) -> set[str]:
    return {row["hash"] for row in made.left()}


def test_balance(tmp_path: Path) -> None:
    made = curation(tmp_path, list(range(50)))
    step = run_balance(made.folder, BalanceSettings(per_photographer=4, sample=15))
    assert (step.came, step.left) == (50, 15)
    assert step.causes == {"photographer-cap": 30, "not-sampled": 5}
    assert step.details == {"unknown_photographers": 0}
    said = [row for shard in range(5) for row in made.ledger.said("balance", shard).to_pylist()]
    assert sorted(row["sample_rank"] for row in said if row["sample_rank"]) == [*range(1, 21)]
    for row in said:
        expected = (
            "photographer-cap"
            if row["photographer_rank"] > 4
            else "not-sampled"
            if row["sample_rank"] > 15
            else None
        )
        assert row["cause"] == expected
    # A cap of each photographer's own.
    for user in range(5):
        own = sorted(row["photographer_rank"] for row in said if row["row"] % 5 == user)
        assert own == [*range(1, 11)]


def test_either_may_be_off(tmp_path: Path) -> None:
    one = curation(tmp_path / "one", list(range(30)))
    run_balance(one.folder, BalanceSettings(per_photographer=0, sample=12))
    assert one.ledger.steps()[-1].causes == {"not-sampled": 18}
    other = curation(tmp_path / "other", list(range(30)))
    run_balance(other.folder, BalanceSettings(per_photographer=2, sample=0))
    assert other.ledger.steps()[-1].causes == {"photographer-cap": 20}
    assert one.ledger.said("balance", 0)["photographer_rank"].null_count == 10


def test_same_whatever_the_order_and_the_shards(tmp_path: Path) -> None:
    numbers = list(range(40))
    settings = BalanceSettings(per_photographer=5, sample=20)
    found = []
    for place, (order, size) in enumerate([(numbers, 7), (numbers[::-1], 13), (numbers, 100)]):
        made = curation(tmp_path / str(place), order, size)
        run_balance(made.folder, settings)
        run_draw(made.folder, DrawSettings(count=8))
        found.append(names(made))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 8


def test_second_words_where_the_first_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made of the ledger then, whatever shard the photographs are in."""
    made_words = order_module._word

    def word(parts: order_module.Words, seed: int, number: int) -> order_module.Words:
        found = made_words(parts, seed, number)
        return found if number % 2 else np.zeros_like(found)

    monkeypatch.setattr(order_module, "_word", word)
    made = curation(tmp_path, list(range(24)), 7)
    run_balance(made.folder, BalanceSettings(per_photographer=3, sample=8))
    said = [row for shard in range(4) for row in made.ledger.said("balance", shard).to_pylist()]
    within, overall = order_module.order_keys(
        pa.array([hash_of(number) for number in range(24)]), 0
    )
    for user in range(5):
        own = [row["row"] for row in said if row["row"] % 5 == user]
        by_rank = sorted(own, key=lambda row: said[row]["photographer_rank"])
        assert by_rank == sorted(own, key=lambda row: within[row, 1])
    sampled = [row["row"] for row in said if row["sample_rank"]]
    by_rank = sorted(sampled, key=lambda row: said[row]["sample_rank"])
    assert by_rank == sorted(sampled, key=lambda row: overall[row, 1])


def test_larger_release_has_the_smaller(tmp_path: Path) -> None:
    small = curation(tmp_path / "small", list(range(60)))
    run_balance(small.folder, BalanceSettings(per_photographer=8, sample=20))
    run_draw(small.folder, DrawSettings(count=10))
    large = curation(tmp_path / "large", list(range(60)))
    run_balance(large.folder, BalanceSettings(per_photographer=8, sample=30))
    run_draw(large.folder, DrawSettings(count=25))
    assert names(small) < names(large)


def test_photographers(tmp_path: Path) -> None:
    """By NSID; by name where there is none; nobody who is known is each a photographer."""
    photographs = [
        *(photograph(n, nsid="1@N00", unickname=f"name{n}") for n in range(4)),
        *(photograph(n, nsid=None, unickname="1@N00") for n in range(4, 8)),
        *(photograph(n, nsid="", unickname="") for n in range(8, 11)),
        *(photograph(n, nsid=None, unickname=None) for n in range(11, 14)),
    ]
    made = Curation(tmp_path, photographs, 5)
    step = run_balance(made.folder, BalanceSettings(per_photographer=1, sample=0))
    assert step.causes == {"photographer-cap": 6}
    assert step.details == {"unknown_photographers": 6}
    assert {hash_of(number) for number in range(8, 14)} < names(made)


def test_fewer_than_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = curation(tmp_path, list(range(12)))
    with caplog.at_level(logging.WARNING):
        run_balance(made.folder, BalanceSettings())
        run_draw(made.folder, DrawSettings())
    assert "balance: 12 photographs are left, 1,600,000 are asked for" in caplog.text
    assert "draw: 12 photographs are left, 1,440,191 are asked for" in caplog.text
    assert [step.left for step in made.ledger.steps()] == [12, 12, 12]


def test_goes_on(tmp_path: Path) -> None:
    """Of a step that was cut, the shards that are missing are written, and come out the same."""
    whole = curation(tmp_path / "whole", list(range(30)))
    run_balance(whole.folder, BalanceSettings(per_photographer=3, sample=10))
    cut = curation(tmp_path / "cut", list(range(30)))
    run_balance(cut.folder, BalanceSettings(per_photographer=3, sample=10))
    cut.folder.step_record_path("balance").unlink()
    cut.folder.shard_path("balance", 1).unlink()
    with pytest.raises(CurationError, match="sample: it was begun with 10, asked for is 11"):
        run_balance(cut.folder, BalanceSettings(per_photographer=3, sample=11))
    again = run_balance(cut.folder, BalanceSettings(per_photographer=3, sample=10))
    assert again.sha256 == whole.ledger.record("balance").sha256
    # What is done is not done again.
    assert run_balance(cut.folder, BalanceSettings(per_photographer=3, sample=10)) == again


def test_nobody_is_left(tmp_path: Path) -> None:
    made = curation(tmp_path, list(range(3)))
    made.say("filter", dict.fromkeys(range(3), "face"))
    run_balance(made.folder, BalanceSettings())
    assert run_draw(made.folder, DrawSettings(count=2)).came == 0


@pytest.mark.parametrize("settings", [{"per_photographer": -1}, {"sample": -1}, {"seed": -1}])
def test_bad_settings(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected 0"):
        BalanceSettings(**settings)


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = curation(tmp_path / "curation", list(range(50)))
    file = tmp_path / "settings.toml"
    file.write_text("[balance]\nper_photographer = 4\nsample = 9\n[draw]\ncount = 6\n")
    command = ["balance", str(made.path), "--settings", str(file), "--sample", "15"]
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines() == [
        "balance: 50 photographs came, 15 went on",
        "  photographer-cap 30",
        "  not-sampled 5",
    ]
    assert main(["draw", str(made.path), "--settings", str(file)]) == 0
    assert "not-drawn 9" in capsys.readouterr().out
    stored = json.loads(made.folder.step_settings_path("draw").read_text())
    assert stored["settings"] == {"count": 6, "order": "pass-order-2", "seed": 0}
    assert main(["draw", str(made.path), "--count", "7"]) == 1
    assert "count: it was begun with 6, asked for is 7" in capsys.readouterr().err
    assert main(["balance", str(tmp_path / "none")]) == 1
