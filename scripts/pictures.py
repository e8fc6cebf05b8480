"""Make the pictures that README and docs show, with the program's own report.

Usage: uv run python scripts/pictures.py [FOLDER]
Writes docs/assets/map.png and docs/assets/tipping.png from the default scenario; with the result folder of another run,
FOLDER-map.png and FOLDER-tipping.png from that one.
"""

import sys
from pathlib import Path

import xarray as xr

import mirrorfield as mf
from mirrorfield.report.figures import tipping_curve
from mirrorfield.report.scenes import policy_map

ASSETS = Path(__file__).parent.parent / "docs" / "assets"


def main() -> None:
    """Simulate the default scenario, or read a result, and draw two of its figures."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    dataset = xr.load_dataset(folder / "result.zarr", engine="zarr", consolidated=False) if folder else None
    dataset = mf.simulate(mf.Scenario()).dataset if dataset is None else dataset
    for name, draw in (("map", policy_map), ("tipping", tipping_curve)):
        options = {"dpi": 180, "bbox_inches": "tight", "pad_inches": 0.08, "metadata": {"Software": None}}
        draw(dataset).savefig(ASSETS / f"{folder.name + '-' if folder else ''}{name}.png", **options)


if __name__ == "__main__":
    main()
