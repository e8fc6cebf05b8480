"""The scorecard as rows of a table, as plain values, as Markdown and as one HTML page."""

import json
from collections.abc import Sequence
from html import escape
from math import isfinite
from typing import Any

from mirrorfield.report.canvas import to_svg
from mirrorfield.report.card import Figures
from mirrorfield.report.leaf import figure, leaf, table
from mirrorfield.report.strips import ALT, CAPTION, number, strips
from mirrorfield.study.bench import NULLS
from mirrorfield.study.scorecard import Row, Scorecard
from mirrorfield.validation.facing import ORDER, RULE, Measured
from mirrorfield.validation.facts import Fact

HEADINGS = ("fact", "published", "unit", "model", "null models", "verdict")
TITLE = "Scorecard: the model against published facts"
UNCHECKED = " *"
ASSUMED = (
    "The people are assumptions: their tables are stylised and not estimated. So a fact that the model agrees with is "
    "no evidence that people are made like this, and one that it contradicts shows where a table or a mechanism is "
    'wrong. A fact of the role "input" is of the sort that the tables were made to show; only the others test.'
)
MARK = "* The number was not read in the source itself; the reason stands with the fact."


def _found(found: Measured) -> str:
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def published(fact: Fact) -> str:
    if fact.kind == "sign":
        told = "positive" if fact.value > 0 else "negative"
    elif fact.kind == "zero":
        told = f"no change (margin {fact.margin:g})"
    elif fact.low is None or fact.high is None:
        told = f"{fact.value:g}"
    else:
        told = f"{fact.value:g} [{fact.low:g}, {fact.high:g}]"
    return told + ("" if fact.checked else UNCHECKED)


def _nulls(row: Row) -> str:
    return "; ".join(f"{name} {_found(found)}: {verdict.word}" for name, (found, verdict) in row.nulls.items())


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as the texts of a table."""
    model = "" if row.model is None else _found(row.model)
    verdict = row.verdict.word if row.model is None else f"{row.verdict.word}: {row.verdict.why}"
    return row.fact.id, published(row.fact), row.fact.unit, model, _nulls(row), verdict


def head(card: Scorecard) -> str:
    """Return the outcome in one sentence."""
    against, for_, open_ = (card.count(word) for word in ORDER)
    counts = f"the model contradicts {against}, agrees with {for_}, and cannot be compared with {open_}"
    base = card.base
    return f"{len(card.rows)} facts; {base.users:,} people, {base.steps:,} posts each, seed {base.seed}: {counts}."


def told_apart(card: Scorecard) -> str:
    """Return how much the agreement is worth: against null models, by role, and with the nearest settings."""
    agreed = [row for row in card.rows if row.verdict.word == "agrees"]
    alone = [row for row in agreed if all(verdict.word != "agrees" for _, verdict in row.nulls.values())]
    tests = sum(row.fact.role == "test" for row in alone)
    near = [row for row in card.rows if row.verdict.word == "contradicts" and row.nearest is not None]
    nearer = sum(row.nearest is not None and row.nearest[1].word == "agrees" for row in near)
    return (
        f"Of the {len(agreed)} facts that the model agrees with, {len(alone)} are contradicted by every null model "
        f"beside them, and {tests} of these test it. Of the {card.count('contradicts')} that it contradicts, {nearer} "
        "agree with the nearest settings known, which were chosen on them."
    )


def plain(card: Scorecard) -> dict[str, Any]:
    """Return the scorecard as plain values for JSON; None for a number that is not finite."""
    rows = []
    for row in card.rows:
        nulls = {name: _judged(*pair) for name, pair in row.nulls.items()}
        near = None if row.nearest is None else {"settings": row.fact.nearest} | _judged(*row.nearest)
        model = None if row.model is None else _numbers(row.model)
        fact = row.fact.model_dump(mode="json", exclude={"nearest", "nulls", "concerns", "recorded"})
        verdict = {"verdict": row.verdict.word, "why": row.verdict.why}
        rows.append({"fact": fact, "model": model, **verdict, "nulls": nulls, "nearest": near})
    return {
        "scenario": card.base.model_dump(mode="json", exclude_none=True),
        "rule": RULE,
        "counts": {w: card.count(w) for w in ORDER},
        "rows": rows,
    }


def _numbers(found: Measured) -> dict[str, float | None]:
    ends = {"value": found.value, "low": found.low, "high": found.high}
    return {name: float(end) if isfinite(end) else None for name, end in ends.items()}


def _judged(found: Measured, verdict: Any) -> dict[str, Any]:
    return _numbers(found) | {"verdict": verdict.word, "why": verdict.why}


def _about(row: Row) -> list[tuple[str, str]]:
    """Return what is known of one fact, as pairs of a label and a text."""
    fact, source = row.fact, row.fact.source
    told = [
        ("Published", f"{published(fact)}, {fact.unit}; {fact.population}"),
        ("Source", f"{source.authors} ({source.year}), {source.title}, {source.address}; {source.place}"),
    ]
    if fact.unchecked:
        told.append(("Not read in the source", fact.unchecked))
    if row.model is not None:
        told.append(("Model", f"{_found(row.model)}: {fact.counterpart}"))
        told += [
            (f"Null model, {name}", f"{_found(m)}, {v.word} ({v.why}): {NULLS[name]}")
            for name, (m, v) in row.nulls.items()
        ]
    told.append(("Verdict", f"{row.verdict.word}: {row.verdict.why}"))
    if row.nearest is not None:
        found, verdict = row.nearest
        told.append(("Nearest", f"{_found(found)}, {verdict.word} ({verdict.why}), with {_settings(fact)}"))
    if fact.tried:
        told.append(("Tried", fact.tried))
    return [*told, ("Role", fact.role), ("What would change it", fact.change)]


def _settings(fact: Fact) -> str:
    return ", ".join(f"{path} = {_value(value)}" for path, value in fact.nearest.items())


def _value(value: Any) -> str:
    """Return a setting as --set takes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(part)}" for name, part in value.items()) + "}"
    return json.dumps(value)


