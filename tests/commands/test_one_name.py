"""One name for one thing, over all commands of both command lines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset.commands import main as pass_dataset
from pass_dataset.commands.curate import main as curate
from pass_dataset.commands.download import _policy
from pass_dataset.commands.evaluate import main as evaluate
from pass_dataset.commands.parser import CommandParser
from pass_dataset.commands.passify import main as passify
from pass_dataset.downloads.retries import MIN_BYTES_PER_S
from tests.support.collection import Collection

COMMAND_LINES = {
    "pass-dataset": pass_dataset,
    "passify": passify,
    "pass-curate": curate,
    "pass-evaluate": evaluate,
}


def leaves() -> Iterator[CommandParser]:
    """All commands that do something."""

    def below(parser: CommandParser) -> Iterator[CommandParser]:
        if not parser.commands:
            yield parser
        for command in parser.commands.values():
            yield from below(command)

    for module in COMMAND_LINES.values():
        whole = module.make_parser()
        whole.fill()
        yield from below(whole)


COMMANDS = {parser.prog: parser for parser in leaves()}

#: What commands print as they are asked to: lists, pages and scripts are no reports; what `demo`
#: and `work` do is looked at elsewhere.
NO_REPORT = {
    "pass-curate completion",
    "pass-curate hash",
    "pass-curate ledger",
    "pass-curate profiles",
    "pass-dataset catalog",
    "pass-dataset completion",
    "pass-dataset credits",
    "pass-dataset croissant",
    "pass-dataset demo",
    "pass-evaluate completion",
    "pass-evaluate embed",
    "passify completion",
    "passify dropped",
    "passify keep",
    "passify report",
    "passify work",
}
#: A build is told from what it was made of, and the columns of a published release are known.
ARCHIVES_MAY_BE_MISSING = {
    "pass-dataset croissant",
    "pass-dataset credits",
    "pass-dataset diff",
    "pass-dataset verify-build",
}
#: These mean other kinds of files in each command.
MANY_KINDS = {"--classes", "--out", "--to"}


def options_of(parser: CommandParser) -> dict[str, argparse.Action]:
    return {name: action for action in parser._actions for name in action.option_strings}


def shown(action: argparse.Action) -> object:
    """What stands behind the option in the help."""
    if action.nargs == 0:
        return None
    if action.choices and action.metavar is None:
        return tuple(action.choices)
    return action.metavar or action.dest.upper()


every_command = pytest.mark.parametrize("parser", COMMANDS.values(), ids=COMMANDS)


def test_an_option_is_the_same_everywhere() -> None:
    seen: dict[str, dict[object, str]] = {}
    for prog, parser in COMMANDS.items():
        for name, action in options_of(parser).items():
            kinds = "--format" if name == "--format" else shown(action)
            seen.setdefault(name, {}).setdefault(kinds, prog)
    different = {name: kinds for name, kinds in seen.items() if len(kinds) > 1}
    assert different.keys() <= MANY_KINDS, different


@every_command
def test_there_are_examples_and_all_is_explained(parser: CommandParser) -> None:
    assert (parser.epilog or "").startswith("examples:")
    for action in parser._actions:
        assert action.help or "--version" in action.option_strings, action


@every_command
def test_no_other_names(parser: CommandParser) -> None:
    options = options_of(parser)
    assert not options.keys() & {"--part", "--mirror-url", "--archive", "--dir-out", "--output"}
    assert ("--mirror" in options) == ("--mirrors" in options)
    if "--archives" in options:
        assert options["--archives"].metavar == "DIR"
        assert "PASS_ARCHIVES" in (options["--archives"].help or "") or any(
            action.dest == "folder" and "PASS_ARCHIVES" in (action.help or "")
            for action in parser._actions
        )


@every_command
def test_reports_can_be_read_by_programs(parser: CommandParser) -> None:
    has_json = "--json" in options_of(parser)
    assert has_json != (parser.prog in NO_REPORT)


TAKE_ARCHIVES = sorted(
    prog for prog, parser in COMMANDS.items() if "--archives" in options_of(parser)
)


def test_which_commands_take_archives() -> None:
    assert {"pass-dataset build tfds", "pass-dataset index", "passify verify"} <= {*TAKE_ARCHIVES}
    assert {*TAKE_ARCHIVES} >= ARCHIVES_MAY_BE_MISSING


def words_for(prog: str, tmp_path: Path) -> list[str]:
    """A command line without its archives."""
    more = {
        "pass-dataset checksums": ["--version", "1.0.0", "--out", str(tmp_path / "c.tsv")],
        "pass-dataset build parquet": ["--out", str(tmp_path / "parquet")],
        "pass-dataset build webdataset": ["--out", str(tmp_path / "webdataset")],
        "pass-dataset build tfds": ["--data-dir", str(tmp_path / "tfds")],
        "pass-dataset stats": ["--out", str(tmp_path / "s.html")],
        "pass-dataset download": ["--dry-run"],
    }
    return [*prog.split()[1:], *more.get(prog, [])]


@pytest.mark.parametrize("prog", sorted({*TAKE_ARCHIVES} - ARCHIVES_MAY_BE_MISSING))
def test_archives_are_named_or_the_command_says_how(
    prog: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("PASS_ARCHIVES", raising=False)
    module = COMMAND_LINES[prog.split()[0]]
    words = words_for(prog, tmp_path)
    with pytest.raises(SystemExit) as caught:
        module.main(words)
    assert caught.value.code == 2
    assert "set PASS_ARCHIVES to it" in capsys.readouterr().err

    monkeypatch.setenv("PASS_ARCHIVES", str(tmp_path / "named"))
    parsed = module.make_parser().parse_args(words)
    assert parsed.archives == tmp_path / "named"
    parsed = module.make_parser().parse_args([*words, "--archives", str(tmp_path / "given")])
    assert parsed.archives == tmp_path / "given"


@pytest.mark.parametrize(
    "prog",
    ["index", "verify", "stats", "checksums", "build parquet", "build webdataset", "download"],
)
def test_archives_of_the_environment_are_used(
    prog: str,
    collection: Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PASS_ARCHIVES", str(collection.folder))
    words = words_for(f"pass-dataset {prog}", tmp_path)
    if prog != "checksums":
        words += ["--release", str(collection.tsv)]
    assert pass_dataset.main([*words, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_archives_are_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        pass_dataset.main(["verify", "one", "--archives", "two"])
    assert "give the archive folder once" in capsys.readouterr().err


# --- dry runs make nothing ------------------------------------------------------------------------

DRY = sorted(prog for prog, parser in COMMANDS.items() if "--dry-run" in options_of(parser))


def test_commands_with_dry_runs() -> None:
    assert DRY == ["pass-dataset download", "pass-dataset purge", "pass-dataset push"]


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() or path.is_dir()
    }


def build(collection: Collection, out: Path) -> None:
    words = ["build", "parquet", "--archives", str(collection.folder), "--out", str(out)]
    assert pass_dataset.main([*words, "--release", str(collection.tsv)]) == 0


@pytest.mark.parametrize("prog", DRY)
def test_dry_runs_make_nothing(
    prog: str,
    collection: Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    parquet = tmp_path / "parquet"
    words = {
        "pass-dataset download": [
            str(tmp_path / "new" / "folder"),
            "--release",
            str(collection.tsv),
        ],
        "pass-dataset purge": [
            str(collection.folder),
            "--release",
            str(collection.tsv),
            "--list",
            str(tmp_path / "gone.txt"),
        ],
        "pass-dataset push": [str(parquet), "me/birds", "--unverified"],
    }[prog]
    if prog == "pass-dataset push":
        build(collection, parquet)
    (tmp_path / "gone.txt").write_text("0" * 31 + "1\n")
    before = everything_in(tmp_path)
    assert pass_dataset.main([*prog.split()[1:], *words, "--dry-run"]) == 0
    assert everything_in(tmp_path) == before
    assert capsys.readouterr().out


# --- sizes, plurals, secrets ----------------------------------------------------------------------


def test_sizes_are_for_people_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert pass_dataset.main(["releases"]) == 0
    out = capsys.readouterr().out
    assert "179,640,190,811 bytes (167.3 GiB)" in out
    assert "PASS.9.tar" in out and "pass_metadata.csv" in out


def test_one_shard(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(collection, tmp_path / "parquet")
    assert "15 images in 1 file, " in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["download", "{tmp}", "--parts", "0", "--mirrors", "https://me:secret@host:99999/"],
        ["download", "{tmp}", "--mirrors", "http://me:secret@[::1"],
        ["remove", "--list", "http://me:secret@host/list", "{tmp}"],
        ["remove", "--list", "https://me:secret@host/list?key=secret", "{tmp}"],
    ],
)
def test_passwords_are_not_said_again(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = tmp_path / "own.tsv"
    release.write_text(
        "# name\tbirds\n# version\t1.0.0\n"
        f"-\t5\t{'0' * 64}\tPASS.0.tar\n-\t5\t{'1' * 64}\tpass_metadata.csv\n"
    )
    given = [word.replace("{tmp}", str(tmp_path / "out")) for word in words]
    if given[0] == "download":
        given += ["--release", str(release)]
    assert pass_dataset.main(given) == 1
    said = capsys.readouterr()
    assert "secret" not in said.out + said.err
    assert "Traceback" not in said.err


def test_floor_of_speed_is_the_one_that_is_told() -> None:
    told = options_of(COMMANDS["pass-dataset download"])["--min-speed"].help or ""
    assert f"default {MIN_BYTES_PER_S:.0f}" in told
    assert _policy(None).min_bytes_per_s == MIN_BYTES_PER_S
    assert _policy(5.0).min_bytes_per_s == 5.0


@pytest.mark.parametrize("text", ["9" * 5000, "-1", "1.5"])
def test_absurd_numbers_end_in_a_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--connections", "--min-speed"):
        with pytest.raises(SystemExit):
            pass_dataset.main(["download", "x", f"{option}={text}"])
        err = capsys.readouterr().err
        assert "expected a number" in err and len(err) < 2000
