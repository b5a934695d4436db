"""What every supported version of `datasets` does, run in an environment of its own.

    python scenario.py FOLDER BAD_SERVER_PY [SCRIPT]

FOLDER has a collection (`archives/`, `birds.tsv`); SCRIPT is the loading script for old versions.
Prints what it did as the last line, `ok …`. Nothing outside this machine can be reached from here.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import socket
import sys
from pathlib import Path

from checks import check, check_installed_plainly

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

MINI_FIRST = ("12e4503918276645091827364509182", 64)


def network_is_off():
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2).close()  # RFC 5737: nobody's
    except OSError:
        return
    sys.exit("the network can be reached")


def bad_server(path):
    spec = importlib.util.spec_from_file_location("bad_server", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["bad_server"] = module
    spec.loader.exec_module(module)
    return module.BadServer


def main(folder, server_path, script):
    network_is_off()
    import datasets
    from datasets.distributed import split_dataset_by_node

    from pass_dataset.huggingface import archive_builder
    from pass_dataset.huggingface.features import FEATURES, OLD_COLUMNS

    check_installed_plainly()
    check(archive_builder._takes_tables(), True, "tables are written")
    cache = str(folder / "cache")

    # Load, slice, decode.
    mini = datasets.load_dataset("pass_mini", split="train", cache_dir=cache)
    check((sorted(mini["hash"])[0], len(mini)), MINI_FIRST, "pass_mini")
    check(mini.features, FEATURES, "features")
    check(mini[0]["image"].mode in ("RGB", "L", "CMYK"), True, "decoded")
    check(len(mini[3:7]["hash"]), 4, "rows by slice")
    part = datasets.load_dataset("pass_mini", split="train[10:20]", cache_dir=cache)
    check(list(part["hash"]), list(mini["hash"])[10:20], "split by slice")
    old = mini.rename_columns(OLD_COLUMNS)
    check("creator_username" in old.column_names, True, "old columns")

    # A collection, by workers, in parts, streamed from its folder.
    arguments = {
        "release": str(folder / "birds.tsv"),
        "split": "train",
        "cache_dir": cache,
    }
    archives = {"data_dir": str(folder / "archives")}
    birds = datasets.load_dataset("pass", num_proc=2, **arguments, **archives)
    hashes = list(birds["hash"])
    check(len(birds.cache_files), 2, "files of two workers")
    parts = datasets.load_dataset("pass", parts="1", **arguments, **archives)
    check(list(parts["hash"]), hashes[40:80], "parts")
    local = datasets.load_dataset("pass", streaming=True, **arguments, **archives)
    check([row["hash"] for row in local.select_columns("hash")], hashes, "streamed from a folder")

    # Parquet, and read back without our code.
    builder = datasets.load_dataset_builder(
        "pass", release=arguments["release"], cache_dir=cache, **archives
    )
    builder.download_and_prepare(str(folder / "parquet"), file_format="parquet", num_proc=2)
    files = sorted(str(path) for path in (folder / "parquet").glob("*.parquet"))
    again = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
    check(list(again["hash"]), hashes, "Parquet")
    check(again.features, FEATURES, "features of Parquet")

    # Streamed over HTTP.
    with bad_server(server_path)(folder / "archives") as server:
        stream = datasets.load_dataset("pass", streaming=True, mirrors=server.url, **arguments)
        stream = stream.cast_column("image", datasets.Image(decode=False))
        rows = list(stream)
        check([row["hash"] for row in rows], hashes, "streamed over HTTP")
        check(
            rows[5]["image"],
            birds.cast_column("image", datasets.Image(decode=False))[5]["image"],
            "bytes over HTTP",
        )
        check(next(iter(stream.skip(7)))["hash"], hashes[7], "skip")
        shuffled = [row["hash"] for row in stream.shuffle(seed=1, buffer_size=10)]
        check((sorted(shuffled), shuffled != hashes), (sorted(hashes), True), "shuffle")
        nodes = [split_dataset_by_node(stream, rank, 3) for rank in range(3)]
        check(sorted(row["hash"] for node in nodes for row in node), sorted(hashes), "nodes")
        running = iter(stream)
        before = [next(running)["hash"] for _ in range(50)]
        stream2 = pickle.loads(pickle.dumps(stream))
        stream2.load_state_dict(stream.state_dict())
        check(before + [row["hash"] for row in stream2], hashes, "resume")
        del running

    if script:
        made = datasets.load_dataset(script, trust_remote_code=True, **arguments, **archives)
        check(list(made["hash"]), hashes, "by the script")
        builder = datasets.load_dataset_builder(script, "2.0.0", trust_remote_code=True)
        check(str(builder.info.version), "2.0.0", "release by the script")
        stream = datasets.load_dataset(
            script, streaming=True, trust_remote_code=True, **arguments, **archives
        )
        check([row["hash"] for row in stream.select_columns("hash")], hashes, "streamed script")

    try:
        datasets.load_dataset("pass", "4.0.0", cache_dir=cache)
    except ValueError as error:
        check("'4.0.0' not found" in str(error), True, "unknown config")
    else:
        sys.exit("an unknown config was taken")
    print("ok", datasets.__version__, len(hashes), "script" if script else "no script")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
