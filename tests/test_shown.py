from __future__ import annotations

import io
import logging
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.commands.passify.main import main
from pass_dataset.shown import ShownFormatter, ShownText, shown, shown_lines
from tests.passify.sources.test_opening import write_tar
from tests.support.collection import Collection
from tests.support.passify import DETECTORS, ROOT, picture

OBEYED = [
    "\x1b[31m", "\x1b]0;title\x07", "\x00", "\x08", "\r", "\x0b", "\x7f", "\x85", "\x9b31m",
    "\u202e", "\u2066", "\u200f", "\u2028", "\u200b", "\ufeff", "\udcff",
]  # fmt: skip


@pytest.mark.parametrize("text", OBEYED)
def test_nothing_is_obeyed(text: str) -> None:
    for safe in (shown(f"a{text}b"), shown_lines(f"a{text}b")):
        assert safe == f"a\\u{ord(text[0]):04x}{safe[7:]}"
        assert all(char.isprintable() for char in safe)


def test_what_is_of_one_line_stays_on_it() -> None:
    assert shown("a\nb\tc") == "a\\u000ab\\u0009c"
    assert shown_lines("a\nb\tc") == "a\nb\tc"


@pytest.mark.parametrize("text", ["山の音 🌸 Ünal (1)", "[bold]x[/]", "צילום", "👩‍👩‍👧"])
def test_ordinary_text_stays(text: str) -> None:
    assert shown(text) == shown_lines(text) == text


def test_lines_of_a_log() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ShownFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("of this test")
    logger.addHandler(handler)
    name = "a\n12:00:00 all is well\x1b[2J"
    logger.warning("%s: %d of %s", name, 3, Path(name))
    logger.warning("%(name)s", {"name": "b\x1b"})
    try:
        raise ValueError(f"two\nlines {name}")
    except ValueError as error:
        logger.warning("%s", error, exc_info=True)
    said = stream.getvalue()
    assert "\x1b" not in said
    assert said.startswith("WARNING a\\u000a12:00:00 all is well\\u001b[2J: 3 of a\\u000a12")
    assert "WARNING b\\u001b\n" in said
    assert "WARNING two\nlines a\n12:00:00 all is well\\u001b[2J\nTraceback" in said


def test_output_of_another_encoding() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text = ShownText(stream)
    text.writelines(["山\x1b", "b"])
    text.flush()
    assert stream.buffer.getvalue() == b"\\u5c71\\u001bb"  # type: ignore[attr-defined]
    assert text.buffer is stream.buffer


NAME = "\u202egnp\x1b]0;owned\x07.png"


def test_names_of_images_in_a_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_tar(tmp_path / "a.tar", {NAME: b"no image", f"kept {NAME}": picture(seed=1)})
    code = main(["run", str(tmp_path / "a.tar"), "--out", str(tmp_path / "run"), *DETECTORS])
    out, err = capfd.readouterr()
    assert code == 0
    assert "not-an-image" in out
    assert not set("\x1b\x07\u202e") & set(out + err)
    logs = [path.read_text() for path in (tmp_path / "run" / "logs").iterdir()]
    assert not set("\x1b\x07\u202e") & set("".join(logs))


def on_a_terminal(*arguments: object) -> str:
    """What `passify` writes there."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pass_dataset.passify", *map(str, arguments)],
        stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 1 << 16):
            said += data
    except OSError:  # what Linux says at the end
        pass
    os.close(ours)
    return said.decode()


def test_lists_on_a_terminal_and_for_programs(tmp_path: Path) -> None:
    name = "\u202eturned.png"
    write_tar(tmp_path / "a.tar", {name: picture(seed=1), f"x{name}": b"no image"})
    main(["run", str(tmp_path / "a.tar"), "--out", str(tmp_path / "run"), *DETECTORS])
    assert on_a_terminal("keep", tmp_path / "run") == "\\u202eturned.png\r\n"
    assert on_a_terminal("dropped", tmp_path / "run").startswith("x\\u202eturned.png\t")
    command = [sys.executable, "-m", "pass_dataset.passify", "keep", tmp_path / "run"]
    assert subprocess.run(command, capture_output=True, cwd=ROOT).stdout.decode() == f"{name}\n"


def test_progress_takes_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    from pass_dataset.progress import on_terminal

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with on_terminal() as progress:
        task = progress.task("[bold]a[/bold] [/] \x1b]0;owned\x07", 3, "images")
        task.advance(3)
        task.describe("[red]b\u202e")
        task.finish()
    assert "[red]b\\u202e" in stream.getvalue()
    assert "\x1b]0;" not in stream.getvalue()


def test_other_members_of_archives(
    collection: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    from pass_dataset.archives.index import open_index

    tar = collection.folder / "PASS.0.tar"
    write_tar(tar, {"\x1b]0;owned\x07.txt": b"", "a\x1b[31m.jpg": b"x"})
    collection.describe()
    open_index(collection.archives())
    assert "owned" in caplog.text
    assert "\x1b" not in caplog.text
