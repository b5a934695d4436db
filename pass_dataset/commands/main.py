"""The command `pass-dataset`: parse, call the library, print, exit code.

Exit codes: 0 done, 1 an error or a folder that is not whole, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import RELEASE_HELP, Commands, command, parts, positive
from pass_dataset.commands.build import add_build, add_verify_build
from pass_dataset.commands.build_parquet import add_push
from pass_dataset.commands.build_tfds import add_catalog
from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.credits import add_credits
from pass_dataset.commands.croissant import add_croissant
from pass_dataset.commands.diff import add_diff
from pass_dataset.commands.purge import add_purge, add_remove
from pass_dataset.commands.stats import add_stats
from pass_dataset.commands.weights import add_weights
from pass_dataset.errors import PassDatasetError
from pass_dataset.releases.release import (
    DEFAULT_VERSION,
    OFFICIAL_VERSIONS,
    Release,
    format_release,
    official_release,
    resolve_release,
)
from pass_dataset.version import __version__

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pass-dataset",
        description="PASS, 1.44 million photographs without people: get, verify, index, build.",
    )
    parser.add_argument("--version", action="version", version=f"pass-dataset {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_releases(commands)
    _add_download(commands)
    _add_verify(commands)
    _add_index(commands)
    add_stats(commands)
    _add_checksums(commands)
    add_croissant(commands)
    add_credits(commands)
    add_diff(commands)
    add_build(commands)
    _add_demo(commands)
    add_verify_build(commands)
    add_catalog(commands)
    add_push(commands)
    add_remove(commands)
    add_purge(commands)
    add_weights(commands)
    return parser


def _print_json(content: object) -> None:
    print(json.dumps(content, indent=1))


# --- releases -------------------------------------------------------------------------------------


def _add_releases(commands: Commands) -> None:
    parser = command(commands, "releases", "list the releases of PASS and their files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_releases)


def _releases(options: argparse.Namespace) -> int:
    releases = [official_release(version) for version in OFFICIAL_VERSIONS]
    if options.json:
        _print_json([_release_json(release) for release in releases])
        return 0
    for release in releases:
        default = "  (default)" if release.version == DEFAULT_VERSION else ""
        print(
            f"{release.version}  {release.released}  {release.num_examples:>9,} images  "
            f"{release.size_bytes:>15,} bytes  https://zenodo.org/records/{release.zenodo_record}"
            f"{default}\n       {release.changes}"
        )
    return 0


def _release_json(release: Release) -> dict[str, object]:
    return {
        **asdict(release),
        "size_bytes": release.size_bytes,
        "is_default": release.version == DEFAULT_VERSION,
    }


# --- download -------------------------------------------------------------------------------------


def _add_download(commands: Commands) -> None:
    parser = command(commands, "download", "fetch a release into a folder, verified; resumes")
    parser.add_argument("folder", metavar="DEST", type=Path, help="archive folder to fill")
    parser.add_argument(
        "--release", default=DEFAULT_VERSION, help=f"{RELEASE_HELP} (default: {DEFAULT_VERSION})"
    )
    parser.add_argument("--parts", type=parts, help="only these tars and the metadata: 0,3-5")
    parser.add_argument(
        "--mirror",
        metavar="URL",
        action="append",
        default=[],
        help="base URL (http, https, file) under which each file is found by its name; tried in "
        "the order given, before Zenodo",
    )
    parser.add_argument(
        "--connections",
        type=positive,
        default=2,
        metavar="N",
        help="files at a time (default 2; Zenodo blocks users of more)",
    )
    parser.add_argument(
        "--from",
        dest="from_folder",
        metavar="DIR",
        type=Path,
        help="take files from this folder where it has them, before any mirror",
    )
    parser.add_argument(
        "--replace", action="store_true", help="fetch anew files that are not this release's"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="fail if another process uses the folder"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.set_defaults(run=_download)


def _download(options: argparse.Namespace) -> int:
    from pass_dataset.downloads import Action, Downloader
    from pass_dataset.progress import on_terminal

    mirrors = list(options.mirror)
    if options.from_folder is not None:
        mirrors.insert(0, _existing_folder(options.from_folder).resolve().as_uri())
    with on_terminal() as progress:
        downloader = Downloader(
            options.folder,
            resolve_release(options.release),
            parts=options.parts,
            mirrors=tuple(mirrors),
            connections=options.connections,
            replace=options.replace,
            wait=not options.no_wait,
            progress=progress,
        )
        plan = downloader.plan()
        print(
            f"{downloader.release.label} into {options.folder}: {len(plan.files)} files, "
            f"{len(plan.having(Action.KEEP))} whole, {len(plan.having(Action.CHECK))} to be "
            f"hashed, {len(plan.having(Action.FETCH))} to be fetched\n"
            f"{plan.fetch_bytes:,} bytes to fetch, {plan.free_bytes:,} bytes free",
            flush=True,
        )
        if options.dry_run:
            plan.check_space()
            return 0
        report = downloader.run()
    rate = report.received_bytes / max(report.seconds, 1e-9) / 1e6
    print(
        f"{options.folder}: whole. {len(report.fetched)} files fetched, "
        f"{report.received_bytes:,} bytes in {report.seconds:,.0f} s ({rate:.1f} MB/s)"
    )
    return 0


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise PassDatasetError(f"{folder}: expected a folder with files of the release")
    return folder


# --- verify ---------------------------------------------------------------------------------------


def _add_verify(commands: Commands) -> None:
    parser = command(commands, "verify", "check every file of a folder by size and SHA-256")
    parser.add_argument("folder", metavar="DEST", type=Path, help="archive folder")
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument("--parts", type=parts, help="only these tars and the metadata: 0,3-5")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="hash nothing: trust the receipt while size and modification time stand",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from pass_dataset.archives.integrity import verify
    from pass_dataset.progress import on_terminal

    with on_terminal() as progress:
        found = verify(
            options.folder,
            options.release,
            parts=options.parts,
            quick=options.quick,
            progress=progress,
        )
    if options.json:
        _print_json(
            {
                "folder": str(found.folder),
                "release": found.release.label,
                "whole": found.is_whole,
                "files": [asdict(verdict) for verdict in found.files],
                "unknown": found.unknown,
            }
        )
    else:
        for verdict in found.files:
            print(verdict)
        for name in found.unknown:
            print(f"{name}: unknown (not a file of {found.release.label}; left alone)")
        whole = "whole" if found.is_whole else "NOT whole"
        print(f"{found.folder}: {found.release.label}, {whole}")
    return 0 if found.is_whole else 1


# --- index ----------------------------------------------------------------------------------------


def _add_index(commands: Commands) -> None:
    parser = command(commands, "index", "find every image in the tars and save where it lies")
    parser.add_argument("folder", metavar="DIR", type=Path, help="archive folder")
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument("--rebuild", action="store_true", help="make it anew though it still fits")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_index)


def _index(options: argparse.Namespace) -> int:
    from pass_dataset.archives import index as archives
    from pass_dataset.folders.archive_folder import ArchiveFolder
    from pass_dataset.progress import on_terminal

    folder = ArchiveFolder.open(options.folder, options.release)
    release = folder.release
    with on_terminal() as progress:
        index = archives.open_index(folder, rebuild=options.rebuild, progress=progress)
    summary = index.summary
    if options.json:
        _print_json(asdict(summary))
        return 0
    print(
        f"{options.folder}: {release.label}, {summary.images:,} images in {len(summary.tars)} of "
        f"{len(release.tars)} tars, {summary.image_bytes:,} bytes\n"
        f"{summary.others:,} members that are no .jpg, {summary.without_metadata:,} images without "
        f"metadata, {summary.without_image:,} rows without an image"
    )
    return 0


# --- checksums ------------------------------------------------------------------------------------


def _add_checksums(commands: Commands) -> None:
    parser = command(
        commands, "checksums", "write the checksum file of a collection in the PASS layout"
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="tars and one metadata CSV")
    parser.add_argument("--version", dest="new_version", required=True, metavar="X.Y.Z")
    parser.add_argument("--name", default="pass", help="name of the collection (default: pass)")
    parser.add_argument("--url", metavar="BASE", help="where the files are or will be published")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: DIR/NAME-X.Y.Z.tsv)"
    )
    parser.set_defaults(run=_checksums)


def _checksums(options: argparse.Namespace) -> int:
    from pass_dataset.archives.collection import describe_collection
    from pass_dataset.files import write_whole
    from pass_dataset.progress import on_terminal

    with on_terminal() as progress:
        release = describe_collection(
            options.folder,
            version=options.new_version,
            name=options.name,
            base_url=options.url,
            progress=progress,
        )
    out = options.out or options.folder / f"{release.name}-{release.version}.tsv"
    write_whole(out, format_release(release).encode())
    print(f"{out}: {release.label}, {len(release.files)} files, {release.num_examples:,} images")
    return 0


# --- demo -----------------------------------------------------------------------------------------


def _add_demo(commands: Commands) -> None:
    parser = command(
        commands, "demo", "build the mini release with TFDS and with Hugging Face, and compare"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("pass-demo"), help="folder to write (default: pass-demo)"
    )
    parser.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> int:
    from pass_dataset.commands.demo import run_demo

    for line in run_demo(options.out):
        print(line, flush=True)
    return 0
