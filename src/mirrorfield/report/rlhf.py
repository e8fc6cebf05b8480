"""The page of `mirrorfield rlhf`: what was asked, what was fitted, how far it can be trusted, what became of people."""

import numpy as np
from matplotlib.figure import Figure

from mirrorfield.arrays import STATES
from mirrorfield.report.canvas import blank, place, to_svg
from mirrorfield.report.comparison import HEAD, SHARES
from mirrorfield.report.leaf import figure, leaf, table
from mirrorfield.report.style import INK, MUTED, styled
from mirrorfield.study.rlhf import Rlhf

TITLE = "Learned from preferences"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
MARKS = (("o", BLUE), ("s", ORANGE), ("^", GREEN))
WINS_CAPTION = (
    "How often the category of the row was preferred to that of the column, in percent of the labels on that pair, "
    "over all states and labellers; in brackets the number of labels."
)
SCORE_CAPTION = (
    "Score of each category in each state, in nats, centred to mean 0 in a state: a gap of 1 nat is odds of 2.7 to 1. "
    "Bars: 95% intervals, plus and minus 1.96 standard errors that allow for the answers of one labeller hanging "
    "together."
)
OWN_CAPTION = (
    "Mean over labellers of the score of each category in each state, in nats, centred to mean 0 in a state. Bars: the "
    "middle 90% of labellers, whose scores are fitted one by one; not an interval of the mean."
)
RELIABILITY_CAPTION = (
    "Held-out labels by the probability that the reward model gave to the first post: the share that chose it, with "
    "95% "
    "Wilson intervals. A calibrated model lies on the line."
)
GOODHART_CAPTION = (
    "Gain over the reference against the distance from it, KL(pi || pi_ref) in nats, along ever weaker leashes: what "
    "the "
    "reward model promises (dashed, in nats of score) and the deliberate value (solid, in reactions), means over "
    "draws of "
    "labellers and labels with 95% bands, in closed form. Crosses: deliberate value in runs of the loop with this "
    "page's "
    "reward model."
)
EFFECTS_CAPTION = (
    "Change of each share or index that lies between 0 and 1, in hundredths, with its 95% interval: the same users "
    "with the "
    "same luck and the same algorithm, learned from by the reward model minus by clicks."
)


def score_chart(found: Rlhf) -> Figure:
    """Return r_phi by category, one mark for each state, with its intervals."""
    names = [category.name for category in found.clicks.categories]
    score, model = found.model.mean_score, found.model
    below, above = (1.96 * model.error[0],) * 2
    if len(model.score) > 1:
        low, high = np.quantile(model.score, (0.05, 0.95), axis=0)
        below, above = np.maximum(score - low, 0), np.maximum(high - score, 0)
    height = 0.5 * len(names) + 0.9
    with styled():
        drawing = blank(height)
        axes = place(drawing, 0.55, height - 0.95, 0.2, 1.2)
        for s, (state, (marker, color)) in enumerate(zip(STATES, MARKS, strict=True)):
            y = np.arange(len(names)) + 0.22 * (s - 1)
            axes.errorbar(
                score[s],
                y,
                xerr=[below[s], above[s]],
                fmt=marker,
                color=color,
                markersize=4.5,
                linewidth=1.3,
                label=state,
            )
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel("score r_phi (nats)")
        drawing.legend(*axes.get_legend_handles_labels(), frameon=False, ncols=3, loc="upper center")
    return drawing


def reliability_chart(found: Rlhf) -> Figure:
    """Return the share of held-out labels for the first post against what the model predicted, in percent."""
    assert found.held is not None
    seen = found.held.reliability
    with styled():
        drawing = blank(3.6)
        axes = place(drawing, 0.58, 2.9, 0.9)
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)))
        bars = [seen.observed - seen.low, seen.high - seen.observed]
        axes.errorbar(
            100 * seen.predicted, 100 * seen.observed, 100 * np.array(bars), fmt="o", color=BLUE, markersize=4.5
        )
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_xlabel("predicted (% that choose the first post)")
        axes.set_ylabel("observed (%)")
    return drawing


