"""Listed users: a population folder, as `mirrorfield fit` writes it and a run reads it."""

from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from mirrorfield.arrays import F32Array
from mirrorfield.errors import CorruptError, InputError
from mirrorfield.population.distributions import Assumed
from mirrorfield.population.listed import listed_users
from mirrorfield.population.scenario import Scenario
from mirrorfield.seal import check_files, read_sums, seal_text
from mirrorfield.store.arrays import check_group, read_zarr
from mirrorfield.store.folder import SCENARIO, summary_text, write_folder

POPULATION, FIT = "population.zarr", "fit.json"


class ListedUsers(NamedTuple):
    """n users from a file: susceptibility (n, K), intentionality (n,), float32, and the K category names."""

    susceptibility: F32Array
    intentionality: F32Array
    categories: tuple[str, ...]


def read_population(folder: Path) -> ListedUsers:
    """Return the users in a population folder; raise InputError or CorruptError naming what is wrong.

    A folder that `fit` wrote has a list of digests, which is checked; one that was made by hand needs none.
    """
    place = folder / POPULATION
    if not place.is_dir():
        raise InputError(f"{folder} is not a population: expected {POPULATION} in it, as `mirrorfield fit` writes it")
    listed = read_sums(folder)
    if listed is not None:
        check_files(folder, listed, [path for path in listed if path.startswith(f"{POPULATION}/")])
    check_group(place)
    categories = tuple(map(str, read_zarr(place / "category", ("category",), text=True)))
    susceptibility = read_zarr(place / "susceptibility", ("user", "category"))
    intentionality = read_zarr(place / "intentionality", ("user",))
    try:
        return ListedUsers(*listed_users(susceptibility, intentionality, len(categories)), categories)
    except InputError as error:
        raise CorruptError(f"{place}: {error}") from None


def assumed_in(folder: Path) -> tuple[Assumed, ...] | None:
    """Return what `fit` had to assume of the users in a population folder; None for one that was made by hand."""
    if not (folder / FIT).is_file():
        return None
    return Scenario.load(folder / SCENARIO).population.assumed


def is_population(folder: Path) -> bool:
    """Tell whether a folder was written by `write_population`."""
    return (folder / POPULATION).is_dir() and (folder / SCENARIO).is_file()


def write_population(
    out: Path, scenario: Scenario, summary: dict[str, Any], users: xr.Dataset, overwrite: bool = False
) -> None:
    """Write population.zarr, scenario.toml and fit.json into the folder `out`, whole or not at all."""

    def fill(folder: Path) -> None:
        (folder / SCENARIO).write_text(seal_text(scenario.to_toml()), encoding="utf-8")
        (folder / FIT).write_text(summary_text(summary), encoding="utf-8")
        users.to_zarr(folder / POPULATION, zarr_format=3, consolidated=False)

    write_folder(out, fill, overwrite, is_population)
