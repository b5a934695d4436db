"""Training in place where nothing but `pass-dataset[torch]` is installed.

    python torch_scenario.py

Reads the mini release, which comes with the package, through both datasets and a DataLoader of two
workers. Prints what it did as the last line, `ok …`.
"""

from __future__ import annotations

from checks import check, check_absent, check_installed_plainly

IMAGES = 64


def main():
    check_installed_plainly()
    check_absent("tensorflow", "tensorflow_datasets", "datasets", "pandas", "onnxruntime", "cv2")

    import torch
    from torch.utils.data import DataLoader
    from torchvision.transforms import v2

    from pass_dataset.archives import mini
    from pass_dataset.torch import PASS, PassStream

    crop = v2.Compose([v2.ToImage(), v2.RandomResizedCrop(16), v2.ToDtype(torch.float32, True)])
    release = mini.ARCHIVES, mini.CHECKSUMS
    loader = {"batch_size": 8, "num_workers": 2}

    dataset = PASS(*release, transform=crop, target="hash")
    check(len(dataset), IMAGES, "images")
    batches = list(DataLoader(dataset, shuffle=True, **loader))
    check({tuple(images.shape) for images, _ in batches}, {(8, 3, 16, 16)}, "batches")
    hashes = sorted(name for _, names in batches for name in names)
    check(len(set(hashes)), IMAGES, "images of the map-style dataset, each once")

    stream = PassStream(*release, transform=crop, target="hash")
    batches = list(DataLoader(stream, **loader))
    check({images.dtype for images, _ in batches}, {torch.float32}, "pixels")
    streamed = [name for _, names in batches for name in names]
    check(sorted(streamed), hashes, "images of the stream, each once")
    check(streamed != hashes, True, "shuffled")
    print("ok", len(hashes), len(streamed))


if __name__ == "__main__":
    main()
