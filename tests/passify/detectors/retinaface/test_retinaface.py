"""RetinaFace: the published scores and boxes, whatever computes them and whatever comes along."""

from __future__ import annotations

import importlib.util
import json
import logging
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from pass_dataset.errors import MissingExtraError, WeightsError  # noqa: E402
from pass_dataset.files.cache import user_cache  # noqa: E402
from pass_dataset.images.decoding import decode  # noqa: E402
from pass_dataset.passify.detectors.detections import Detections  # noqa: E402
from pass_dataset.passify.detectors.retinaface import boxes  # noqa: E402
from pass_dataset.passify.detectors.retinaface import detector as detector_module  # noqa: E402
from pass_dataset.passify.detectors.retinaface import graph_cache as cache  # noqa: E402
from pass_dataset.passify.detectors.retinaface import runtimes as runtimes_module  # noqa: E402
from pass_dataset.passify.detectors.retinaface.detector import RetinaFace  # noqa: E402
from pass_dataset.passify.detectors.retinaface.network import (  # noqa: E402
    MobileNet,
    Network,
    ResNet,
    load_network,
)
from pass_dataset.passify.detectors.retinaface.runtimes import (  # noqa: E402
    NcnnRuntime,
    OnnxRuntime,
    Runtime,
    TorchRuntime,
)
from pass_dataset.passify.detectors.settings import DetectorSettings  # noqa: E402
from pass_dataset.passify.detectors.weights.store import VerifiedWeights  # noqa: E402

HAS_NCNN = importlib.util.find_spec("ncnn") is not None
needs_ncnn = pytest.mark.skipif(not HAS_NCNN, reason="needs ncnn")
NCNN = pytest.param("ncnn", marks=needs_ncnn)

RNG = np.random.default_rng(3)
#: Width and height of images that odd sizes of layers come from.
SIZES = [(1, 1), (7, 5), (8, 8), (9, 16), (31, 33), (2, 300), (300, 2), (64, 65), (75, 375)]


def settings(shared: Path, **others: Any) -> DetectorSettings:
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    return DetectorSettings(device="cpu", threads=1, weights=weights, **others)


def noise(width: int, height: int) -> Any:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def same(one: Detections, other: Detections, tolerance: float = 0.0) -> None:
    assert abs(one.max_score - other.max_score) <= tolerance
    assert len(one) == len(other)
    assert np.abs(one.scores - other.scores).max(initial=0) <= tolerance
    assert np.abs(one.boxes - other.boxes).max(initial=0) <= 1000 * tolerance


@pytest.fixture(autouse=True)
def one_thread():
    """Threads of PyTorch that wait for each other take long where tests share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def golden() -> tuple[list[dict[str, Any]], list[Any]]:
    """What the published code found in each readable file, and the file's pixels."""
    from tests.conftest import SHARED

    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with golden data and test images")
    expected = json.loads((SHARED / "golden" / "retinaface_mobilenet025.json").read_text())
    # The published code reads what is left of the truncated file.
    names = [name for name in expected if expected[name] and name != "bad_truncated.jpg"]
    pixels = [decode((SHARED / "images" / name).read_bytes()).pixels for name in names]
    return [expected[name] for name in names], pixels


@pytest.mark.parametrize("batch_size", [None, 1, 8])
@pytest.mark.parametrize("backend", [NCNN, "onnxruntime", "torch"])
def test_golden(golden, shared: Path, backend: Any, batch_size: int | None) -> None:
    expected, images = golden
    detector = RetinaFace(settings(shared, batch_size=batch_size), backend=backend)
    if batch_size == 1:
        found = [detector.detect([image])[0] for image in images]
    else:
        # Each size at least twice, mixed.
        found = detector.detect(images + images[::-1])[: len(images)]
    for wanted, one in zip(expected, found, strict=True):
        assert (one.max_score > 0.5) == wanted["has_face"]
        assert abs(one.max_score - wanted["max_score"]) < 1e-4
        listed = np.array(wanted["detections"], float).reshape(-1, 5)
        assert len(one) == len(listed)
        assert np.abs(one.boxes - listed[:, :4]).max(initial=0) < 0.5
        assert np.abs(one.scores - listed[:, 4]).max(initial=0) < 1e-3
        assert one.boxes.dtype == one.scores.dtype == np.float32
        assert one.classes.dtype == np.int64
        assert not one.classes.any()


