"""job.json: what a run folder is computing, so that only the same computation continues it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from mirrorfield.errors import CorruptError, InputError
from mirrorfield.population.base import Frozen, brief, one_line
from mirrorfield.population.run import Plan
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.reading import parse_json, read_text, reason_of
from mirrorfield.store.lock import check_name
from mirrorfield.version import VERSION, source_digest

JOB = "job.json"
FORMAT = 2
SHOWN = 6
LISTED, LENS, OWN = "listed users, SHA-256", "reward model and corpus, SHA-256", "own recommender or people, SHA-256"
NAMES = {
    LISTED: "listed",
    LENS: "lens",
    OWN: "own",
    "--block": "block",
    "--keep": "keep",
}


class Ticket(Frozen):
    """What decides a run's parts, and the words that began it."""

    format: int
    version: str
    sources: str
    scenario: dict[str, Any]
    listed: str | None
    lens: str | None
    own: str | None
    block: int
    keep: Literal["sample", "all"]
    population: str | None
    command: str

    def identity(self) -> str:
        """Return a SHA-256 over everything but the path of the listed users and the command."""
        return _sha256(self.model_dump(mode="json", exclude={"population", "command"}))


def plain(scenario: AnyScenario) -> dict[str, Any]:
    """Return a scenario as nested plain values, as TOML and JSON write it."""
    return scenario.model_dump(mode="json", exclude_none=True)


def ticket_of(plan: Plan, block: int, population: Path | None, command: str) -> Ticket:
    """Return the ticket of a plan; `population` is the folder of listed users, if any."""
    digests, place = input_digests(plan), str(population.resolve()) if population else None
    if place:
        check_name(Path(place))
    return Ticket(
        format=FORMAT,
        version=VERSION,
        sources=source_digest(),
        scenario=plain(plan.scenario),
        listed=digests.get(LISTED),
        lens=digests.get(LENS),
        own=digests.get(OWN),
        block=block,
        keep="all" if plan.keep_all else "sample",
        population=place,
        command=command,
    )


def input_digests(plan: Plan) -> dict[str, str]:
    """Return the SHA-256 of what a plan has read beside its scenario, by what it is."""
    found = {LISTED: _listed_digest(plan), LENS: _lens_digest(plan), OWN: plan.own.digest or None}
    return {name: digest for name, digest in found.items() if digest}


def _listed_digest(plan: Plan) -> str | None:
    tables = plan.population
    if not len(tables.listed_susceptibility):
        return None
    digest = hashlib.sha256(repr(tables.listed_susceptibility.shape).encode())
    digest.update(tables.listed_susceptibility.tobytes() + tables.listed_intentionality.tobytes())
    return digest.hexdigest()


def _lens_digest(plan: Plan) -> str | None:
    """Return a SHA-256 over what a reward model's file and a corpus hold, or None where the scenario names neither."""
    if plan.lens is None or not (plan.scenario.reward.model_file or plan.scenario.retrieval.corpus):
        return None
    digest = hashlib.sha256()
    for array in (plan.lens.model, plan.lens.kind, plan.lens.quality, plan.lens.gram, plan.lens.relevance):
        digest.update(repr(array.shape).encode() + array.tobytes())
    return digest.hexdigest()


def _sha256(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def ticket_bytes(ticket: Ticket) -> bytes:
    """Return the content of job.json."""
    values = ticket.model_dump(mode="json")
    return (json.dumps({"checksum": _sha256(values), **values}, indent=2) + "\n").encode()


def read_ticket(folder: Path) -> Ticket:
    """Return the ticket in a run folder; raise CorruptError, or InputError if another version wrote it."""
    try:
        values = parse_json(read_text(folder / JOB), folder / JOB)
        checksum, found = values.pop("checksum"), _sha256(values)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CorruptError(f"{folder / JOB}: corrupt: {reason_of(error)}; start anew with --overwrite") from None
    if checksum != found:
        raise CorruptError(f"{folder / JOB}: corrupt: its checksum is wrong; start anew with --overwrite")
    check_version(folder, values)
    try:
        return Ticket(**values)
    except ValidationError as error:
        raise CorruptError(f"{folder / JOB}: corrupt: {one_line(error, Ticket)}; start anew with --overwrite") from None


def check_version(folder: Path, values: dict[str, Any]) -> None:
    """Raise InputError if another version of the package, or other sources, began the run."""
    there = (values.get("version"), values.get("sources"), values.get("format"))
    here = (VERSION, source_digest(), FORMAT)
    if there != here:
        version, sources, form = (brief(str(value)) for value in there)
        raise InputError(
            f"{folder} was begun by mirrorfield {version} (sources {sources}, format {form}) and this is "
            f"mirrorfield {here[0]} (sources {here[1]}, format {here[2]}): their results may differ; continue with "
            "the version that began it, or start anew with --overwrite"
        )


def check_same(folder: Path, there: Ticket, asked: Ticket) -> None:
    """Raise InputError naming every dotted key in which the run in a folder differs from the one asked for."""
    others = [
        f"{name}: {getattr(there, key)} there, {getattr(asked, key)} asked for"
        for name, key in NAMES.items()
        if getattr(there, key) != getattr(asked, key)
    ]
    check_scenario(folder, there.scenario, asked.scenario, others)


def check_scenario(folder: Path, there: Any, asked: Any, others: Iterable[str] = ()) -> None:
    """Raise InputError naming the differences of two scenarios in plain values, and any others, if there are some."""
    differing = [*differences(there, asked), *others]
    if differing:
        raise InputError(
            f"{folder} holds another run: {several(differing)}; choose another --out, or replace it with --overwrite"
        )


def several(lines: list[str]) -> str:
    """Join the first of these lines and count the rest."""
    rest = len(lines) - SHOWN
    return "; ".join(lines[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def differences(there: Any, asked: Any, place: str = "") -> Iterator[str]:
    """Yield a line for each dotted key with two different values.

    >>> list(differences({"users": 3, "policy": {"rate": 0.1}}, {"users": 4, "policy": {"rate": 0.1}}))
    ['users: 3 there, 4 asked for']
    """
    if isinstance(there, dict) and isinstance(asked, dict):
        for key in {**there, **asked}:
            yield from differences(there.get(key), asked.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(there, list) and isinstance(asked, list) and len(there) == len(asked):
        for position, (one, other) in enumerate(zip(there, asked, strict=True)):
            yield from differences(one, other, f"{place}.{position}")
    elif there != asked:
        yield f"{place}: {_value(there)} there, {_value(asked)} asked for"


def _value(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