def markdown(card: Scorecard, command: str, picture: str = "") -> str:
    """Return the scorecard as a page of Markdown; `command` is what made it, `picture` the file that it shows."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(cells(row) for row in card.rows)]
    grid = "".join(f"| {' | '.join(part.replace('|', '/') for part in row)} |\n" for row in rows)
    text = f"# {TITLE}\n\n**{head(card)}** {told_apart(card)}\n\n```console\n$ {command}\n```\n\n"
    shown = f'![{ALT}]({picture}){{ width="480" }}\n\n{CAPTION}\n\n' if picture else ""
    text += f"{ASSUMED}\n\n{shown}{grid}\n{_escaped(MARK)}\n\n"
    text += f"## The rule\n\n{RULE}\n\n## The facts\n"
    for row in card.rows:
        text += f"\n### {row.fact.id}\n\n{row.fact.statement}\n\n"
        text += "".join(f"- **{label}.** {value}\n" for label, value in _about(row))
    return text


def _escaped(text: str) -> str:
    return text.replace("*", "\\*")


def page(card: Scorecard, command: str) -> str:
    """Return the scorecard as one self-contained HTML page; `command` is what made it."""
    body = f"<p>{escape(told_apart(card))}</p>\n{_pictures(card)}<p>{escape(ASSUMED)}</p>\n"
    body += f"{table(HEADINGS, [cells(row) for row in card.rows])}<p>{escape(MARK)}</p>\n"
    body += f"<section><h2>The rule</h2><p>{escape(RULE)}</p></section>\n"
    for row in card.rows:
        listed = "".join(f"<li><b>{escape(label)}.</b> {escape(value)}</li>\n" for label, value in _about(row))
        body += (
            f"<section><h2>{escape(row.fact.id)}</h2><p>{escape(row.fact.statement)}</p><ul>{listed}</ul></section>\n"
        )
    return leaf(TITLE, head(card), body, card.base, command)


def _pictures(card: Scorecard) -> str:
    """Return the strips as HTML, contradicted facts in a figure of their own; nothing where there are none to draw."""
    against = [row for row in card.rows if row.model and row.verdict.word == "contradicts"]
    others = [row for row in card.rows if row.model and row not in against]
    drawn = [to_svg(strips(part), f"strips{place}", ALT) for place, part in enumerate((against, others)) if part]
    pictures = "".join(figure(svg, "") for svg in drawn)
    return f'<div class="figures">{pictures}</div>\n<p class="note">{escape(CAPTION)}</p>\n' if drawn else ""


def figures(card: Scorecard) -> Figures:
    """Return what is said of each fact in a few words, contradicted ones first."""
    return [(row.fact.id, cells(row)[-1]) for row in card.rows]


def lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return rows as the short texts of a terminal's table: without the unit, nulls by verdict only."""
    short: list[tuple[str, ...]] = []
    for row in rows:
        name, published, _, model, _, verdict = cells(row)
        words = {word: [null for null, pair in row.nulls.items() if pair[1].word == word] for word in ORDER}
        nulls = "; ".join(f"{word}: {', '.join(named)}" for word, named in words.items() if named)
        near = "" if row.nearest is None else f"{_found(row.nearest[0])} {row.nearest[1].word}"
        short.append((name, published, model, nulls, near, verdict))
    return short
