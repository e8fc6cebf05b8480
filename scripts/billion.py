"""Write what the page and the documentation say of a run of a billion people, from its folder.

Usage: uv run python scripts/billion.py FOLDER --machine "two cores of ..." [--write]
Prints the tables of docs/results/billion.md; with --write, also writes scripts/billion.toml, from which the page is
made.
"""

import argparse
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
import xarray as xr

PLACE = Path(__file__).with_name("billion.toml")
ON_PURPOSE = 0.85
EARLY = 100
FIGURES = ("locked_in", "effective_categories", "filter_bubble", "overlap", "two_faced", "mean_reaction")


def locked_in_to(at: xr.Dataset, low: float = 0.0) -> dict[str, int]:
    """Return how many people with a lambda of `low` or more are locked in to each kind."""
    counts = at.band_locked.where(at.band_low >= low - 1e-9, 0).sum("band").values.astype(int)
    return dict(zip(at.category.values.tolist(), counts.tolist(), strict=True))


def counted(dataset: xr.Dataset, last: xr.Dataset, command: str, machine: str) -> dict[str, Any]:
    """Return a run's figures at its last step, as the page's recorder takes them."""
    early = dataset.isel(step=int((dataset.step.values >= EARLY).argmax()))
    on_purpose = dataset.band_low >= ON_PURPOSE - 1e-9
    users = int(dataset.band_users.sum())
    return {
        "command": command,
        "machine": machine,
        "of": "the diet of each person: what they are served in the long run of their own states",
        "users": users,
        "t": int(last.step),
        "shares": (last.band_category.sum("band") / users).values.round(9).tolist(),
        "states": last.state_share.values.round(9).tolist(),
        **{name: round(float(last[name]), 9) for name in FIGURES},
        "ever_locked_in": round(float(dataset.lock_in_users.sum() / users), 9),
        "locked_in_to": locked_in_to(last),
        "early": {
            "t": int(early.step),
            "locked_in": round(float(early.locked_in), 9),
            "locked_in_to": locked_in_to(early),
        },
        "on_purpose": {
            "above": ON_PURPOSE,
            "users": int(dataset.band_users.where(on_purpose, 0).sum()),
            "locked_in_to": locked_in_to(last, ON_PURPOSE),
        },
    }


def bands(dataset: xr.Dataset, last: xr.Dataset) -> str:
    """Return how many are locked in to each kind in each band of lambda, as Markdown."""
    kinds = last.category.values.tolist()
    lines = ["| lambda | people | " + " | ".join(f"locked in to {kind}" for kind in kinds) + " | locked in |"]
    lines.append("|---|" + "---|" * (len(kinds) + 2))
    for low, high, users, counts in zip(
        dataset.band_low.values,
        dataset.band_high.values,
        dataset.band_users.values,
        last.band_locked.values,
        strict=True,
    ):
        cells = " | ".join(f"{int(count):,}" for count in counts)
        lines.append(f"| {low:.2f} to {high:.2f} | {int(users):,} | {cells} | {counts.sum() / users:.2%} |")
    return "\n".join(lines)


def course(dataset: xr.Dataset) -> str:
    """Return which kinds lead, and who is locked in, at some recorded posts, as Markdown."""
    kinds = dataset.category.values.tolist()
    lines = [f"| post | {' | '.join(kinds)} | locked in | filter-bubble index | people locked in to depth |"]
    lines.append("|---|" + "---|" * (len(kinds) + 3))
    for step in dataset.step.values[::-4][::-1]:
        at = dataset.sel(step=step)
        shares = at.band_category.sum("band").values / int(dataset.band_users.sum())
        cells = " | ".join(f"{share:.3%}" for share in shares)
        deep = locked_in_to(at)[kinds[-1]]
        lines.append(f"| {step:,} | {cells} | {at.locked_in:.4%} | {at.filter_bubble:.5f} | {deep:,} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    dataset = xr.load_dataset(asked.folder / "result.zarr", engine="zarr", consolidated=False)
    scenario = tomllib.loads((asked.folder / "scenario.toml").read_text(encoding="utf-8"))
    last = dataset.isel(step=-1)
    command = f"mirrorfield run --users {scenario['users']:_}"
    found = counted(dataset, last, command, asked.machine)
    text = "# A recorded run, docs/results/billion.md: every figure counts all users.\n" + tomli_w.dumps(found)
    print(text, course(dataset), bands(dataset, last), sep="\n\n")
    if asked.write:
        PLACE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