def goodhart_chart(found: Rlhf) -> Figure:
    """Return what r_phi promises and what is true, against the distance from the reference, by budget of labels."""
    with styled():
        drawing = blank(4.0)
        axes = place(drawing, 0.58, 2.75, 0.2)
        for curve, (marker, color) in zip(found.curves, MARKS, strict=False):
            true, half = curve.mean["deliberate"], curve.half["deliberate"]
            axes.fill_between(curve.kl, true - half, true + half, color=color, alpha=0.2, linewidth=0)
            axes.plot(curve.kl, true, marker=marker, color=color, markersize=4, label=f"{curve.pairs:,} labels")
            axes.plot(curve.kl, curve.mean["proxy"], color=color, linewidth=1.2, linestyle=(0, (4, 2)))
        runs = found.measured
        axes.plot([run.kl for run in runs], [run.mean["deliberate"] for run in runs], "x", color=INK, label="runs")
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_xlabel("KL from the reference (nats)")
        axes.set_ylabel("gain over the reference")
        drawing.legend(*axes.get_legend_handles_labels(), frameon=False, ncols=2, loc="upper center")
    return drawing


def effect_chart(found: Rlhf) -> Figure:
    """Return the effects on shares and indices, in hundredths, one row each with its interval."""
    shown = [e for e in found.effects if e.metric in SHARES or e.metric.startswith("share:")]
    height = 0.3 * len(shown) + 0.75
    with styled():
        drawing = blank(height)
        axes = place(drawing, 0.55, height - 0.65, 0.15, 1.35)
        for row, effect in enumerate(shown):
            axes.plot([100 * effect.low, 100 * effect.high], [row, row], color=INK, linewidth=1.4)
            axes.plot([100 * effect.difference], [row], "o", color=INK, markersize=4.5)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_yticks(range(len(shown)), [effect.metric.removeprefix("share:") for effect in shown])
        axes.set_xlabel("change (hundredths)")
    return drawing


def _asked(found: Rlhf) -> str:
    names = [category.name for category in found.clicks.categories]
    wins = found.wins.sum(axis=0)
    total = wins + wins.T
    rows = [
        (name, *(f"{100 * w / n:.0f}% ({n:,})" if n else "–" for w, n in zip(wins[a], total[a], strict=True)))
        for a, name in enumerate(names)
    ]
    told, who = found.disagreement, found.asked.intentionality
    words = "each at the intentionality it has as a user" if who is None else f"at intentionality {who:g}"
    return (
        f"<section><h2>What was asked</h2>\n<p>{found.asked.labellers:,} labellers, {words}, gave "
        f"{found.asked.pairs:,} "
        f"preferences ({found.asked.selection} pairs, temperature {found.asked.temperature:g} reactions). "
        f"{100 * told.against:.1f}% of labels are against the majority of their cell. Two labels of one labeller on "
        "one cell "
        f"differ in {100 * told.within:.1f}% of cases, two of different labellers in {100 * told.between:.1f}%; the "
        "excess is "
        f"how far labellers themselves differ. On {100 * found.minority:.1f}% of cells a labeller's own preference is "
        "not "
        f'that of most.</p>\n{table(("preferred to", *names), rows)}<p class="note">{WINS_CAPTION}</p></section>\n'
    )


