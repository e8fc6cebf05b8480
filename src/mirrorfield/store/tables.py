"""The arrays of a finished folder, read once their files are found to be those that were written."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mirrorfield.errors import CorruptError, InputError, check_known
from mirrorfield.seal import check_files, read_sums
from mirrorfield.store.arrays import check_group

if TYPE_CHECKING:
    import xarray as xr

META = "zarr.json"


def load_table(folder: str | Path, table: str = "result.zarr", variables: Iterable[str] | None = None) -> "xr.Dataset":
    """Return the arrays of a result, a sweep or an embedding run, once every file that is read has its listed SHA-256.

    Parameters: folder; table, "result.zarr", "users.zarr" (written with `keep_all`) or "sweep.zarr"; variables, names
    of those to read, by default all. Returns an xarray Dataset in memory, with the coordinates of these variables.
    Raises InputError for a table or variable that is not there and CorruptError, naming the file, for one that has
    changed since it was written. A folder without SHA256SUMS is read unchecked. Source: docs/result.md.

    >>> import mirrorfield as mf
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp()) / "run"
    >>> mf.simulate(mf.Scenario(users=64, steps=10)).save(folder)
    >>> load_table(folder, variables=["share"])["share"].dims
    ('step', 'category')
    """
    import xarray as xr

    folder, names = Path(folder), None if variables is None else list(variables)
    if not (folder / table).is_dir():
        raise InputError(f"{folder}: expected a folder with {table} in it")
    listed = read_sums(folder) or {}
    files = [path for path in listed if path.startswith(f"{table}/")]
    check_files(folder, listed, files if names is None else _opened(folder, listed, files))
    check_group(folder / table)
    try:
        with xr.open_zarr(folder / table, consolidated=False, zarr_format=3, chunks=None) as data:
            if names is not None:
                for name in names:
                    check_known(name, map(str, data.data_vars), f"{folder / table}: unknown variable")
                data = data[names]
                check_files(folder, listed, _of(files, table, map(str, data.variables)))
            loaded: xr.Dataset = data.load()
            return loaded
    except (KeyError, ValueError, TypeError, OSError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise CorruptError(f"{folder / table}: corrupt: {error}") from None


def _opened(folder: Path, listed: dict[str, str], files: list[str]) -> list[str]:
    """Return the files that opening a table reads: all metadata, and the arrays that number a dimension."""
    meta = [path for path in files if path.endswith(f"/{META}")]
    check_files(folder, listed, meta)
    numbering = [
        Path(path).parent.name
        for path in meta
        if json.loads((folder / path).read_bytes()).get("dimension_names") == [Path(path).parent.name]
    ]
    return _of(files, files[0].split("/")[0], numbering) if files else []


def _of(files: list[str], table: str, names: Iterable[str]) -> list[str]:
    starts = tuple(f"{table}/{name}/" for name in names)
    return [path for path in files if path.startswith(starts)]
