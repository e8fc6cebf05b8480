"""Make the pictures that README and docs show, with the program's own report.

Usage: uv run python scripts/pictures.py
Writes docs/assets/map.png and docs/assets/tipping.png from the default scenario.
"""

from pathlib import Path

import mirrorfield as mf
from mirrorfield.report.figures import tipping_curve
from mirrorfield.report.scenes import policy_map

ASSETS = Path(__file__).parent.parent / "docs" / "assets"


def main() -> None:
    """Simulate the default scenario and draw two of its figures."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    dataset = mf.simulate(mf.Scenario()).dataset
    for name, draw in (("map", policy_map), ("tipping", tipping_curve)):
        options = {"dpi": 180, "bbox_inches": "tight", "pad_inches": 0.08, "metadata": {"Software": None}}
        draw(dataset).savefig(ASSETS / f"{name}.png", **options)


if __name__ == "__main__":
    main()
