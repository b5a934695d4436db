"""Each protocol against plain code written from its published definition."""

from __future__ import annotations

import random
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.svm import LinearSVC

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.protocols.kmeans import cluster, kmeans
from pass_dataset.evaluate.protocols.knn import knn, predict_knn
from pass_dataset.evaluate.protocols.linear import linear, train_layer, trained_layers
from pass_dataset.evaluate.protocols.logistic import fit, logistic, split
from pass_dataset.evaluate.protocols.running import Probed, run_protocols
from pass_dataset.evaluate.protocols.statistics import average_precision
from pass_dataset.evaluate.protocols.svm import decision_values, draw_shots, svm, unit_features

CLASSES, WIDTH = 4, 24


def made(count: int, seed: int, noise: float = 1.5) -> tuple[Any, Any]:
    """Features around one centre a class, and the classes."""
    centres = np.random.default_rng(99).normal(size=(CLASSES, WIDTH))
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    features = centres[labels] + noise * generator.normal(size=(count, WIDTH))
    return features.astype(np.float16), labels


TRAIN, TRAIN_LABELS = made(120, 1)
TEST, TEST_LABELS = made(130, 2)


def several(labels: Any) -> Any:
    """Several labels an image, some of them difficult."""
    signs = np.where(labels[:, None] == np.arange(CLASSES), 1, -1).astype(np.int8)
    signs[::7, 1] = 1
    signs[::11, 2] = 0
    return signs


# --- k-means --------------------------------------------------------------------------------------


def test_clusters_are_those_of_faiss() -> None:
    data = TEST.astype(np.float32)
    plain = faiss.Kmeans(
        WIDTH, CLASSES, niter=50, nredo=5, seed=1234, max_points_per_centroid=10_000
    )
    plain.train(data)
    assert (cluster(data, CLASSES, 1234) == plain.index.search(data, 1)[1][:, 0]).all()


def test_all_points_are_clustered() -> None:
    """FAISS's default takes 256 a cluster, of which there are more here."""
    data = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    plain = faiss.Kmeans(2, 2, niter=50, nredo=5, seed=1234)
    plain.train(data)
    all_of_them = faiss.Kmeans(2, 2, niter=50, nredo=5, seed=1234, max_points_per_centroid=1000)
    all_of_them.train(data)
    assert not np.array_equal(plain.centroids, all_of_them.centroids)
    assert (cluster(data, 2, 1234) == all_of_them.index.search(data, 1)[1][:, 0]).all()


def test_measures_of_clusters_are_those_of_scikit_learn() -> None:
    information, rand = kmeans(TEST, TEST_LABELS, seeds=(1, 2))
    for run, seed in enumerate((1, 2)):
        found = cluster(TEST.astype(np.float32), CLASSES, seed)
        assert information.runs[run] == pytest.approx(
            100 * normalized_mutual_info_score(TEST_LABELS, found)
        )
        assert rand.runs[run] == pytest.approx(100 * adjusted_rand_score(TEST_LABELS, found))
    assert information.value == pytest.approx(information.statistic.value())
    weights = np.random.default_rng(3).integers(0, 3, len(TEST))
    repeated = np.repeat(np.arange(len(TEST)), weights)
    found = rand.statistic.clusters[:, repeated]
    assert rand.statistic.value(weights) == pytest.approx(
        100 * np.mean([adjusted_rand_score(TEST_LABELS[repeated], run) for run in found])
    )


# --- nearest neighbours ---------------------------------------------------------------------------


def dino_knn(train: Any, labels: Any, test: Any, k: int, temperature: float) -> Any:
    """The classifier of DINO's eval_knn.py, for all test images at once."""
    train, test = (torch.nn.functional.normalize(torch.tensor(x), dim=1) for x in (train, test))
    distances, indices = torch.mm(test, train.t()).topk(k, largest=True, sorted=True)
    candidates = torch.tensor(labels).view(1, -1).expand(len(test), -1)
    neighbours = torch.gather(candidates, 1, indices)
    one_hot = torch.zeros(len(test) * k, CLASSES)
    one_hot.scatter_(1, neighbours.view(-1, 1), 1)
    weights = distances.clone().div_(temperature).exp_()
    probabilities = (one_hot.view(len(test), -1, CLASSES) * weights.view(len(test), -1, 1)).sum(1)
    return probabilities.sort(1, True)[1][:, 0].numpy()


