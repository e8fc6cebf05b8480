"""Do the categories of a corpus lie apart? Tables in Markdown, and a picture.

Usage: uv run python scripts/corpus_geometry.py [posts | FILE.npz] [--picture FILE.png]

Every figure stands beside what it is when the categories are shuffled over the items 9,999 times: the mean, and the
range of the middle 95%. Compares all pairs, so it is for corpora of up to some thousand items.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

from mirrorfield.metrics.similarity import mean_cosine
from mirrorfield.population.corpus import Corpus, load_corpus

matplotlib.use("Agg")

SHUFFLES = 9_999
OTHER, SAME = "#52606d", "#D55E00"


def neighbour(cosine: np.ndarray, kind: np.ndarray) -> float:
    """Return the share of items whose nearest other item has their category."""
    return float((kind[cosine.argmax(axis=1)] == kind).mean())


def gap(cosine: np.ndarray, kind: np.ndarray) -> float:
    """Return the mean cosine of pairs of one category minus that of pairs of two."""
    same, pair = kind[:, None] == kind, np.isfinite(cosine)
    return float(cosine[same & pair].mean() - cosine[~same].mean())


def centre(gram: np.ndarray, kind: np.ndarray) -> float:
    """Return the share of items nearest to the mean of their own category, of which they are left out."""
    member = np.eye(kind.max() + 1)[kind]
    dot = gram @ member
    length = np.einsum("ia,ia->a", member, dot)
    away = np.arange(len(kind)), kind
    square = np.tile(length, (len(kind), 1))
    square[away] += 1 - 2 * dot[away]
    dot[away] -= 1
    return float(((dot / np.sqrt(square)).argmax(axis=1) == kind).mean())


def shuffled(figure: Callable[..., float], table: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Return a figure for many random orders of the categories."""
    rng = np.random.default_rng(0)
    return np.array([figure(table, rng.permutation(kind)) for _ in range(SHUFFLES)])


def picture(corpus: Corpus, means: np.ndarray, cosine: np.ndarray, file: Path) -> None:
    """Draw the mean cosines of the categories, and the distribution of the cosines of pairs."""
    names, kind = corpus.categories, corpus.category
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2), layout="constrained")
    image = left.imshow(means, cmap="cividis")
    for a, b in np.ndindex(means.shape):
        dark = means[a, b] < means.mean()
        left.text(b, a, f"{means[a, b]:.3f}", ha="center", va="center", color="white" if dark else "black", fontsize=9)
    left.set(xticks=range(len(names)), yticks=range(len(names)), xticklabels=names, yticklabels=names)
    left.set_title("mean cosine of two items", fontsize=10)
    left.tick_params(labelsize=8)
    figure.colorbar(image, ax=left, shrink=0.85).set_label("cosine (no unit)", fontsize=8)
    upper = np.triu(np.ones_like(cosine, dtype=bool), 1)
    same, bins = kind[:, None] == kind, np.linspace(-0.15, 0.5, 27)
    for pairs, label, color, dash in ((~same, "two categories", OTHER, "--"), (same, "one category", SAME, "-")):
        right.hist(
            cosine[pairs & upper], bins, density=True, histtype="step", lw=1.6, color=color, ls=dash, label=label
        )
    right.set(xlabel="cosine of two items (no unit)", ylabel="density of pairs")
    right.legend(frameon=False, fontsize=9)
    right.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=160, metadata={"Software": None})


def main() -> None:
    """Print the tables, and draw the picture where one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?", default="posts")
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    corpus = load_corpus(asked.corpus)
    kind, wide = corpus.category, corpus.embedding.astype(np.float64)
    gram = wide @ wide.T
    cosine = np.where(np.eye(len(corpus), dtype=bool), -np.inf, gram)
    means = mean_cosine(corpus.embedding, kind, len(corpus.categories))
    print("| | " + " | ".join(corpus.categories) + " |\n" + "|---" * (len(corpus.categories) + 1) + "|")
    for name, row in zip(corpus.categories, means, strict=True):
        print(f"| {name} | " + " | ".join(f"{x:.3f}" for x in row) + " |")
    print("\n| figure | measured | categories shuffled: mean [95%] | shuffles as large |\n|---|---|---|---|")
    for label, figure, table in (
        ("mean cosine within minus between", gap, cosine),
        ("nearest item has the same category", neighbour, cosine),
        ("nearest to its own category's mean", centre, gram),
    ):
        found, chance = figure(table, kind), shuffled(figure, table, kind)
        low, high = np.quantile(chance, [0.025, 0.975])
        larger = int((chance >= found).sum())
        print(f"| {label} | {found:.3f} | {chance.mean():.3f} [{low:.3f}, {high:.3f}] | {larger} of {SHUFFLES:,} |")
    if asked.picture:
        picture(corpus, means, cosine, asked.picture)


if __name__ == "__main__":
    main()
