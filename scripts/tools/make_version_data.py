"""Makes the files that tests of older versions read: what one version writes to disk, all kinds.

    scripts/tools/make_version_data.py tests/data/version_0_1

Run it with the commands of the version that is to be recorded, before the next one changes what is
written; what is there already is never made anew. They are called as they are installed, or as
`--pass-dataset` and `--passify` say: "python -m pass_dataset".

    archives/     two tars of four drawn images, their CSV, checksum file, receipt, removal list and
                  index
    parquet/      exports of them, built before there was a removal list
    webdataset/
    tfds/         a data_dir
    run/          a run of the filter's face detector over the archives

Files of an archive folder are known by their times; a test gives them those of the receipt.
"""

from __future__ import annotations

import argparse
import io
import random
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from PIL import Image

HEADER = ",unickname,datetaken,licensename,hash,latitude,longitude"
TARS, PER_TAR = 2, 4
#: The image that the removal list has.
REMOVED = 5


def image_hash(number: int) -> str:
    """As in YFCC-100M: hexadecimal without leading zeros, from which one may be all digits."""
    return random.Random(f"version data {number}").randbytes(16).hex().lstrip("0")


def jpeg(number: int) -> bytes:
    """A small picture: a slope of colours, different for each number."""
    picture = Image.new("RGB", (96, 64 + number))
    picture.putdata(
        [
            (2 * x, 255 - 3 * y % 256, 30 * number % 256)
            for y in range(picture.height)
            for x in range(picture.width)
        ]
    )
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=80)
    return data.getvalue()


def write_archives(folder: Path) -> None:
    """Writes the tars and the CSV."""
    folder.mkdir(parents=True)
    rows = [HEADER]
    for tar_number in range(TARS):
        with tarfile.open(folder / f"PASS.{tar_number}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(tar_number * PER_TAR, (tar_number + 1) * PER_TAR):
                data = jpeg(number)
                info = tarfile.TarInfo(f"PASS_dataset/0/{image_hash(number)}.jpg")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
                date = "" if number == 3 else f"2007-05-0{number + 1} 06:11:48.0"
                place = "53.535233,-113.565075" if number % 2 else ","
                rows.append(
                    f"{number},user{number % 3}%3C3,{date},Attribution License,"
                    f"{image_hash(number)},{place}"
                )
    (folder / "pass_metadata.csv").write_text("\n".join([*rows, ""]))


def main() -> None:
    """Runs the commands one after the other, in a folder of its own, and takes the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--pass-dataset", default="pass-dataset", metavar="COMMAND")
    parser.add_argument("--passify", default="passify", metavar="COMMAND")
    parser.add_argument("--weights", type=Path, required=True, help="of RetinaFace, as published")
    options = parser.parse_args()
    if options.out.exists():
        parser.error(f"{options.out}: is there already")
    weights = options.weights.absolute()

    def run(command: str, *arguments: object) -> None:
        words = [*shlex.split(command), *map(str, arguments)]
        subprocess.run(words, cwd=work, check=True)

    work = Path(tempfile.mkdtemp(prefix="pass_version_"))
    try:
        write_archives(work / "archives")
        dataset, name = options.pass_dataset, "small"
        run(dataset, "checksums", "archives", "--version", "1.0.0", "--name", name)
        run(dataset, "verify", "archives")
        run(dataset, "index", "archives")
        for kind in ("parquet", "webdataset"):
            run(dataset, "build", kind, "--archives", "archives", "--out", kind)
        run(dataset, "build", "tfds", "--archives", "archives", "--data-dir", "tfds")
        detectors = ["--detectors", "face", "--face-weights", weights]
        run(options.passify, "run", "archives", "--out", "run", *detectors, "--workers", 1)
        (work / "list.txt").write_text(f"{image_hash(REMOVED)}\n")
        run(dataset, "remove", "--list", "list.txt", "archives")
        shutil.copytree(
            work, options.out, ignore=shutil.ignore_patterns(".pass.*", "list.txt", "logs")
        )
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