@pytest.mark.parametrize("k", [1, 10, 20, 100])
def test_neighbours_are_those_of_dino(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pass_dataset.evaluate.protocols.knn._TRAIN_ROWS", 32)
    monkeypatch.setattr("pass_dataset.evaluate.protocols.knn._TEST_ROWS", 50)
    told = predict_knn(TRAIN, TRAIN_LABELS, TEST, k, 0.07)
    expected = dino_knn(TRAIN.astype(np.float32), TRAIN_LABELS, TEST.astype(np.float32), k, 0.07)
    assert (told == expected).all()


def test_few_test_images_and_neighbours() -> None:
    outcome = knn(TRAIN[:6], TRAIN_LABELS[:6], TEST[:3], TEST_LABELS[:3])
    assert 0 <= outcome.value <= 100


# --- support vector machines ----------------------------------------------------------------------


@pytest.mark.parametrize("images", [120, 12])
def test_decision_values_are_those_of_scikit_learn(images: int) -> None:
    """Of more images than dimensions, and of fewer, one of them twice."""
    signs = several(TRAIN_LABELS)[:images]
    signs[signs == 0] = -1
    own = TRAIN[:images].copy()
    own[1] = own[0]
    train, test = (x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-5) for x in
                   (own.astype(np.float64), TEST.astype(np.float64)))  # fmt: skip
    found = decision_values(unit_features(own), signs, unit_features(TEST))
    for number in range(CLASSES):
        plain = LinearSVC(
            C=0.5, class_weight={1: 2, -1: 1}, intercept_scaling=1.0, penalty="l2",
            loss="squared_hinge", tol=1e-4, dual=True, max_iter=2000, random_state=0,
        ).fit(train, signs[:, number])  # fmt: skip
        assert np.abs(plain.decision_function(test) - found[:, number]).max() < 1e-4


def test_draws_are_those_of_pcl() -> None:
    signs = several(TRAIN_LABELS)
    draws = draw_shots(signs, (1, 4), 2)
    random.seed(0)
    for shot in (1, 4):
        for run in range(2):
            images: list[int] = []
            for number in range(CLASSES):
                own = [row for row in range(len(signs)) if signs[row, number] == 1]
                random.shuffle(own)
                images += own[:shot]
            assert draws[shot][run].tolist() == images


