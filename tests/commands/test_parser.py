"""The table of commands: what is loaded when, and what is said to those who mistype."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from pass_dataset.commands import main as pass_dataset
from pass_dataset.commands.parser import CommandParser
from pass_dataset.commands.passify import main as passify

COMMAND_LINES = {"pass-dataset": pass_dataset, "passify": passify}

#: Asks a command line for everything that is to be told at once, and names what that has loaded.
LIGHT = """
import contextlib, importlib, io, sys

HEAVY = {"numpy", "pyarrow", "requests", "urllib3", "rich", "filelock", "jinja2", "shtab", "PIL",
         "tensorflow", "torch", "onnxruntime", "datasets", "ray", "pandas"}
main = importlib.import_module(sys.argv[1])

def ask(*words):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            main.main(words)
        except SystemExit:
            pass
    for name in sorted(HEAVY & set(sys.modules)):
        print(name, "is loaded by:", *words)

def paths(commands, before=()):
    for name, command in commands.items():
        yield (*before, name)
        yield from paths(command.commands, (*before, name))

ask("--help")
print("loaded:", *sorted(name for name in sys.modules if name.startswith("pass_dataset.commands.")))
whole = main.make_parser()
whole.fill()
for path in paths(whole.commands):
    ask(*path, "--help")
    ask(*path, "--nothing-of-the-kind")
print("asked:", len(list(paths(whole.commands))))
"""


def told_at_once(module: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, module], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_help_and_wrong_usage_load_no_library(name: str) -> None:
    module = COMMAND_LINES[name]
    first, *heavy, last = told_at_once(module.__name__)
    assert heavy == []
    assert int(last.removeprefix("asked: ")) >= len(module.COMMANDS) > 10
    # The list of commands has loaded none of them.
    loaded = set(first.split()[1:])
    assert loaded.isdisjoint(command.module for command in module.COMMANDS)


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_every_command_runs_something_and_says_what(name: str) -> None:
    whole = COMMAND_LINES[name].make_parser()
    whole.fill()

    def check(parser: CommandParser) -> None:
        for below in parser.commands.values():
            assert below.commands or callable(below.get_default("run")), below.prog
            assert below.description and below.description.endswith(".")
            check(below)

    check(whole)
    assert whole.get_default("parser") is whole


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What is said of arguments that are wrong."""

    def call(name: str, *arguments: str) -> str:
        with pytest.raises(SystemExit) as caught:
            COMMAND_LINES[name].main(arguments)
        assert caught.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        return err

    return call


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("pass-dataset", "downlod"), "download"),
        (("pass-dataset", "-v", "verify-biuld", "OUT"), "verify-build"),
        (("pass-dataset", "build", "tdfs"), "tfds"),
        (("pass-dataset", "--verison"), "--version"),
        (("pass-dataset", "download", "DEST", "--realease", "3.0.0"), "--release"),
        (("pass-dataset", "verify", "DEST", "--quik"), "--quick"),
        # What is missing for it is what was mistyped.
        (("passify", "run", "photographs", "--otu=run"), "--out"),
        (
            ("passify", "run", "photographs", "--out", "run", "--slurm-acount", "a"),
            "--slurm-account",
        ),
    ],
)
def test_mistypes(refused: Callable[..., str], words: tuple[str, ...], meant: str) -> None:
    assert refused(*words).endswith(f"\nDid you mean {meant}?\n")


@pytest.mark.parametrize(
    "words",
    [
        ("pass-dataset", "zzz"),
        ("pass-dataset", "download"),
        ("pass-dataset", "download", "DEST", "--parts", "a"),
        ("passify", "status", "RUN", "--zzz"),
    ],
)
def test_nothing_is_meant(refused: Callable[..., str], words: tuple[str, ...]) -> None:
    err = refused(*words)
    assert f"{words[0]}" in err and ": error: " in err
    assert "Did you mean" not in err


def test_usage_is_that_of_the_command(refused: Callable[..., str]) -> None:
    err = refused("pass-dataset", "verify", "DEST", "--zzz", "1")
    assert err.startswith("usage: pass-dataset verify ")
    assert "pass-dataset verify: error: unrecognized arguments: --zzz 1" in err


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_the_bare_command_lists_what_there_is(refused: Callable[..., str], name: str) -> None:
    err = refused(name)
    assert err.startswith(f"usage: {name} ")
    for command in COMMAND_LINES[name].COMMANDS:
        assert f"    {command.name}" in err


def test_bare_build_lists_the_libraries(refused: Callable[..., str]) -> None:
    assert "webdataset" in refused("pass-dataset", "build")


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_examples_in_help_can_be_called(name: str) -> None:
    """As far as their arguments: they name folders that are not here."""
    whole = COMMAND_LINES[name].make_parser()
    whole.fill()

    def check(parser: CommandParser) -> int:
        found = 0
        for line in (parser.epilog or "").splitlines()[1:]:
            words = line.split("#")[0].split()
            if words[0] == name and "--help" not in words:
                stop = next((words.index(mark) for mark in ("|", ">") if mark in words), len(words))
                assert callable(COMMAND_LINES[name].make_parser().parse_args(words[1:stop]).run)
                found += 1
        return found + sum(check(below) for below in parser.commands.values())

    assert check(whole) >= 10
