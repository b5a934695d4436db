"""Shells complete our commands by the scripts that `completion` writes."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import pytest

from pass_dataset.commands.completion import SHELLS, add_completion, completion_script


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    """A command as ours are made."""
    made = argparse.ArgumentParser(prog="pass-dataset")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    download = commands.add_parser("download", help="fetch a release: 100 %% of it")
    download.add_argument("folder", type=Path)
    download.add_argument("--parts")
    build = commands.add_parser("build", help="write a release")
    formats = build.add_subparsers(metavar="LIBRARY", required=True)
    tfds = formats.add_parser("tfds", help="write shards")
    tfds.add_argument("--format", choices=["array_record", "tfrecord"])
    add_completion(commands, made)
    return made


def completed(script: str, words: list[str], folder: Path) -> list[str]:
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    ask = f"""{script}
COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}
COMPREPLY=(); _shtab_pass_dataset; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", ask], capture_output=True, text=True, check=True, cwd=folder
    )
    return [word.strip() for word in done.stdout.split()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pass-dataset", "dow"], ["download"]),
        (["pass-dataset", "download", "--p"], ["--parts"]),
        (["pass-dataset", "build", "t"], ["tfds"]),
        (["pass-dataset", "build", "tfds", "--format", "arr"], ["array_record"]),
        (["pass-dataset", "completion", "z"], ["zsh"]),
        (["pass-dataset", "download", "arch"], ["archives"]),
    ],
)
def test_bash(
    parser: argparse.ArgumentParser, tmp_path: Path, words: list[str], offered: list[str]
) -> None:
    (tmp_path / "archives").mkdir()
    assert completed(completion_script(parser, "bash"), words, tmp_path) == offered


def test_command(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    options = parser.parse_args(["completion", "zsh"])
    assert options.run(options) == 0
    assert capsys.readouterr().out.startswith("#compdef pass-dataset")


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_sound(parser: argparse.ArgumentParser, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    script = completion_script(parser, shell)
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_unknown_shell(parser: argparse.ArgumentParser) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["completion", "fish"])