@pytest.mark.parametrize("backend", [NCNN, "onnxruntime"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_odd_sizes(shared: Path, size: tuple[int, int], backend: Any) -> None:
    """By all runtimes alike; alone and among others alike."""
    images = [noise(*size) for _ in range(3)]
    found = RetinaFace(settings(shared), backend=backend).detect(images)
    by_torch = RetinaFace(settings(shared), backend="torch").detect(images)
    together = RetinaFace(settings(shared, batch_size=3), backend=backend).detect(images)
    for one, other, third in zip(found, by_torch, together, strict=True):
        same(one, other, 1e-5)
        same(one, third, 1e-6)


@pytest.mark.parametrize("backend", [NCNN, "onnxruntime"])
def test_order_and_company_do_not_matter(shared: Path, backend: Any) -> None:
    images = [noise(*size) for size in SIZES * 2]
    detector = RetinaFace(settings(shared), backend=backend)
    alone = [detector.detect([image])[0] for image in images]
    for one, other in zip(alone, detector.detect(images), strict=True):
        same(one, other)


def test_nothing_there(shared: Path) -> None:
    detector = RetinaFace(settings(shared))
    assert detector.detect([]) == []
    (found,) = detector.detect([np.zeros((60, 80, 3), np.uint8)])
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert 0 < found.max_score < 0.02


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
    ],
    ids=lambda image: str(image.shape),
)
def test_what_is_no_image(shared: Path, image: Any) -> None:
    with pytest.raises(ValueError, match="expected H×W×3 uint8"):
        RetinaFace(settings(shared)).detect([image])


@pytest.mark.parametrize("backend", [NCNN, "onnxruntime", "torch"])
def test_views_and_read_only_images(shared: Path, backend: Any) -> None:
    image = noise(90, 70)
    detector = RetinaFace(settings(shared), backend=backend)
    for view in (image[::-1], image[:, ::-1, ::-1], image[5:50, 7:80]):
        view.flags.writeable = False
        same(detector.detect([view])[0], detector.detect([np.ascontiguousarray(view)])[0])


def test_facts_and_pickle(shared: Path) -> None:
    detector = RetinaFace(settings(shared))
    assert (detector.name, detector.target, detector.class_names) == (
        "retinaface",
        "face",
        ("face",),
    )
    assert detector.store_threshold == 0.02
    assert detector.weights_sha256.startswith("2979b33f")
    image = noise(64, 64)
    found = detector.detect([image])[0]
    data = pickle.dumps(detector)
    assert len(data) < 1000
    same(pickle.loads(data).detect([image])[0], found)
    assert RetinaFace(network="resnet50").name == "retinaface-resnet50"
    with pytest.raises(ValueError, match="network: expected"):
        RetinaFace(network="vgg")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="backend: expected"):
        RetinaFace(backend="numpy")  # type: ignore[arg-type]


