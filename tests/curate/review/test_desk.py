"""Decisions: kept, resumed, undone, shared; nothing is lost, and nothing counts twice."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from pass_dataset.curate.review.decisions import DecisionLog, read_log
from pass_dataset.curate.review.desk import Desk
from pass_dataset.curate.review.seats import Mark
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.errors import CurationError, FolderLockedError
from tests.curate.review.conftest import (
    Begin,
    accept_all,
    accept_next,
    desk_of,
    make_pictures,
)


def test_all_are_looked_at_once(begin: Begin) -> None:
    folder = begin()
    with desk_of(folder) as desk:
        assert accept_all(desk, "anna") == 60
        assert (desk.seats.looks == 1).all()
        assert desk.progress("all") == {"images": 60, "looked": 60}
        assert desk.next_page("all", "anna", 6) is None


def test_what_was_done_is_there_after_a_restart(begin: Begin) -> None:
    folder = begin()
    with desk_of(folder) as desk:
        for _ in range(3):
            accept_next(desk, "anna", _0003="plate", _0004="person")
        view = desk.next_page("all", "anna", 6)
        assert view is not None
        desk.mark("anna", "all", (view.block, view.page), view.images[2], "face", "in a mirror")
    with desk_of(folder) as again:
        assert again.next_page("all", "anna", 6) is not None
        found = again.next_page("all", "anna", 6)
        assert found is not None
        assert found.images == view.images
        assert found.flags[2] == "face"
        assert found.notes[2] == "in a mirror"
        assert again.seats.looks.sum() == 18
        # Marks of a page that was not accepted are no decisions yet.
        assert view.images[2] not in again.seats.seat("anna", "first").flagged()


def test_undo_without_limit(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        first = desk.next_page("all", "anna", 6)
        assert first is not None
        accept_all(desk, "anna", _0001="person", _0002="person")
        accepted = len(desk.seats.acts["anna"])
        assert accepted == 12
        while desk.undo("anna") is not None:
            accepted -= 1
        assert accepted == 0
        assert not desk.seats.looks.any()
        assert desk.seats.seat("anna", "first").marks == {}
        found = desk.next_page("all", "anna", 6)
        assert found == first


def test_undo_is_ones_own(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        accept_next(desk, "anna")
        accept_next(desk, "ben")
        act = desk.undo("anna")
        assert act is not None
        assert act.do == "accept"
        assert desk.undo("anna") is None
        assert desk.seats.looks.sum() == 6


def test_a_changed_mind_after_the_page_was_accepted(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        view = desk.next_page("all", "anna", 6)
        assert view is not None
        accept_next(desk, "anna")
        desk.mark("anna", "all", (view.block, view.page), view.images[0], "other", "")
        assert desk.seats.seat("anna", "first").flagged() == {view.images[0]: "other"}
        desk.mark("anna", "all", (view.block, view.page), view.images[0], None, "")
        assert desk.seats.seat("anna", "first").flagged() == {}


def test_what_is_sent_twice_counts_once(begin: Begin) -> None:
    folder = begin()
    with desk_of(folder) as desk:
        view = desk.next_page("all", "anna", 6)
        assert view is not None
        for _ in range(3):
            desk.accept("anna", "all", (view.block, view.page), view.images, "id-of-this-act")
    with desk_of(folder) as desk:
        # Also where the server was killed before its answer arrived.
        desk.accept("anna", "all", (view.block, view.page), view.images, "id-of-this-act")
        assert len(desk.seats.acts["anna"]) == 1
        assert desk.undo("anna", "id-of-the-undo") is not None
        assert desk.undo("anna", "id-of-the-undo") is None


def test_two_windows_of_one_reviewer(begin: Begin) -> None:
    """Both show the same page; accepting it twice counts once."""
    with desk_of(begin()) as desk:
        one, other = (desk.next_page("all", "anna", 6) for _ in range(2))
        assert one is not None
        assert one == other
        for number in range(2):
            place = (one.block, one.page)
            desk.accept("anna", "all", place, one.images, f"window-{number}")
        assert desk.seats.looks.sum() == 6


def test_reviewers_at_once_share_without_overlap(begin: Begin) -> None:
    with desk_of(begin()) as desk:

        def work(name: str) -> None:
            accept_all(desk, name, size=5)

        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (desk.seats.looks == 1).all()


@pytest.mark.parametrize(("overlap", "expected"), [(0.0, 0), (0.4, 24), (1.0, 60)])
def test_overlap_is_as_said(begin: Begin, overlap: float, expected: int) -> None:
    with desk_of(begin(ReviewSettings(block=12, overlap=overlap))) as desk:
        while accept_next(desk, "anna", size=12) + accept_next(desk, "ben", size=12):
            pass
        assert np.count_nonzero(desk.seats.looks == 2) == expected
        assert np.count_nonzero(desk.seats.looks == 1) == 60 - expected


def test_blocks_that_were_not_begun_are_given_back(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        accept_next(desk, "anna", size=12)
        desk.next_page("all", "anna", 6)  # takes one more
        assert accept_all(desk, "ben") == 36
        assert desk.give_back("anna") == 1
        assert accept_all(desk, "ben") == 12
        assert (desk.seats.looks == 1).all()


def test_gold_is_hidden_and_seen_once_by_each(begin: Begin, tmp_path: Path) -> None:
    bad = make_pictures(tmp_path / "bad", 4)
    good = make_pictures(tmp_path / "good", 2)
    settings = ReviewSettings(block=12, gold=1 / 12, overlap=1.0)
    with desk_of(begin(settings, bad=bad, good=good)) as desk:
        gold = desk.images.gold
        assert len(gold) == 6
        assert sorted(desk.images.column("gold")[gold]) == [0, 0, 1, 1, 1, 1]
        # Their rows are not at the end.
        assert gold.min() < 60
        # A block has one; there are five blocks, and six known images.
        assert accept_all(desk, "anna") == 65
        assert accept_all(desk, "ben") == 65
        assert (desk.seats.looks[gold] <= 2).all()
        assert desk.seats.looks[gold].sum() == 10
        assert desk.progress("all") == {"images": 60, "looked": 60}


def test_jump_anywhere(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        queue = desk.queue("all")
        for position in (0, 7, 59, 10**9):
            view = desk.page_at("all", "anna", position, 6)
            assert int(queue.rows[min(position, 59)]) in view.images
        # To look somewhere takes nothing.
        assert not desk.seats.blocks["all"]["anna"]


def test_second_look_at_what_others_flagged(begin: Begin) -> None:
    with desk_of(begin(ReviewSettings(block=12, overlap=1.0))) as desk:
        accept_all(desk, "anna", _0001="person", _0002="plate")
        accept_all(desk, "ben", _0002="plate", _0003="other")
        queue = desk.queue("flagged")
        assert queue.name == "flagged-1"
        assert len(queue.rows) == 3
        # Of what she flagged herself Anna sees nothing.
        view = desk.next_page("flagged-1", "anna", 6)
        assert view is not None
        assert desk.images.names(np.array(view.images)) == ["0003.jpg"]
        desk.accept("anna", "flagged-1", (view.block, view.page), view.images)
        third = desk.next_page("flagged-1", "carla", 6)
        assert third is not None
        assert len(third.images) == 2
        assert len(desk.queue("disagreements").rows) == 1  # 0001: Anna's alone; 0003 had its look


def test_queue_without_images(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        for name in ("flagged", "disagreements"):
            with pytest.raises(CurationError, match="no image for it"):
                desk.queue(name)
        for name in ("risk", "risk:face_score", "sample:x", "sample:0", "else", "../../etc"):
            with pytest.raises(CurationError):
                desk.queue(name)


def test_sample(begin: Begin) -> None:
    folder = begin()
    with desk_of(folder) as desk:
        queue = desk.queue("sample:20")
        assert len(set(queue.rows.tolist())) == 20
        assert queue.bands == (("all", 60, 0, 20),)
        assert accept_all(desk, "anna", "sample:20") == 20
    with desk_of(folder) as again:
        assert (again.queue("sample:20").rows == queue.rows).all()


def test_only_one_server_has_a_review(begin: Begin) -> None:
    folder = begin()
    with (
        desk_of(folder),
        pytest.raises(FolderLockedError),
        _in_another_thread(folder.path),
    ):
        pass


def _in_another_thread(path: Path):  # type: ignore[no-untyped-def]
    """The lock is of a thread: this is what another process meets."""
    from concurrent.futures import ThreadPoolExecutor

    from pass_dataset.folders.lock import hold

    def attempt() -> None:
        with hold(path, wait=False):
            pass

    with ThreadPoolExecutor(1) as pool:
        pool.submit(attempt).result()


@pytest.mark.parametrize(
    ("flag", "note", "message"),
    [("no-flag", "", "there is no flag"), ("person", "x" * 2001, "a note has up to")],
)
def test_what_cannot_be_is_refused(begin: Begin, flag: str, note: str, message: str) -> None:
    with desk_of(begin()) as desk:
        with pytest.raises(CurationError, match=message):
            desk.mark("anna", "all", (0, 0), 1, flag, note)
        for images in ([], [60], [-1], [1, 1]):
            with pytest.raises(CurationError):
                desk.accept("anna", "all", (0, 0), images)
        assert list(read_log(desk._log.path)) == []


# --- the log --------------------------------------------------------------------------------------


def filled(path: Path) -> bytes:
    log = DecisionLog(path)
    log.replay(lambda entry: None)
    for number in range(3):
        log.add("anna", "accept", images=[number])
    log.close()
    return path.read_bytes()


def entries(path: Path) -> list[int]:
    return [entry["n"] for entry in read_log(path)]


def test_log_cut_anywhere_keeps_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "decisions.log"
    data = filled(path)
    ends = [place + 1 for place, byte in enumerate(data) if byte == 10]
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        # A line is whole with its last byte, whether or not the newline came.
        whole = sum(end - 1 <= length for end in ends)
        assert entries(path) == list(range(1, whole + 1))
        log = DecisionLog(path)
        log.replay(lambda entry: None)
        log.add("ben", "accept", images=[9])
        log.close()
        assert entries(path) == list(range(1, whole + 2))


def test_damage_between_lines_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "decisions.log"
    lines = filled(path).splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"anna", b"anne") + lines[2])
    with pytest.raises(CurationError, match="line 2 is damaged"):
        entries(path)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(CurationError, match="is gone"):
        entries(path)


def test_full_disk_keeps_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "decisions.log"
    filled(path)
    log = DecisionLog(path)
    log.replay(lambda entry: None)

    def fails(handle: int) -> None:
        monkeypatch.undo()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="No space left"):
        log.add("anna", "accept", images=[7])
    assert entries(path) == [1, 2, 3]
    assert log.add("anna", "accept", images=[8])["n"] == 4
    log.close()
    assert entries(path) == [1, 2, 3, 4]


def test_notes_keep_marks_without_a_flag(begin: Begin) -> None:
    with desk_of(begin()) as desk:
        _note(desk)
        assert desk.seats.seat("anna", "first").marks == {3: Mark(None, "odd")}


def _note(desk: Desk) -> None:
    desk.mark("anna", "all", (0, 0), 3, None, "odd")
