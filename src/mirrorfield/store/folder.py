"""The result folder: written beside its place and moved there whole, so that half a result is never seen."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from mirrorfield.errors import CorruptError, InputError, StoreError
from mirrorfield.population.scenario import Scenario
from mirrorfield.reading import parse_json, read_text

SCENARIO, SUMMARY, RESULT, REPORT = "scenario.toml", "summary.json", "result.zarr", "report.html"


def summary_text(summary: dict[str, Any]) -> str:
    """Return the bytes of summary.json as text."""
    return json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def is_result(folder: Path) -> bool:
    """Tell whether a folder was written by `write_result`."""
    return (folder / SCENARIO).is_file() and (folder / SUMMARY).is_file()


def check_place(out: Path, overwrite: bool = False, ours: Callable[[Path], bool] = is_result) -> None:
    """Raise InputError unless a folder can be written to `out`: checked before any work is done."""
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
    while (parent / f"{safe}-{number:03d}").exists():
        number += 1
    return parent / f"{safe}-{number:03d}"


def write_folder(
    out: Path, fill: Callable[[Path], None], overwrite: bool = False, ours: Callable[[Path], bool] = is_result
) -> None:
    """Let `fill` write files into a folder that appears at `out` whole or not at all.

    Raises InputError if `out` is taken or no place to write, and StoreError if the disk refuses, as a full one does.
    """
    check_place(out, overwrite, ours)
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", suffix=".partial", dir=out.parent))
    try:
        fill(partial)
        partial.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}-", suffix=".old", dir=out.parent))
            os.replace(out, old / "old")
            os.replace(partial, out)
            shutil.rmtree(old)
        else:
            os.replace(partial, out)
    except OSError as error:
        raise StoreError(f"{out}: cannot write it ({error.strerror or error}); nothing was written") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_result(
    out: Path, scenario: Scenario, summary: dict[str, Any], dataset: xr.Dataset, report: str, overwrite: bool = False
) -> None:
    """Write scenario.toml, summary.json, result.zarr and report.html into the folder `out`; see `write_folder`."""

    def fill(folder: Path) -> None:
        (folder / SCENARIO).write_text(scenario.to_toml(), encoding="utf-8")
        (folder / SUMMARY).write_text(summary_text(summary), encoding="utf-8")
        (folder / REPORT).write_text(report, encoding="utf-8")
        dataset.to_zarr(folder / RESULT, zarr_format=3, consolidated=False)

    write_folder(out, fill, overwrite)


def read_result(folder: Path) -> tuple[Scenario, dict[str, Any]]:
    """Return the scenario and summary in a result folder; raise InputError or CorruptError naming what is wrong."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one that `mirrorfield run` wrote")
    if not is_result(folder):
        raise InputError(f"{folder} is not a mirrorfield result: expected {SCENARIO} and {SUMMARY} in it")
    try:
        summary = parse_json(read_text(folder / SUMMARY), folder / SUMMARY)
        scenario = Scenario.load(folder / SCENARIO)
        if not isinstance(summary, dict):
            raise TypeError(f"{SUMMARY} holds a {type(summary).__name__}")
        missing = {"users", "shares", "states", "by_intentionality"} - set(summary)
    except (ValueError, TypeError) as error:
        raise CorruptError(f"{folder}: corrupt result: {error}") from None
    if missing:
        raise CorruptError(f"{folder / SUMMARY}: corrupt: no {', '.join(sorted(missing))}")
    return scenario, summary
