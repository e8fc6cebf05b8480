"""Measure the four phenomena for docs/phenomena, and draw their pictures.

Usage: uv run python scripts/phenomena.py [PART ...] [--users N]
Parts: bubble, chamber, polarization, radicalization, tipping, clusters; all by default. Prints Markdown.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import mirrorfield as mf
from mirrorfield.arrays import STATES
from mirrorfield.kernel import FEED_UNIT
from mirrorfield.metrics.clusters import adjusted_rand, by_k_means, by_largest, describe, stability
from mirrorfield.metrics.concentration import entropy
from mirrorfield.metrics.diversity import gini, herfindahl, miscalibration
from mirrorfield.metrics.escalation import Survival, first_times, kaplan_meier, slope, state_rates
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.metrics.polarization import (
    agreement,
    bimodality_coefficient,
    bipolarity,
    delta_interval,
    dip,
    esteban_ray,
    reynal_querol,
    two_sides,
)
from mirrorfield.report.canvas import Label, blank, end_labels, place, step_axis
from mirrorfield.report.study import neighbours_chart, tipping_chart
from mirrorfield.report.style import styled

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
HOOKED = STATES.index("hooked")


def save(figure: Figure, name: str) -> None:
    """Write a picture for the docs."""
    figure.savefig(ASSETS / f"{name}.png", dpi=180, bbox_inches="tight", pad_inches=0.08, metadata={"Software": None})


def rows(*table: tuple[object, ...]) -> None:
    """Print rows of a Markdown table."""
    for row in table:
        print("| " + " | ".join(f"{x:.4f}" if isinstance(x, float) else str(x) for x in row) + " |", flush=True)


def survival_chart(curves: dict[str, Survival]) -> Figure:
    """Return the shares of users that an event has not reached yet, in percent, with 95% bands."""
    with styled():
        drawing = blank(3.2)
        axes = place(drawing, 0.58, 2.5, 1.6)
        labels = []
        for (name, curve), color, marker in zip(curves.items(), ("#0072B2", "#D55E00"), ("o", "s"), strict=True):
            axes.fill_between(curve.time, 100 * curve.low, 100 * curve.high, color=color, alpha=0.2, linewidth=0)
            axes.plot(curve.time, 100 * curve.share, color=color, marker=marker, markevery=5, markersize=4)
            labels.append(Label(f"before {name}", float(curve.time[-1]), 100 * float(curve.share[-1]), color, marker))
        axes.set_ylim(0, 102)
        axes.set_ylabel("users not there yet (%)")
        step_axis(axes, curves["lock-in"].time)
        end_labels(axes, labels)
    return drawing


def loops_chart(found: mf.Comparison) -> Figure:
    """Return shares and indices under the closed loop and the open ones, with 95% intervals of the difference."""
    shown = ("locked_in", "filter_bubble", "drift", "hooked", "calm")
    marks = (("o", "#000000"), ("s", "#0072B2"), ("^", "#D55E00"), ("D", "#009E73"))
    arms = [("closed loop", {e.metric: (e.base, 0.0) for e in found.arms[0].effects})]
    arms += [(arm.name, {e.metric: (e.changed, (e.high - e.low) / 2) for e in arm.effects}) for arm in found.arms]
    with styled():
        drawing = blank(3.3)
        axes = place(drawing, 0.58, 2.4, 0.2, 1.1)
        for (name, values), (marker, color) in zip(arms, marks, strict=True):
            x, half = zip(*(values[metric] for metric in shown), strict=True)
            axes.errorbar(x, range(len(shown)), xerr=half, fmt=marker, color=color, markersize=5, label=name)
        axes.set_yticks(range(len(shown)), [metric.replace("_", " ") for metric in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(-0.03, 1.0)
        axes.set_xlabel("share of users, or index (0 to 1)")
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)
    return drawing


def bubble(users: int) -> None:
    """The filter bubble at the last step, and how soon it came."""
    run = mf.simulate(mf.Scenario(users=users))
    sample, totals, steps = run.part.sample, run.part.totals, run.plan.steps
    feed, mean = sample.diet[-1].T.astype(float), run.dataset["mean_diet"].values[-1]
    interest = np.maximum(sample.susceptibility.T * run.plan.profiles.reactive.mean[0], 0)
    interest = interest / interest.sum(axis=1, keepdims=True)
    off = miscalibration(feed, interest)
    second = run.dataset["second_moment"].values[-1]
    rows(*((name, run.summary[name]) for name in ("effective_categories", "filter_bubble", "overlap", "locked_in")))
    rows(("filter_bubble_within", run.summary["filter_bubble_within"]))
    rows(("filter_bubble_between", run.summary["filter_bubble_between"]))
    rows(("Herfindahl index, mean", float(np.trace(second))), ("Gini of the mean diet", float(gini(mean))))
    rows(
        ("Herfindahl of the mean diet", float(herfindahl(mean))),
        ("exp(H) of the mean diet", float(np.exp(entropy(mean)))),
    )
    rows(("miscalibration, sample, nats", float(off.mean()), float(off.std() / np.sqrt(len(off)))))
    locked = kaplan_meier(steps, totals.lock_in.sum(axis=1), users)
    hooked = kaplan_meier(steps, first_times(sample.state == HOOKED), sample.state.shape[1])
    save(survival_chart({"lock-in": locked, "hooked": hooked}), "survival")
    for name, curve in (("lock-in", locked), ("hooked", hooked)):
        rows(
            (f"time to {name}: median", curve.median),
            (f"never by {steps[-1]}", *map(float, (curve.share[-1], curve.low[-1], curve.high[-1]))),
        )


def chamber(users: int) -> None:
    """The echo chamber: the loop closed against the loop open, user by user."""
    base = mf.Scenario(users=users, record={"users": min(users, 1_000_000), "steps": 8})
    found = mf.compare(base, {}, against=["random", "frozen", "popular"])
    save(loops_chart(found), "open-loops")
    for arm in found.arms:
        print(f"\n**{arm.name}**, {found.pairs:,} pairs")
        rows(
            *(
                (e.metric, e.base, e.changed, e.difference, f"{e.low:+.4f} to {e.high:+.4f}", f"{e.variance_ratio:.1f}")
                for e in arm.effects
            )
        )


def polarization(users: int) -> None:
    """Polarization of the crowd, and two neighbours."""
    run = mf.simulate(mf.Scenario(users=users))
    count = run.part.totals.band_category[-1].sum(axis=0)
    group = run.part.totals.category_feed[-1].astype(float)
    means = group / group.sum(axis=1, keepdims=True)
    apart = 0.5 * np.abs(means[:, None] - means[None]).sum(axis=2)
    for name, metric in (("Reynal-Querol", reynal_querol), ("Esteban-Ray", lambda w: esteban_ray(apart, w))):
        rows((name, metric(count), "{:.5f} to {:.5f}".format(*delta_interval(metric, count))))
    feed = run.part.sample.diet[-1][-1].astype(float)
    bins, _ = np.histogram(feed, 32, (0, 1))
    middle = (np.arange(32) + 0.5) / 32
    for name, metric in (
        ("bipolarity", bipolarity),
        ("Morales", two_sides),
        ("bimodality coefficient", bimodality_coefficient),
    ):
        rows(
            (
                f"{name} of p(depth)",
                metric(middle, bins),
                "{:.4f} to {:.4f}".format(*delta_interval(lambda w, m=metric: m(middle, w * bins.sum()), bins)),
            )
        )
    rows(("agreement of p(depth)", agreement(bins)), ("dip of p(depth)", dip(bins)))
    print(f"sample of {len(feed):,}; sums of feeds in units of {FEED_UNIT:g}")
    pairs = mf.neighbours(pairs=min(users, 1_000_000))
    for pair in pairs.distances:
        rows(
            (pair.distance, *(f"{s.value:.5f} [{s.low:.5f}, {s.high:.5f}]" for s in (pair.same_luck, pair.other_luck)))
        )
    rows(("strangers", pairs.strangers.value), ("profile", *pairs.profile), ("luck", *pairs.luck))
    save(neighbours_chart(pairs), "neighbours")
    for rate in (0.02, 0.1, 0.5, 2.0):
        found = mf.neighbours(mf.Scenario(policy={"learning_rate": rate}), (), pairs=min(users, 200_000))
        rows((f"learning rate {rate:g}", *found.profile, *found.luck))


def radicalization(users: int) -> None:
    """Intensity with and without adaptation, on the same users with the same luck."""
    runs = {}
    for eta in (0.05, 0.0):
        base = mf.Scenario.load("radicalization")
        scenario = base.model_copy(update={"users": users, "intensity": base.intensity.model_copy(update={"eta": eta})})
        runs[eta] = run = mf.simulate(scenario)
        sample, steps = run.part.sample, run.plan.steps
        rows(
            (
                f"eta {eta:g}",
                run.summary["intensity"],
                run.summary["floor"],
                run.summary["mean_reaction"],
                run.summary["states"]["hooked"],
                run.summary["locked_in"],
            )
        )
        climb = slope(np.log10(steps), sample.intensity.astype(float))
        rows(("slope of intensity per tenfold posts", float(climb.mean()), float(climb.std() / np.sqrt(len(climb)))))
        flow = state_rates(run.part.totals.state_flow[-1])
        rows(("last interval: up, down, recovery, net", flow.up, flow.down, flow.recovery, flow.net))
        early = int(np.searchsorted(steps, 1000))
        before, after = (category_of(sample.diet[c].T, run.plan.sample) for c in (early, -1))
        held = sample.diet[early].max(axis=0) > 0.9
        rows(
            (
                f"locked in at {steps[early]}",
                float(held.mean()),
                "same category at the end",
                float((before == after)[held].mean()),
            )
        )
    one, other = (runs[eta].part.sample.intensity[-1].astype(float) for eta in (0.05, 0.0))
    rows(
        ("paired difference of intensity", float((one - other).mean()), float((one - other).std() / np.sqrt(len(one))))
    )
    with styled():
        drawing = blank(3.2)
        axes = place(drawing, 0.58, 2.5, 1.95)
        axes.set_ylim(-0.03, 1.05)
        axes.set_ylabel("mean over users (0 to 1)")
        step_axis(axes, runs[0.0].plan.steps)
        labels = []
        for eta, color, marker, label in ((0.05, "#D55E00", "s", "adaptive"), (0.0, "#0072B2", "o", "stationary")):
            steps, share = runs[eta].plan.steps, runs[eta].dataset["share"].values
            for name, line in (("intensity", "-"), ("floor", "--")):
                value = np.nansum(runs[eta].dataset[name].values * share, axis=1)
                axes.plot(steps, value, color=color, linestyle=line, marker=marker, markevery=5, markersize=4)
                labels.append(Label(f"{name}, {label}", float(steps[-1]), float(value[-1]), color, marker))
        end_labels(axes, labels)
    save(drawing, "radicalization")


def tipping(users: int) -> None:
    """Where the population tips, with a fresh and with a warm policy."""
    for name, scenario in (("default", mf.Scenario(users=users // 30)),):
        found = mf.tip(scenario)
        rows((name, *found.bracket), (str(found.fit),), (str(found.hysteresis),))
        save(tipping_chart(found), "tipping-point")


def clusters(users: int) -> None:
    """Clusters found in feeds alone."""
    run = mf.simulate(mf.Scenario(users=users))
    sample = run.part.sample
    feed = sample.diet[-1].T.astype(float)
    named = by_largest(feed)
    for k in range(2, 8):
        label = by_k_means(feed, k)
        rows((k, stability(feed[:4000], k), adjusted_rand(label[named < 4], named[named < 4])))
    for card in describe(named, feed, sample.intentionality, sample.susceptibility.T, sample.state[-1] == HOOKED):
        rows(
            (
                card.share,
                card.intentionality,
                card.hooked,
                card.locked_in,
                card.susceptibility.round(2),
                card.feed.round(3),
                card.apart.round(3),
            )
        )


PARTS = {part.__name__: part for part in (bubble, chamber, polarization, radicalization, tipping, clusters)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--users", type=int, default=10_000_000)
    chosen = parser.parse_args()
    for part in chosen.parts or PARTS:
        print(f"\n## {part}")
        PARTS[part](chosen.users)
