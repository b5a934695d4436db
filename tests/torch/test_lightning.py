"""Lightning goes on with a stream where a checkpoint was made, at the very next batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.collection import Collection

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("pytorch_lightning")
stateful = pytest.importorskip("torchdata.stateful_dataloader")


pass_torch = pytest.importorskip("pass_dataset.torch")

BATCH = 4
EPOCHS = 3


class Killed(Exception):
    pass


class Model(lightning.LightningModule):
    """Notes the batches it is given, by epoch."""

    def __init__(self, dies_after: int | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, ...]] = []
        self._dies_after = dies_after

    def training_step(self, batch: Any, number: int) -> Any:
        if len(self.seen) == self._dies_after:
            raise Killed
        self.seen.append((self.current_epoch, *batch[1]))
        return self.weight * len(batch[1])

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(
    collection: Collection, model: Model, folder: Path, resumed: Path | None = None
) -> list[tuple[int, ...]]:
    stream = pass_torch.PassStream(
        collection.folder,
        release=collection.tsv,
        decode="bytes",
        target="hash",
        batch_size=BATCH,
    )
    kept = lightning.callbacks.ModelCheckpoint(folder, every_n_train_steps=2, save_top_k=-1)
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[kept],
        default_root_dir=folder,
    )
    loader = stateful.StatefulDataLoader(stream, BATCH, num_workers=1)
    trainer.fit(model, loader, ckpt_path=resumed, weights_only=False)
    return model.seen


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_goes_on_at_the_next_batch(collection: Collection, tmp_path: Path) -> None:
    whole = fit(collection, Model(), tmp_path / "whole")
    orders = [[seen[1:] for seen in whole if seen[0] == epoch] for epoch in range(EPOCHS)]
    assert orders[0] != orders[1] != orders[2]
    with pytest.raises(Killed):
        fit(collection, Model(dies_after=7), tmp_path / "cut")
    (checkpoint,) = (tmp_path / "cut").glob("*step=6.ckpt")
    rest = fit(collection, Model(), tmp_path / "rest", checkpoint)
    assert rest == whole[6:]
