"""The table of all users (`--keep all`): one Zarr chunk for each block of users, written as the block finishes."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from mirrorfield.errors import InputError
from mirrorfield.kernel import Totals
from mirrorfield.population.run import Gathering, Part, Plan
from mirrorfield.seal import digests, sha256, sha256_file, sums_bytes
from mirrorfield.store.arrays import check_group
from mirrorfield.store.dataset import to_dataset
from mirrorfield.store.durable import sync_file, sync_folder, sync_tree, write_durable
from mirrorfield.store.parts import BadPart
from mirrorfield.version import VERSION

USERS = "users.zarr"
LARGEST_CHUNK = 65_536
logger = logging.getLogger(__name__)


def _final_rows(plan: Plan, part: Part) -> xr.Dataset:
    data = to_dataset(plan, part, VERSION)
    return data[[name for name in data.data_vars if "user" in data[name].dims]].isel(step=-1)


def empty_table(plan: Plan) -> xr.Dataset:
    """Return the table's variables for no user: names, dimensions (user first), dtypes, units and long names."""
    nobody = replace(plan, sample=plan.sample[:0])
    gathering = Gathering(nobody)
    totals = Totals._make(np.ones_like(array) for array in gathering.totals)
    with np.errstate(all="ignore"):
        return _final_rows(nobody, Part(0, 0, totals, gathering.momentary, gathering.sample))


def table_bytes(plan: Plan) -> int:
    """Return the size of the table of all users before compression, in bytes."""
    variables = empty_table(plan).data_vars.values()
    per_user = sum(v.dtype.itemsize * int(np.prod(v.shape[1:], dtype=np.int64)) for v in variables)
    return per_user * plan.scenario.users


def check_space(plan: Plan, folder: Path, users: int) -> str:
    """Return a line with the size of the table; raise InputError if `users` more rows do not fit on the disk."""
    size = table_bytes(plan)
    needed = size * users // plan.scenario.users
    parent = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(parent).free
    line = f"{USERS}: {plan.scenario.users:,} users, {size / 1e9:,.3f} GB before compression; {free / 1e9:,.1f} GB free"
    if needed > free:
        raise InputError(f"{line}; make room for it, or run fewer users or without --keep all")
    return line


def create_table(plan: Plan, place: Path, block: int) -> None:
    """Write the table's metadata and coordinates, without rows, and have the disk confirm them."""
    _write_empty(plan, place, block)
    sync_tree(place)


def restore_table(plan: Plan, place: Path, block: int) -> str:
    """Write what `create_table` wrote once more where it has changed, and name it; return a SHA-256 over all of it."""
    fresh = place.with_name(f".{place.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    _write_empty(plan, fresh, block)
    expected = digests(fresh, [path.name for path in fresh.iterdir()])
    for path, digest in expected.items():
        if not (place / path).is_file() or sha256_file(place / path) != digest:
            logger.warning("%s: has changed since it was written; it is put right", place / path)
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            write_durable(place / path, (fresh / path).read_bytes())
    shutil.rmtree(fresh)
    return sha256(sums_bytes(expected))


def _write_empty(plan: Plan, place: Path, block: int) -> None:
    empty = empty_table(plan)
    coordinates = empty.drop_vars([*empty.data_vars, "user", "step"])
    coordinates.to_zarr(place, zarr_format=3, consolidated=False)
    group = zarr.open_group(place, mode="r+", zarr_format=3)
    for name, variable in empty.data_vars.items():
        group.create_array(
            str(name),
            shape=(plan.scenario.users, *variable.shape[1:]),
            chunks=(min(block, plan.scenario.users), *variable.shape[1:]),
            dtype=variable.dtype,
            dimension_names=[str(dim) for dim in variable.dims],
            attributes=variable.attrs,
        )


def write_rows(plan: Plan, part: Part, place: Path, block: int) -> dict[str, str]:
    """Write a part's rows of the table; return the SHA-256 of each chunk file by its path inside the table."""
    if part.table is None:
        raise ValueError("expected a part with the table of its users")
    ids = np.arange(part.first_user, part.first_user + part.users, dtype=np.int64)
    rows = _final_rows(replace(plan, sample=ids), replace(part, sample=part.table))
    check_group(place)
    group = zarr.open_group(place, mode="r+", zarr_format=3)
    chunks, paths = {}, _chunk_paths(rows, part.first_user // block)
    with zarr.config.set({"array.write_empty_chunks": True}):
        for path, (name, variable) in zip(paths, rows.data_vars.items(), strict=True):
            group[str(name)][part.first_user : part.first_user + part.users] = variable.to_numpy()
            sync_file(place / path)
            sync_folder((place / path).parent)
            chunks[path] = sha256_file(place / path)
    return chunks


def _chunk_paths(rows: xr.Dataset, number: int) -> list[str]:
    return ["/".join([str(name), "c", str(number), *["0"] * (rows[name].ndim - 1)]) for name in rows.data_vars]


def chunk_paths(plan: Plan, number: int) -> list[str]:
    """Return the paths inside the table of the chunk files that hold a block's rows, blocks counted from 0."""
    return _chunk_paths(empty_table(plan), number)


def check_rows(chunks: dict[str, str], place: Path, paths: list[str]) -> None:
    """Raise BadPart unless a part names these chunk files of the table in `place`, and each is there, bit for bit."""
    if list(chunks) != paths:
        raise BadPart(f"expected the checksums of {len(paths)} files of {place.name}")
    for path, digest in chunks.items():
        if not (place / path).is_file() or sha256_file(place / path) != digest:
            raise BadPart(f"{place / path} is gone or has changed since it was written")
