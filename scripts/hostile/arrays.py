"""Hostile .npy and .npz files, and populations in Zarr."""

import io
import json
import pickle
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from hostile.mutate import Canary, as_json, cuts, mutate, mutated, remade, write_files
from mirrorfield.population.corpus import corpus_bytes, load_corpus, make_corpus
from mirrorfield.population.lens_tables import reward_models
from mirrorfield.population.run import plan_run
from mirrorfield.population.scenario import Scenario
from mirrorfield.store.population import read_population


def npy(array: Any) -> bytes:
    """Return the .npy bytes of an array; objects are pickled."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


ARRAYS = [
    np.zeros((2, 3, 4)),
    np.full((1, 3, 4), np.nan),
    np.full((1, 3, 4), 1e300),
    np.zeros((0, 3, 4)),
    np.zeros((2, 3, 4), complex),
    np.zeros((2, 3, 4), "M8[s]"),
    np.array("a"),
    np.zeros(3, "V8"),
    np.asfortranarray(np.ones((2, 3, 4), ">f4")),
    np.zeros((3, 4)),
    np.array([Canary()], object),
    np.zeros((10, 3, 4), bool),
    np.ones((1, 3, 4), np.float16),
    np.array(["", "\U0010ffff"]),
]
BOMBS = [
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }" % shape + b" " * 40 + b"\n"
    for shape in (b"9" * 18 + b",3,4", b"1" * 12 + b",", b"-1,3,4", b"1,3,4", b"((((", b"True,3,4", b"9" * 4000 + b",")
]
npys = mutated(st.sampled_from([npy(array) for array in ARRAYS] + [npy(ARRAYS[0])] * 6) | st.sampled_from(BOMBS))
CORPUS = make_corpus(list("abcd"), [0, 1, 2, 3], np.ones(4), np.eye(4, 5), list("wxyz"))
ENTRIES = ("categories", "category", "quality", "embedding", "text")


def npz(changes: dict[str, bytes], method: int, fault: list[tuple[int, int, bytes]]) -> bytes:
    """Return the corpus with entries replaced, packed by a method, bytes of it changed."""
    with np.load(io.BytesIO(corpus_bytes(CORPUS))) as whole:
        entries = {name: npy(whole[name]) for name in ENTRIES} | changes
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        for name, data in entries.items():
            packed.writestr(f"{name}.npy", data)
    return mutate(file.getvalue(), fault)


corpora = st.builds(
    npz,
    st.dictionaries(st.sampled_from(ENTRIES), npys, max_size=2),
    st.sampled_from(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    ),
    st.lists(cuts, max_size=1),
) | mutated(st.just(corpus_bytes(CORPUS)))


def read_corpus_file(folder: Path, data: bytes) -> None:
    """Read a corpus as retrieval does."""
    (folder / "x.npz").write_bytes(data)
    load_corpus(folder / "x.npz")
    names = [{"name": name, "color": "#000000"} for name in "abcd"]
    plan_run(Scenario(users=5, categories=names, retrieval={"corpus": str(folder / "x.npz"), "retriever": "query"}))


def read_rewards(folder: Path, data: bytes) -> None:
    """Read a reward model."""
    (folder / "x.npy").write_bytes(data)
    reward_models(Scenario(users=5, reward={"source": "reward_model", "model_file": str(folder / "x.npy")}))


def zarr_files() -> dict[str, bytes]:
    """Return the files of a small population by path."""
    names = {"user": np.array(["u", "v", "w"], object), "category": np.array(["a", "b"], object)}
    data = {
        "susceptibility": (("user", "category"), np.ones((3, 2), "f4")),
        "intentionality": (("user",), np.zeros(3, "f4")),
    }
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = Path(folder, "population.zarr")
        xr.Dataset(data, names).to_zarr(place, zarr_format=3, consolidated=False)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


ZARR = zarr_files()
V2 = {
    "population.zarr/.zgroup": b'{"zarr_format": 2}',
    "population.zarr/susceptibility/.zarray": json.dumps(
        {
            "zarr_format": 2,
            "shape": [1, 2],
            "chunks": [1, 2],
            "dtype": "|O",
            "compressor": None,
            "fill_value": None,
            "order": "C",
            "filters": [{"id": "pickle", "protocol": 5}],
        }
    ).encode(),
    "population.zarr/susceptibility/0.0": pickle.dumps(Canary()),
}
CODECS = [
    "blosc",
    "gzip",
    "sharding_indexed",
    "numcodecs.pickle",
    "numcodecs.lzma",
    "transpose",
    "vlen-bytes",
    "crc32c",
    "bytes",
]
metadata = [path for path in sorted(ZARR) if path.endswith("zarr.json")]


@st.composite
def populations(draw: Any) -> dict[str, bytes]:
    """Draw the files of a population: metadata with parts replaced, chunks changed, files gone, old formats."""
    files = dict(ZARR)
    if draw(st.integers(0, 11)) == 0:
        return (files if draw(st.booleans()) else {}) | V2
    for path in draw(st.lists(st.sampled_from(metadata), max_size=2, unique=True)):
        told = draw(remade(json.loads(files[path]), 1))
        if draw(st.integers(0, 3)) == 0 and isinstance(told.get("codecs"), list):
            told["codecs"] = [*told["codecs"], {"name": draw(st.sampled_from(CODECS)), "configuration": {}}]
        if draw(st.integers(0, 3)) == 0:
            sizes = st.sampled_from([0, 1, 2, 3, 10, 3_000_000, 2**31, 10**15, -1, True, 2.0])
            told["shape"] = draw(st.lists(sizes, max_size=3))
        if draw(st.integers(0, 3)) == 0:
            types = [
                "float64",
                "complex64",
                "bool",
                "string",
                "int64",
                "uint8",
                "float16",
                "numpy.datetime64",
                {"name": "structured"},
            ]
            told["data_type"] = draw(st.sampled_from(types))
        files[path] = as_json(told)
    for path in draw(st.lists(st.sampled_from(sorted(ZARR)), max_size=2)):
        files[path] = mutate(files[path], draw(st.lists(cuts, max_size=2)))
    for path in draw(st.lists(st.sampled_from(sorted(ZARR)), max_size=1)):
        files.pop(path, None)
    return files


def read_people(folder: Path, files: dict[str, bytes]) -> None:
    """Read a population and plan a run of it."""
    write_files(folder, files)
    listed = read_population(folder)
    names = [{"name": name or "-", "color": "#000000"} for name in listed.categories]
    profile = {"mean": 1.0, "std": 0.1, "up": 0.1, "down": 0.1}
    plan_run(
        Scenario(users=7, categories=names, reactive=profile, intentional=profile),
        listed.susceptibility,
        listed.intentionality,
    )
