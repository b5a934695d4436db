"""Shells complete both commands by the scripts that `completion` writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pass_dataset.commands import main as pass_dataset
from pass_dataset.commands.completion import SHELLS
from pass_dataset.commands.passify import main as passify

MAINS = {"pass-dataset": pass_dataset.main, "passify": passify.main}

#: What a shell offers for the last of some words. Each starts bare, reads the script as a user's
#: start-up file would, and is asked as if Tab was pressed.
BASH = """
source "$1"; shift
declare -F _completion_loader >/dev/null || true
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
spec=$(complete -p "$1")
function=${spec##*-F }; function=${function%% *}
"$function" "$1" "${@: -1}" "${@: -2:1}" 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = """
source $argv[1]
complete --do-complete "$argv[2..]"
"""
#: Zsh completes in its line editor alone, which needs a terminal. What is awaited, a pattern, is
#: waited for.
ZSH = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=(${1:h} \\$fpath)"
zpty -w shell 'autoload -Uz compinit; compinit -u -D; print READ""Y'
zpty -r -m shell answer '*READY*'
zpty -w -n shell "$2"$'\\t'
zpty -r -m shell answer "*$3*"
zpty -d shell
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("completion")


def written(name: str, shell: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The script, as the command prints it."""
    assert MAINS[name](["completion", shell]) == 0
    path = folder / (f"_{name}" if shell == "zsh" else f"{name}.{shell}")
    path.write_text(capsys.readouterr().out)
    return path


def ask(shell: str, code: str, script: Path, words: list[str], folder: Path) -> list[str]:
    given = [str(script), *words] if shell == "bash" else [str(script), " ".join(words)]
    options = {"bash": ["--norc", "-c", code, "bash"], "fish": ["--no-config", "-c", code]}[shell]
    done = subprocess.run(
        [shell, *options, *given], capture_output=True, text=True, cwd=folder, timeout=60
    )
    assert done.returncode == 0, done.stderr
    # Fish adds what its help says, after a tab.
    return sorted(line.split("\t")[0].strip() for line in done.stdout.splitlines() if line)


CASES = [
    (["pass-dataset", "dow"], ["download"]),
    (["pass-dataset", "verify"], ["verify", "verify-build"]),
    (["pass-dataset", "download", "--par"], ["--parts"]),
    (["pass-dataset", "build", "t"], ["tfds"]),
    (["pass-dataset", "build", "tfds", "--format", "arr"], ["array_record"]),
    (["pass-dataset", "completion", "z"], ["zsh"]),
    (["pass-dataset", "download", "arch"], ["archives/"]),
    (["passify", "r"], ["report", "run"]),
    (["passify", "run", "--slurm-gpu-p"], ["--slurm-gpu-partition"]),
    (["passify", "run", "--executor", "r"], ["ray"]),
    (["passify", "export", "RUN", "--as", "hard"], ["hardlink"]),
]


@pytest.mark.parametrize(("words", "offered"), CASES, ids=lambda value: " ".join(value))
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_offered(
    shell: str,
    words: list[str],
    offered: list[str],
    scripts: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    (tmp_path / "archives").mkdir()
    script = written(words[0], shell, scripts, capsys)
    code = {"bash": BASH, "fish": FISH}[shell]
    found = ask(shell, code, script, words, tmp_path)
    assert [word.rstrip("/") for word in found] == [word.rstrip("/") for word in offered]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
@pytest.mark.parametrize(
    ("words", "offered"),
    [case for case in CASES if len(case[1]) == 1 and "/" not in case[1][0]],
    ids=lambda value: " ".join(value),
)
def test_zsh_completes(
    words: list[str], offered: list[str], scripts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = written(words[0], "zsh", scripts, capsys)
    line = " ".join(words)
    # Without a match it would wait for ever.
    subprocess.run(
        ["zsh", "-f", "-c", ZSH, "zsh", script, line, offered[0]], check=True, timeout=60
    )


@pytest.mark.parametrize("name", MAINS)
@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_sound(
    shell: str, name: str, scripts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    subprocess.run([shell, "-n", written(name, shell, scripts, capsys)], check=True)


def test_unknown_shell() -> None:
    with pytest.raises(SystemExit) as caught:
        pass_dataset.main(["completion", "cmd.exe"])
    assert caught.value.code == 2