def _fitted(found: Rlhf) -> str:
    model, caption = found.model, SCORE_CAPTION if len(found.model.score) == 1 else OWN_CAPTION
    chart = figure(to_svg(score_chart(found), "score", "Scores by category and state with 95% intervals."), caption)
    words = f"A {model.kind} model, ridge {model.ridge:g}."
    if model.spread is not None:
        each = ", ".join(f"{tau:.3f} in state {s}" for tau, s in zip(model.spread, STATES, strict=True))
        words += f" Labellers are spread around the shared scores by {each} (nats)."
    if found.held is None:
        return f"<section><h2>The reward model</h2>\n<p>{words}</p>{chart}</section>\n"
    held = found.held
    words += (
        f" On {held.labels:,} held-out labels its log-loss is {held.log_loss:.4f} nats (95%: {held.log_loss_low:.4f} "
        "to "
        f"{held.log_loss_high:.4f}; a coin: 0.6931; the labellers' own probabilities: {held.best_log_loss:.4f}), and "
        "it is "
        f"right on {100 * held.accuracy.value:.1f}% (95%: {100 * held.accuracy.low:.1f} to "
        f"{100 * held.accuracy.high:.1f})."
    )
    seen = to_svg(reliability_chart(found), "reliability", "Observed against predicted shares of held-out labels.")
    return (
        f'<section><h2>The reward model</h2>\n<p>{words}</p><div class="figures">{chart}'
        f"{figure(seen, RELIABILITY_CAPTION)}</div></section>\n"
    )


def _optimised(found: Rlhf) -> str:
    if not found.curves:
        return ""
    chart = to_svg(goodhart_chart(found), "goodhart", "Promised and true gain against distance; the table has it.")
    head = ("labels", "KL, nats", "promised, nats", "deliberate value, reactions", "labellers' mean value, reactions")
    rows = [
        (
            f"{c.pairs:,}",
            f"{c.kl[j]:.3f}",
            *(f"{c.mean[n][j]:+.3f} ± {c.half[n][j]:.3f}" for n in ("proxy", "deliberate", "labellers")),
        )
        for c in found.curves
        for j in (6, 9, 12, 18)
    ]
    apart = float(abs(found.policy - found.dpo).max())
    dpo = (
        f"<p>DPO on the same pairs ends within {apart:.1g} of the optimum for this reward model and leash.</p>"
        if found.model.kind == "shared" and found.model.margin == 0
        else "<p>DPO knows one policy for all; its largest distance to the mean policy of this model is "
        f"{apart:.3f}.</p>"
    )
    return (
        f"<section><h2>Promised and true</h2>\n{figure(chart, GOODHART_CAPTION)}{table(head, rows)}"
        f'<p class="note">Means over {found.curves[0].draws} draws, with half widths of 95% '
        f"intervals.</p>{dpo}</section>\n"
    )


def _people(found: Rlhf) -> str:
    rows = [
        (
            *(e.metric, f"{e.base:.4f}", f"{e.changed:.4f}", f"{e.difference:+.4f}"),
            *(f"{e.low:+.4f} to {e.high:+.4f}", f"{e.variance_ratio:.1f}"),
        )
        for e in found.effects
    ]
    chart = to_svg(effect_chart(found), "effects", "Effects with 95% intervals; the table has them.")
    head = (HEAD[0], "clicks", "reward model", *HEAD[3:])
    return (
        f"<section><h2>What became of people</h2>\n{figure(chart, EFFECTS_CAPTION)}{table(head, rows)}"
        '<p class="note">mean_reaction is what people felt over all posts, whatever was learned from; '
        "deliberate_value is "
        "what they would say their diet is worth, rating with full intention; kl is the distance of their policy from "
        "the "
        "reference, in nats.</p></section>\n"
    )


def page(found: Rlhf, command: str) -> str:
    """Return the chain as one self-contained HTML page; `command` is what made it."""
    base = found.clicks
    run = (
        f"{base.name}: {base.users:,} users x {base.steps:,} interactions, seed {base.seed}, rule {base.policy.rule}, "
        f"leash beta {base.policy.to_rule().beta:g}; {found.pairs:,} users paired"
    )
    body = _asked(found) + _fitted(found) + _people(found) + _optimised(found)
    return leaf(TITLE, run, body, found.clicks, command)