def pcl_average_precision(scores: Any, there: Any) -> float:
    """Area under the envelope, as in PCL's code and in VOC's from 2010 on."""
    order = np.argsort(-scores)
    hits = there[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    recall = np.cumsum(hits) / hits.sum()
    recall = np.concatenate([[0.0], recall, [1.0]])
    precision = np.concatenate([[0.0], precision, [0.0]])
    for place in range(len(precision) - 2, -1, -1):
        precision[place] = max(precision[place], precision[place + 1])
    steps = np.where(recall[1:] != recall[:-1])[0]
    return float(np.sum((recall[steps + 1] - recall[steps]) * precision[steps + 1]))


def test_average_precision_is_that_of_pcl() -> None:
    generator = np.random.default_rng(5)
    for _ in range(20):
        scores, there = generator.normal(size=60), generator.random(60) < 0.2
        there[0] = True
        expected = pcl_average_precision(scores, there)
        assert abs(average_precision(scores, there) - expected) < 1e-6
        weights = generator.integers(0, 3, 60)
        repeated = np.repeat(np.arange(60), weights)
        if there[repeated].any():
            # Equal scores lie beside each other, so that a repeated image is counted at once.
            found = average_precision(scores, there, weights)
            assert found >= pcl_average_precision(scores[repeated], there[repeated]) - 1e-9


def test_low_shot_of_one_and_of_several_labels() -> None:
    one = list(svm(TRAIN, TRAIN_LABELS, TEST, TEST_LABELS, shots=(1, 16), runs=3))
    assert [each.protocol for each in one] == ["SVM k=1", "SVM k=16"]
    assert one[0].value < one[1].value
    many = list(svm(TRAIN, several(TRAIN_LABELS), TEST, several(TEST_LABELS), shots=(4,), runs=2))
    assert many[0].metric == "mAP"
    assert many[0].value == pytest.approx(many[0].statistic.value())


# --- the linear layer -----------------------------------------------------------------------------


def moco_linear(batch: int, epochs: int, seed: int) -> Any:
    """The layer of MoCo's main_lincls.py after each epoch, written as it is there."""
    layer = torch.nn.Linear(WIDTH, CLASSES)
    generator = torch.Generator().manual_seed(seed)
    layer.weight.data.normal_(mean=0.0, std=0.01, generator=generator)
    layer.bias.data.zero_()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(layer.parameters(), 30.0, momentum=0.9, weight_decay=0.0)
    inputs, targets = torch.tensor(TRAIN).float(), torch.tensor(TRAIN_LABELS)
    for epoch in range(epochs):
        rate = 30.0
        for milestone in (60, 80):
            rate *= 0.1 if epoch >= epochs * milestone // 100 else 1.0
        for group in optimizer.param_groups:
            group["lr"] = rate
        for places in torch.randperm(len(targets), generator=generator).split(batch):
            # Which images are in a batch matters, their order there but for rounding.
            places = places.sort().values
            loss = criterion(layer(inputs[places]), targets[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield layer


@pytest.mark.parametrize("held", [0, 1 << 20])
def test_layer_is_that_of_plain_pytorch(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each of the 100 epochs, to a part in 100,000; whether read in batches or held."""
    monkeypatch.setattr("pass_dataset.evaluate.protocols.linear.BATCH", 50)
    monkeypatch.setattr("pass_dataset.evaluate.protocols.linear._HELD", held)
    ours = trained_layers([TRAIN], TRAIN_LABELS, CLASSES, seed=3)
    epochs = 0
    for one, other in zip(ours, moco_linear(50, 100, 3), strict=True):
        epochs += 1
        for name, weight in other.state_dict().items():
            apart = (one.state_dict()[name] - weight).abs().max()
            assert apart <= 1e-5 * max(1, weight.abs().max()), (epochs, name)
    assert epochs == 100


def test_one_update_is_that_of_the_formula() -> None:
    """Of SGD's first step at a rate of 30, in float64 and without autograd."""
    (layer,) = trained_layers([TRAIN], TRAIN_LABELS, CLASSES, seed=3, epochs=1)
    first = torch.empty(CLASSES, WIDTH).normal_(0, 0.01, generator=torch.Generator().manual_seed(3))
    inputs, targets = torch.tensor(TRAIN).double(), torch.tensor(TRAIN_LABELS)
    error = (inputs @ first.double().T).softmax(1) - torch.eye(CLASSES)[targets]
    # The only epoch is after both drops.
    update = -0.3 * error.T @ inputs / len(targets)
    assert (layer.weight.double() - first - update).abs().max() < 1e-5
    assert (layer.bias.double() + 0.3 * error.mean(0)).abs().max() < 1e-5


def test_layer_is_asked_after_the_last_drop() -> None:
    told = train_layer([TRAIN], TRAIN_LABELS, TEST, CLASSES, seed=3, epochs=10)
    assert len(told) == 2
    *_, last = trained_layers([TRAIN], TRAIN_LABELS, CLASSES, seed=3, epochs=10)
    assert (told[-1] == last(torch.tensor(TEST).float()).argmax(1).numpy()).all()


def test_linear_takes_views_in_turn() -> None:
    """Every second epoch sees the second view, and puts right what the first one taught."""
    turned = linear([-TRAIN], TRAIN_LABELS, TEST, TEST_LABELS, seeds=(0,), epochs=6)
    outcome = linear([-TRAIN, TRAIN], TRAIN_LABELS, TEST, TEST_LABELS, seeds=(0,), epochs=6)
    assert outcome.runs[0] > turned.runs[0]
    assert "best epoch on the test set" in outcome.notes[0]


# --- logistic regression --------------------------------------------------------------------------


@pytest.mark.parametrize("images", [len(TRAIN), TRAIN.shape[1] // 2])
def test_regression_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch, images: int) -> None:
    """Of more images than dimensions, and of fewer."""
    train, labels = TRAIN[:images], TRAIN_LABELS[:images]
    rows = train.astype(np.float64)
    mean, scale = rows.mean(0), rows.std(0)
    plain = LogisticRegression(C=0.05, tol=1e-8, max_iter=2000).fit((rows - mean) / scale, labels)
    expected = plain.predict_proba((TEST - mean) / scale)
    for block in (32_768, images // 3):
        # In memory, and piece by piece.
        monkeypatch.setattr("pass_dataset.evaluate.protocols.logistic._ROWS", block)
        scores = fit(train, labels, CLASSES, 0.05).scores(TEST)
        found = torch.tensor(scores).softmax(1).numpy()
        assert np.abs(found - expected).max() < 2e-2


def test_strength_is_chosen_without_the_test_set() -> None:
    outcome = logistic(TRAIN, TRAIN_LABELS, TEST, TEST_LABELS)
    other = logistic(TRAIN, TRAIN_LABELS, TEST, (TEST_LABELS + 1) % CLASSES)
    assert outcome.notes == other.notes
    assert outcome.value > 60 > other.value
    first, second = split(TRAIN_LABELS, 0)
    assert not set(first) & set(second)
    assert len(first) + len(second) == len(TRAIN_LABELS)
    assert set(TRAIN_LABELS[second]) == set(range(CLASSES))
    with pytest.raises(EvaluationError, match="one of each"):
        split(np.arange(4), 0)


def test_regression_does_not_hang_on_scale() -> None:
    """Where the linear layer at a rate of 30 does."""
    larger = (TRAIN.astype(np.float32) * 16).astype(np.float16)
    test = (TEST.astype(np.float32) * 16).astype(np.float16)
    one = logistic(TRAIN, TRAIN_LABELS, TEST, TEST_LABELS)
    two = logistic(larger, TRAIN_LABELS, test, TEST_LABELS)
    assert abs(one.value - two.value) < 1.6


# --- by name --------------------------------------------------------------------------------------


def test_by_name() -> None:
    probed = Probed([TRAIN], TRAIN, TRAIN_LABELS, TEST, TEST_LABELS)
    with pytest.raises(EvaluationError, match="no protocol"):
        run_protocols(probed, ["nothing"])
    assert [each.metric for each in run_protocols(probed, ["kmeans", "knn"])] == [
        "NMI", "aRI", "top-1",
    ]  # fmt: skip
    many = Probed([TRAIN], TRAIN, several(TRAIN_LABELS), TEST, several(TEST_LABELS))
    assert {each.metric for each in run_protocols(many, ["kmeans", "logistic"])} == {"mAP"}
