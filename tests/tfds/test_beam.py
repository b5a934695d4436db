"""A build on Beam's local runner with two processes has the files of the local build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pass_dataset.tfds.frames import FORMATS
from tests.support.collection import Collection
from tests.support.digests import digests

pytest.importorskip("tensorflow_datasets")
pytest.importorskip("apache_beam", reason="needs Apache Beam: pip install 'pass-dataset[beam]'")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file_format", FORMATS)
def test_same_files(quiet_tfds: Any, many: Collection, tmp_path: Path, file_format: str) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions

    from pass_dataset.tfds.pass_dataset_builder import Builder

    on_beam = {
        "beam_runner": "DirectRunner",
        "beam_options": PipelineOptions(
            ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
        ),
    }
    found = []
    for name, runner in (("local", {}), ("beam", on_beam)):
        made = Builder(release=many.tsv, data_dir=tmp_path / name, file_format=file_format)
        config = quiet_tfds.download.DownloadConfig(manual_dir=many.folder, num_shards=6, **runner)
        made.download_and_prepare(download_config=config)
        assert made.info.splits["train"].num_examples == len(many.hashes)
        found.append(digests(Path(made.data_dir)))
    assert found[0] == found[1]
    assert len(found[0]) == 8