def test_what_computes(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fastest that is there, unless another is asked for."""
    assert RetinaFace(settings(shared)).backend == ("ncnn" if HAS_NCNN else "onnxruntime")
    assert RetinaFace(settings(shared), backend="onnxruntime").backend == "onnxruntime"
    assert RetinaFace(DetectorSettings(device="cuda")).backend == "torch"
    monkeypatch.setitem(sys.modules, "ncnn", None)
    detector = RetinaFace(settings(shared))
    assert detector.backend == "onnxruntime"
    assert len(detector.detect([noise(60, 40)])) == 1
    with pytest.raises(MissingExtraError, match="needs the package 'ncnn'"):
        RetinaFace(settings(shared), backend="ncnn").detect([noise(60, 40)])


@needs_ncnn
def test_threads_share_a_detector(shared: Path) -> None:
    """Images of all sizes at once, some of them large, give what they give alone."""
    images = [noise(*size) for size in [*SIZES, (700, 600), (650, 640)] * 3]
    detector = RetinaFace(settings(shared), backend="ncnn")
    alone = [detector.detect([image])[0] for image in images]
    more = RetinaFace(replace(settings(shared), threads=3), backend="ncnn")
    for one, other in zip(alone, more.detect(images), strict=True):
        same(one, other)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: detector.detect([image])[0], images))
    for one, other in zip(alone, together, strict=True):
        same(one, other)


# --- boxes ----------------------------------------------------------------------------------------


def published_nms(rows: Any, max_iou: float) -> list[int]:
    """The rule of ``py_cpu_nms``, box by box."""
    order = sorted(range(len(rows)), key=lambda i: (-rows[i][4], -i))
    kept: list[int] = []
    for i in order:
        for j in kept:
            width = min(rows[i][2], rows[j][2]) - max(rows[i][0], rows[j][0]) + 1
            height = min(rows[i][3], rows[j][3]) - max(rows[i][1], rows[j][1]) + 1
            inner = max(0, width) * max(0, height)
            areas = sum((r[2] - r[0] + 1) * (r[3] - r[1] + 1) for r in (rows[i], rows[j]))
            if inner / (areas - inner) > max_iou:
                break
        else:
            kept.append(i)
    return kept


def test_suppression() -> None:
    for count in (0, 1, 2, 50, 300):
        corners = RNG.uniform(-20, 400, (count, 2))
        rows = np.hstack([corners, corners + RNG.uniform(0, 120, (count, 2))])
        scores = RNG.choice([0.1, 0.3, 0.5, 0.9], count) + RNG.choice([0, 0.01], count)
        found = boxes.suppress(rows.astype(np.float64), scores, 0.4)
        assert found.tolist() == published_nms(np.column_stack([rows, scores]), 0.4)


def test_first_decoded_box() -> None:
    """One anchor, by hand: stride 16, side 128, row 2, column 3."""
    levels = [np.full((10, 8, 10), -9, np.float32), np.full((10, 4, 5), -9, np.float32)]
    levels.append(np.full((10, 2, 3), -9, np.float32))
    levels[1][1, 2, 3] = 0.0  # a face is as likely as none
    levels[1][6:10, 2, 3] = (1.0, -2.0, 0.0, 5.0)
    found = boxes.detections(levels)
    assert found.max_score == 0.5
    assert found.scores.tolist() == [0.5]
    x, y = 3.5 * 16 + 0.1 * 128, 2.5 * 16 - 0.2 * 128
    half_width, half_height = 64, 64 * np.exp(1)
    wanted = [x - half_width, y - half_height, x + half_width, y + half_height]
    assert found.boxes[0].tolist() == pytest.approx(wanted)


def test_threshold_is_not_kept() -> None:
    level = np.full((10, 1, 1), -9, np.float32)
    for score, kept in ((0.0201, 1), (0.0199, 0)):
        level[0] = np.log(score / (1 - score))
        assert len(boxes.detections([level, level * 0 - 9, level * 0 - 9])) == kept


def test_extreme_logits() -> None:
    levels = [np.full((10, 2, 2), -1e5, np.float32) for _ in range(3)]
    levels[0][2:] = 0
    assert boxes.detections(levels).max_score == 0.0
    levels[0][0, 0, 0] = 1e5
    assert boxes.detections(levels).max_score == 1.0


# --- weights and graphs ---------------------------------------------------------------------------


def saved(network: Network, path: Path, prefix: str = "") -> VerifiedWeights:
    torch.save({prefix + name: value for name, value in network.state_dict().items()}, path)
    return VerifiedWeights(path, f"{path.name:0<64}")


def randomised(network: Network) -> Network:
    """With batch norms that matter, and scores that do not vanish."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.2)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    # Pixels reach 150; activations should not.
    first = network.body.stage1[0][0] if isinstance(network.body, MobileNet) else network.body.conv1
    first.weight.data /= 100
    return network.eval()


@pytest.mark.parametrize("lanes", [1, 16])
@pytest.mark.parametrize("kind", ["mobilenet", "resnet"])
def test_graph_is_the_network(
    kind: str, lanes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_lanes", lambda: lanes)
    body = MobileNet() if kind == "mobilenet" else ResNet()
    network = randomised(Network(body, 64 if kind == "mobilenet" else 256))
    weights = saved(network, tmp_path / f"{kind}.pth", prefix="module.")
    is_the_network(OnnxRuntime(weights, 1), weights)


@pytest.mark.slow
@needs_ncnn
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("kind", ["mobilenet", "resnet"])
def test_ncnn_graph_is_the_network(
    kind: str, large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = MobileNet() if kind == "mobilenet" else ResNet()
    network = randomised(Network(body, 64 if kind == "mobilenet" else 256))
    weights = saved(network, tmp_path / f"{kind}.pth")
    if large:
        monkeypatch.setattr(runtimes_module, "_NCNN_LARGE_PIXELS", 0)
    is_the_network(NcnnRuntime(weights, 1), weights)


def is_the_network(runtime: Runtime, weights: VerifiedWeights) -> None:
    by_torch = TorchRuntime(weights, "cpu", "float32")
    for width, height in [(1, 1), (70, 45), (97, 130)]:
        images = [noise(width, height), noise(width, height)]
        for one, other in zip(runtime.run(images), by_torch.run(images), strict=True):
            for level, wanted in zip(one, other, strict=True):
                assert level.shape == wanted.shape
                assert level.dtype == np.float32
                assert np.abs(level - wanted).max() < 1e-3 * max(1.0, np.abs(wanted).max())


def test_resnet_is_torchvisions() -> None:
    torchvision = pytest.importorskip("torchvision")
    reference = torchvision.models.resnet50(weights=None).eval()
    ours = ResNet().eval()
    state = {name: value for name, value in reference.state_dict().items() if "fc." not in name}
    ours.load_state_dict(state)
    pixels = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        wanted = reference.layer1(
            reference.maxpool(reference.relu(reference.bn1(reference.conv1(pixels))))
        )
        for found, layer in zip(ours(pixels), ("layer2", "layer3", "layer4"), strict=True):
            wanted = getattr(reference, layer)(wanted)
            assert torch.allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize(
    "make", [pytest.param(NcnnRuntime, marks=needs_ncnn), OnnxRuntime], ids=["ncnn", "onnxruntime"]
)
def test_graph_is_made_once(shared: Path, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = VerifiedWeights(settings(shared).weights, "a" * 64)
    make(weights, 1)
    (path,) = user_cache("graphs").iterdir()
    before = path.read_bytes()
    # A graph in the cache needs neither PyTorch nor the weights.
    make(VerifiedWeights(Path("gone.pth"), "a" * 64), 1)
    path.write_bytes(before[:1000])
    make(weights, 1)
    assert path.read_bytes() == before
    monkeypatch.setattr(
        "pass_dataset.passify.detectors.retinaface.graph_cache.write_whole", fail_to_write
    )
    path.unlink()
    make(weights, 1)
    assert list(user_cache("graphs").iterdir()) == []


def fail_to_write(path: Path, data: bytes) -> None:
    raise OSError(28, "No space left on device")


def make_graph(weights: VerifiedWeights) -> bytes:
    return cache.cached_onnx_graph(weights)[0]


@pytest.mark.slow
def test_two_processes_make_it_at_once(shared: Path) -> None:
    weights = VerifiedWeights(settings(shared).weights, "b" * 64)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        one, other = pool.map(make_graph, [weights, weights], chunksize=1)
    assert one == other
    assert len(list(user_cache("graphs").iterdir())) == 1


class Payload:
    """What a hostile file would run on being read."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("run-by-the-pickle",)


@pytest.mark.parametrize("legacy", [False, True])
def test_pickle_that_calls_a_function_is_refused(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"a": Payload()}, path, _use_new_zipfile_serialization=not legacy)
    detector = RetinaFace(DetectorSettings(device="cpu", weights=path))
    with pytest.raises(WeightsError, match=r"evil\.pth: the file calls for \w+\.mkdir") as raised:
        detector.detect([noise(10, 10)])
    assert "weights_only" not in str(raised.value)
    assert not Path("run-by-the-pickle").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a checkpoint, found an empty file"),
        (b"<html>", "expected a checkpoint of PyTorch, found another kind of file"),
        (pickle.dumps({}, 4), "expected a checkpoint of PyTorch, found another kind of file"),
        ({"epoch": 3}, "expected the parameters of a network"),
        ({"state_dict": [3]}, "expected the parameters of a network"),
        ({"a": print}, "the file calls for print"),
        ([1, 2], "expected weights by name, found list"),
        ({"fc.weight": torch.zeros(2)}, "not the parameters of RetinaFace"),
    ],
    ids=str,
)
def test_what_is_no_checkpoint(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "odd.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(WeightsError, match=message) as raised:
        load_network(path)
    # PyTorch's own words advise to load it with no safeguard.
    assert "weights_only" not in str(raised.value)


# --- precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_gives_the_verdicts_of_float32(
    golden, shared: Path, monkeypatch: pytest.MonkeyPatch, precision: Any
) -> None:
    """The way CUDA goes, on the CPU: with fewer bits, and again in float32 near the threshold."""
    # Few and small: a CPU takes many times as long for such numbers.
    images = [image[30:160, 150:300] for image in golden[1][:9]]
    exact = RetinaFace(settings(shared)).detect(images)
    detector = RetinaFace(settings(shared, precision=precision), backend="torch")
    monkeypatch.setattr(RetinaFace, "_precision", lambda self: precision)
    runs: list[str] = []
    detect = RetinaFace._detect

    def counted(self: RetinaFace, some: Any, how: Any) -> Any:
        runs.append(f"{len(some)} in {how}")
        return detect(self, some, how)

    monkeypatch.setattr(RetinaFace, "_detect", counted)
    found = detector.detect(images)
    assert runs[0] == f"{len(images)} in {precision}"
    assert [one.max_score > 0.5 for one in found] == [one.max_score > 0.5 for one in exact]
    for one, other in zip(found, exact, strict=True):
        assert abs(one.max_score - other.max_score) < detector_module._BANDS[precision] / 2


def test_the_cpu_computes_in_float32(shared: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And says so, once."""
    caplog.set_level(logging.INFO, "pass_dataset")
    image = noise(50, 50)
    lower = RetinaFace(settings(shared, precision="bfloat16"))
    exact = RetinaFace(settings(shared)).detect([image])[0]
    for _ in range(2):
        same(lower.detect([image])[0], exact)
    told = [line.getMessage() for line in caplog.records if "float32" in line.getMessage()]
    assert told == ["retinaface: computes in float32 and not in bfloat16"]


# --- the process ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cached_graph_runs_without_pytorch(shared: Path) -> None:
    code = """
import sys
from pathlib import Path
import numpy as np
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.detectors.retinaface.detector import RetinaFace
detector = RetinaFace(DetectorSettings(device="cpu", weights=Path(sys.argv[1])))
detector.detect([np.zeros((9, 9, 3), np.uint8)])
print("torch" in sys.modules)
"""
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    outs = []
    for _ in range(2):
        command = [sys.executable, "-c", code, str(weights)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outs.append(done.stdout.strip())
    assert outs == ["True", "False"]


@pytest.mark.parametrize("backend", [NCNN, "onnxruntime"])
def test_memory_does_not_grow_with_sizes(shared: Path, backend: Any) -> None:
    psutil = pytest.importorskip("psutil")
    detector = RetinaFace(settings(shared), backend=backend)
    process = psutil.Process()
    sizes = [(int(w), int(h)) for w, h in RNG.integers(100, 400, (150, 2))]
    for size in sizes[:50]:
        detector.detect([np.zeros((size[1], size[0], 3), np.uint8)])
    before = process.memory_info().rss
    for size in sizes[50:]:
        detector.detect([np.zeros((size[1], size[0], 3), np.uint8)])
    assert process.memory_info().rss - before < 60e6


@pytest.mark.slow
@needs_ncnn
def test_memory_of_a_large_image_is_given_back(shared: Path) -> None:
    pytest.importorskip("psutil")
    # In a process of its own: here, what other tests have left decides what goes back.
    code = """
import sys
from pathlib import Path
import numpy as np
import psutil
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.detectors.retinaface.detector import RetinaFace
detector = RetinaFace(DetectorSettings(device="cpu", weights=Path(sys.argv[1])), backend="ncnn")
detector.detect([np.zeros((375, 500, 3), np.uint8)])
before = psutil.Process().memory_info().rss
detector.detect([np.zeros((1500, 2000, 3), np.uint8)])
print(psutil.Process().memory_info().rss - before)
"""
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    command = [sys.executable, "-c", code, str(weights)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # In all it takes 130 MB.
    assert int(done.stdout) < 40e6
