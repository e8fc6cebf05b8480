"""Write a dataset as a Zarr folder of format 3, with the metadata of all its arrays gathered in its own."""

import warnings
from pathlib import Path
from typing import Literal

import xarray as xr


def write_zarr(dataset: xr.Dataset, place: Path, mode: Literal["w", "w-"] = "w-") -> None:
    """Write a dataset with consolidated metadata, so that `xr.open_zarr(place)` opens it as it is.

    Readers of format 3 that do not know consolidated metadata pass over it, as Zarr's own warning says; the warning is
    not for who reads or writes a run. Parameters: dataset; place, a new folder; mode, "w" to replace what is there.
    Raises OSError if the disk refuses.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")
        dataset.to_zarr(place, mode=mode, zarr_format=3, consolidated=True)
