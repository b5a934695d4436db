"""In processes of their own: what is imported, and what is said where something is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives import mini
from tests.support.collection import Collection


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


#: Stands before code that is to run as if these were not installed.
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def test_needs_neither_tensorflow_nor_datasets() -> None:
    others = ("tensorflow", "tensorflow_datasets", "datasets", "pandas", "torchvision")
    code = (
        WITHOUT.format(modules=others)
        + f"""
from torch.utils.data import DataLoader
from pass_dataset.torch import PASS, PassStream
root, release = {str(mini.ARCHIVES)!r}, {str(mini.CHECKSUMS)!r}
dataset = PASS(root, release, decode="tensor", target="hash")
assert dataset[0][0].shape[0] == 3
assert len(list(DataLoader(dataset, 8, collate_fn=list, num_workers=1))) == 8
assert len(list(PassStream(root, release, target=None))) == 64
assert not set(sys.modules) & set({others})
print("done")
"""
    )
    done = python(code)
    assert done.stdout == "done\n", done.stderr


@pytest.mark.slow
def test_reading_does_not_import_pandas(many: Collection) -> None:
    """Arrow does where it can, which takes a worker longer than its first batches."""
    PassArchive(many.folder, many.tsv)  # making the index may
    code = f"""
import sys
from pass_dataset.torch import PASS, PassStream
root, release = {str(many.folder)!r}, {str(many.tsv)!r}
assert len(list(PassStream(root, release, decode="jpeg"))) == 600
assert len(PASS(root, release, decode="bytes").__getitems__([3, 4])) == 2
assert "pandas" not in sys.modules
print("done")
"""
    done = python(code)
    assert done.stdout == "done\n", done.stderr


@pytest.mark.slow
def test_says_how_to_install_what_is_missing() -> None:
    for missing in ("torch", "PIL"):
        done = python(WITHOUT.format(modules=(missing,)) + "from pass_dataset.torch import PASS")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == (
            "pass_dataset.errors.MissingExtraError: pass_dataset.torch needs the package "
            f"{missing!r}, which is not installed. Install it with: "
            "pip install 'pass-dataset[torch]'"
        )


@pytest.mark.slow
def test_script_without_a_guard() -> None:
    """In a script without a guard, as workers are forked; PyTorch warns of what it dislikes."""
    script = f"""
import sys
from torch.utils.data import DataLoader
from pass_dataset.torch import PassStream
stream = PassStream({str(mini.ARCHIVES)!r}, {str(mini.CHECKSUMS)!r}, target="index",
                    decode="bytes", batch_size=16)
loader = DataLoader(stream, batch_size=16, num_workers=1, persistent_workers=True,
                    multiprocessing_context="fork")
seen = []
for epoch in range(2):
    stream.set_epoch(epoch)
    seen.append([index for _, indices in loader for index in indices.tolist()])
assert sorted(seen[0]) == sorted(seen[1]) == list(range(64)) and seen[0] != seen[1]
print("done")
"""
    done = python(script)
    assert done.stdout == "done\n", done.stderr
