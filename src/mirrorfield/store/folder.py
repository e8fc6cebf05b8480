"""The result folder: written beside its place and moved there whole, so that half a result is never seen."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import xarray as xr

from mirrorfield.errors import CorruptError, InputError, StoreError
from mirrorfield.population.scenario import beside, parse_toml
from mirrorfield.population.worlds import AnyScenario, scenario_of
from mirrorfield.reading import parse_json
from mirrorfield.seal import SUMS, digests, read_sealed, seal_text, sums_bytes
from mirrorfield.store.consolidated import write_zarr
from mirrorfield.store.lock import check_name, lock_path, locked

SCENARIO, SUMMARY, RESULT, REPORT = "scenario.toml", "summary.json", "result.zarr", "report.html"
logger = logging.getLogger(__name__)


def summary_text(summary: dict[str, Any]) -> str:
    """Return the bytes of summary.json as text."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def scenario_text(scenario: AnyScenario, folder: Path) -> str:
    """Return the bytes of a folder's scenario.toml as text; a relative `population.file` is written from the folder."""
    file = scenario.population.file
    if file is not None and not os.path.isabs(file):
        file = Path(os.path.relpath(os.path.realpath(file), os.path.realpath(folder))).as_posix()
        scenario = scenario.model_copy(update={"population": scenario.population.model_copy(update={"file": file})})
    return seal_text(scenario.to_toml())


def is_result(folder: Path) -> bool:
    """Tell whether a folder was written by `write_result`."""
    return (folder / SCENARIO).is_file() and (folder / SUMMARY).is_file()


def check_place(out: Path, overwrite: bool = False, ours: Callable[[Path], bool] = is_result) -> None:
    """Raise InputError unless a folder can be written to `out`: checked before any work is done."""
    check_name(out)
    if out.is_symlink():
        raise InputError(f"{out} is a symbolic link, which is not replaced; choose --out {os.path.realpath(out)}")
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists already; choose another --out, or replace it with --overwrite")
    if out.exists() and not (ours(out) or (out.is_dir() and not any(out.iterdir()))):
        raise InputError(f"{out} was not written by this command, so it is not overwritten; choose another --out")
    parent = next(folder for folder in out.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise InputError(f"{parent}: cannot write there ({error.strerror}); choose another --out") from None


def next_place(name: str, parent: Path = Path("runs")) -> Path:
    """Return the first free numbered folder for a run of this name, such as runs/default-001."""
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    number = 1
    while (place := parent / f"{safe}-{number:03d}").exists() or lock_path(place).exists():
        number += 1
    return place


def write_folder(
    out: Path,
    fill: Callable[[Path], None],
    overwrite: bool = False,
    ours: Callable[[Path], bool] = is_result,
    seal: bool = True,
) -> None:
    """Let `fill` write files into a folder that appears at `out` whole or not at all, with their digests if `seal`.

    Nothing is moved aside unless `overwrite` is true. Raises InputError if `out` is taken, held by another process or
    no place to write, and StoreError if the disk refuses, as a full one does.
    """
    with locked(out):
        check_place(out, overwrite, ours)
        out = out.absolute()
        partial, old = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.old")
        try:
            for leftover in (partial, old):  # of a process that was killed: nobody but us is at this folder now
                shutil.rmtree(leftover, ignore_errors=True)
            partial.mkdir()
            fill(partial)
            if seal:
                names = [path.name for path in partial.iterdir()]
                (partial / SUMS).write_bytes(sums_bytes(digests(partial, names)))
            if overwrite and out.exists():
                os.replace(out, old)
            _put(partial, out, old)
        except OSError as error:
            raise StoreError(f"{out}: cannot write it ({error.strerror or error}); nothing was written") from None
        finally:
            for leftover in (partial, old):
                shutil.rmtree(leftover, ignore_errors=True)


def _put(partial: Path, out: Path, old: Path) -> None:
    """Move a finished folder to its place, or what stood there back."""
    try:
        os.replace(partial, out)
    except BaseException:
        with suppress(OSError):  # there was nothing, or the new one is in place already
            os.replace(old, out)
        raise


def write_result(
    out: Path, scenario: AnyScenario, summary: dict[str, Any], dataset: xr.Dataset, report: str, overwrite: bool = False
) -> None:
    """Write scenario.toml, summary.json, result.zarr and report.html into the folder `out`; see `write_folder`."""

    def fill(folder: Path) -> None:
        (folder / SCENARIO).write_text(scenario_text(scenario, folder), encoding="utf-8")
        (folder / SUMMARY).write_text(summary_text(summary), encoding="utf-8")
        (folder / REPORT).write_text(report, encoding="utf-8")
        write_zarr(dataset, folder / RESULT)

    write_folder(out, fill, overwrite)


def warn_unsealed(folder: Path) -> None:
    """Log a warning if a result folder has no digests to check its files by."""
    if not (folder / SUMS).exists():
        logger.warning("%s has no %s, so nothing tells whether it has changed since it was written", folder, SUMS)


def read_result_file(folder: Path, name: str) -> str:
    """Return the text of a file in a result folder; raise CorruptError naming it if it has changed."""
    try:
        return read_sealed(folder, name).decode()
    except UnicodeDecodeError as error:
        raise CorruptError(f"{folder / name}: corrupt: expected UTF-8 ({error})") from None


def read_result(folder: Path) -> tuple[AnyScenario, dict[str, Any]]:
    """Return the scenario and summary in a result folder; raise InputError or CorruptError naming what is wrong."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one that `mirrorfield run` wrote")
    if not is_result(folder):
        raise InputError(f"{folder} is not a mirrorfield result: expected {SCENARIO} and {SUMMARY} in it")
    warn_unsealed(folder)
    try:
        summary = parse_json(read_result_file(folder, SUMMARY), folder / SUMMARY)
        values = parse_toml(read_result_file(folder, SCENARIO), str(folder / SCENARIO))
        scenario = scenario_of(beside(values, folder), str(folder / SCENARIO))
        if not isinstance(summary, dict):
            raise TypeError(f"{SUMMARY} holds a {type(summary).__name__}")
        missing = {"users", "shares", "states", "by_intentionality"} - set(summary)
    except (ValueError, TypeError) as error:
        raise CorruptError(f"{folder}: corrupt result: {error}") from None
    if missing:
        raise CorruptError(f"{folder / SUMMARY}: corrupt: no {', '.join(sorted(missing))}")
    return scenario, summary


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of result.zarr in a result folder; raise CorruptError naming it if they cannot be read."""
    try:
        attributes: dict[str, Any] = json.loads((folder / RESULT / "zarr.json").read_text(encoding="utf-8"))[
            "attributes"
        ]
        return dict(attributes)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CorruptError(f"{folder / RESULT}: corrupt: {error}") from None
