"""A run folder while it is a job: what finished blocks left behind is safe on the disk, and a later process goes on.

The order of steps is what makes a kill harmless. The folder appears with its job.json in one step; a part appears whole
or not at all; summary.json is written last, when all else is confirmed by the disk; only then are the parts removed.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import xarray as xr

from mirrorfield.errors import ContractError, CorruptError, InputError, MirrorfieldError, StoreError
from mirrorfield.population.plausible import check_part
from mirrorfield.population.run import Gathering, Part, Plan, joined
from mirrorfield.population.scenario import Scenario, beside
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.seal import SUMS, digests, sha256, sums_bytes
from mirrorfield.store.consolidated import write_zarr
from mirrorfield.store.durable import disk_errors, sync_folder, sync_tree, write_durable
from mirrorfield.store.folder import (
    REPORT,
    RESULT,
    SCENARIO,
    SUMMARY,
    check_place,
    is_result,
    read_attributes,
    read_result,
    scenario_text,
    summary_text,
    write_folder,
)
from mirrorfield.store.lock import locked
from mirrorfield.store.parts import BadPart, decode_part, encode_part, part_block, part_name
from mirrorfield.store.ticket import (
    JOB,
    Ticket,
    check_same,
    check_scenario,
    input_digests,
    plain,
    read_ticket,
    ticket_bytes,
)
from mirrorfield.store.users import USERS, check_rows, check_space, chunk_paths, create_table, restore_table, write_rows

PARTS = "parts"
JOINED = 64
MOSTLY = 4
Block = tuple[int, int]
logger = logging.getLogger(__name__)


def is_job(folder: Path) -> bool:
    """Tell whether a folder holds a run that has begun and not finished."""
    return (folder / JOB).is_file() and (folder / SCENARIO).is_file() and not is_result(folder)


def is_ours(folder: Path) -> bool:
    """Tell whether a folder holds a run, finished or not."""
    return is_job(folder) or is_result(folder)


def saved_blocks(folder: Path) -> dict[Block, Path]:
    """Return the part files in a run folder by their users, in order, the larger first; not yet looked into."""
    files = {block: file for file in (folder / PARTS).glob("*.part") if (block := part_block(file))}
    return dict(sorted(files.items(), key=lambda item: (item[0][0], -item[0][1])))


def describe_job(folder: Path) -> str:
    """Return one line on how far an unfinished run is and how to go on."""
    ticket = read_ticket(folder)
    done = end = 0
    for first, users in saved_blocks(folder):
        done += max(0, first + users - max(first, end))
        end = max(end, first + users)
    return (
        f"{folder} is not finished: {done:,} of {ticket.scenario['users']:,} users are done; "
        f"continue with `mirrorfield resume {folder}`"
    )


class Job:
    """An unfinished run folder that this process holds; `gathering` has what its blocks found so far.

    `single` has the parts of one block that will be joined, by group of 64: those that are mostly sums, because people
    of the sample would only be written once more. `chunks` has the SHA-256 of the files with the rows of the table of
    all users, by path in the folder.
    """

    def __init__(self, folder: Path, ticket: Ticket, plan: Plan) -> None:
        self.folder = folder
        self.ticket = ticket
        self.plan = plan
        self.identity = ticket.identity()
        self.gathering = Gathering(plan)
        self.done: set[Block] = set()
        self.single: dict[int, list[Part]] = {}
        self.chunks: dict[str, str] = {}

    def load(self) -> None:
        """Take in the saved parts one at a time; name those that are not as they were written, and remove them."""
        with disk_errors(self.folder):
            (self.folder / PARTS).mkdir(exist_ok=True)
            for leftover in self.folder.rglob("*.partial"):
                if leftover.is_file():
                    leftover.unlink()
            if self.plan.keep_all:  # rows belong to the metadata that they were written with
                table = restore_table(self.plan, self.folder / USERS, self.ticket.block)
                self.identity = f"{self.ticket.identity()} {table}"
            for block, path in saved_blocks(self.folder).items():
                if not self.done.isdisjoint(self._blocks(*block)):  # a kill came after they were joined
                    path.unlink()
                    continue
                try:
                    self._take(path, block)
                except BadPart as error:
                    logger.warning("%s: not used: %s; its %s users run again", path, error, f"{block[1]:,}")
                    path.unlink()

    def _take(self, path: Path, block: Block) -> None:
        first, users = block
        size = self.ticket.block
        if first % size or users != sum(count for _, count in self._blocks(first, users)):
            raise BadPart(f"expected blocks of {size:,} users")
        try:
            part, chunks = decode_part(path.read_bytes(), self.identity, block)
            check_rows(chunks, self.folder / USERS, self.chunk_paths(first))
        except OSError as error:
            raise BadPart(f"it cannot be read ({error.strerror})") from None
        try:
            check_part(self.plan, part)
        except InputError as error:
            raise CorruptError(
                f"{path}: {error}; its checksum is right, so no accident did that: remove it, and its {users:,} users "
                "run again"
            ) from None
        self._add(part, chunks)

    def chunk_paths(self, first_user: int) -> list[str]:
        """Return the paths in the table of all users, if there is one, that hold a block's rows."""
        return chunk_paths(self.plan, first_user // self.ticket.block) if self.plan.keep_all else []

    def _blocks(self, first: int, users: int) -> list[Block]:
        """Return the whole blocks that begin among these users."""
        size, everyone = self.ticket.block, self.plan.scenario.users
        return [(start, min(size, everyone - start)) for start in range(first, min(first + users, everyone), size)]

    def _group(self, part: Part) -> int:
        """Return which 64 neighbouring blocks a part belongs to."""
        return part.first_user // (JOINED * self.ticket.block)

    def _add(self, part: Part, chunks: dict[str, str]) -> None:
        self.gathering.add(part)
        self.done.update(self._blocks(part.first_user, part.users))
        sums, people = (sum(array.nbytes for array in arrays) for arrays in (part.totals, part.sample))
        if part.users == self.ticket.block and MOSTLY * people < sums and not self.plan.keep_all:
            self.single.setdefault(self._group(part), []).append(part)
        self.chunks |= {f"{USERS}/{path}": digest for path, digest in chunks.items()}

    def save(self, part: Part) -> None:
        """Take in a part once it is safe on the disk; raise StoreError if it cannot be written."""
        with disk_errors(self.folder):
            chunks = write_rows(self.plan, part, self.folder / USERS, self.ticket.block) if self.plan.keep_all else {}
            data = encode_part(part, self.identity, chunks)
            write_durable(self.folder / PARTS / part_name(part.first_user, part.users), data)
            self._add(part, chunks)
            if self.gathering.users < self.plan.scenario.users:
                self._join(self._group(part))

    def _join(self, group: int) -> None:
        """Put the parts of 64 neighbouring blocks into one file, once all are saved; a kill loses none."""
        if len(self.single.get(group, ())) < JOINED:
            return
        parts = sorted(self.single.pop(group), key=lambda part: part.first_user)
        whole = joined(parts)
        write_durable(self.folder / PARTS / part_name(whole.first_user, whole.users), encode_part(whole, self.identity))
        for part in parts:
            (self.folder / PARTS / part_name(part.first_user, part.users)).unlink()

    def finish(self, summary: dict[str, Any], dataset: xr.Dataset, report: str) -> None:
        """Write the result, its digests and summary.json, last, and remove what only an unfinished run needs."""
        figures = summary_text(summary).encode()
        with disk_errors(self.folder):
            write_durable(self.folder / SCENARIO, scenario_text(self.plan.scenario, self.folder).encode())
            write_durable(self.folder / REPORT, report.encode())
            _write_dataset(self.folder, dataset)
            names = [SCENARIO, REPORT, RESULT, *([USERS] if self.plan.keep_all else [])]
            listed = digests(self.folder, names, self.chunks) | {SUMMARY: sha256(figures)}
            write_durable(self.folder / SUMS, sums_bytes(listed))
            write_durable(self.folder / SUMMARY, figures)
            tidy(self.folder)


def _write_dataset(folder: Path, dataset: xr.Dataset) -> None:
    partial = folder / f".{RESULT}.partial"
    for old in (partial, folder / RESULT):
        if old.exists():
            shutil.rmtree(old)
    write_zarr(dataset, partial)
    sync_tree(partial)
    partial.rename(folder / RESULT)
    sync_folder(folder)


def tidy(folder: Path) -> None:
    """Remove from a finished run folder what only an unfinished run needs."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    (folder / JOB).unlink(missing_ok=True)


def tidy_finished(folder: Path) -> None:
    """Remove what a kill in the last moment left in a finished run folder."""
    if any((folder / name).exists() for name in (PARTS, JOB)):
        with suppress(InputError, StoreError, OSError), locked(folder):  # the result is whole either way
            tidy(folder)


def check_finished(folder: Path, asked: Plan) -> bool:
    """Tell whether a run folder is finished; raise InputError if it is and holds another run than the one asked for."""
    if not is_result(folder):
        return False
    there, _ = read_result(folder)
    digests = input_digests(asked)
    found = read_attributes(folder) if digests else {}
    others = [
        f"{name}: {found.get(name)} there, {value} asked for"
        for name, value in digests.items()
        if found.get(name) != value
    ]
    check_scenario(folder, _absolute(there), _absolute(asked.scenario), others)
    check_kept(folder, asked.keep_all)
    return True


def _absolute(scenario: AnyScenario) -> dict[str, Any]:
    """Return a scenario as plain values, with the path of its users in the one form that all paths to them have."""
    return beside(plain(scenario), Path.cwd())


def check_kept(folder: Path, keep_all: bool | None) -> None:
    """Raise InputError if a finished run was to keep all users and kept its sample, which every run does."""
    if keep_all and not (folder / USERS).is_dir():
        check_scenario(folder, {}, {}, ["--keep: sample there, all asked for"])


@contextmanager
def open_job(folder: Path, plan: Plan, ticket: Ticket, resume: bool = False, overwrite: bool = False) -> Iterator[Job]:
    """Begin a run in a folder, or continue the same one, and hold the folder meanwhile.

    Parameters: folder; plan; its ticket; resume, continue if the folder has been begun; overwrite, replace a run that
    is there. Raises InputError if the folder holds another run, is held by another process or cannot be written, and
    StoreError if the disk refuses.
    """
    with locked(folder):
        fresh = not (resume and is_job(folder))
        if fresh:
            _begin(folder, plan, ticket, overwrite)
        there = read_ticket(folder)
        check_same(folder, there, ticket)
        job = Job(folder, there, plan)
        job.load()
        if plan.keep_all and not fresh:
            logger.info(check_space(plan, folder, plan.scenario.users - job.gathering.users))
        try:
            yield job
        except Exception as error:
            refused = isinstance(error, InputError) and not isinstance(error, ContractError | CorruptError)
            can_go_on = isinstance(error, MirrorfieldError) and not refused
            if fresh and not job.done and not can_go_on:
                shutil.rmtree(folder)
            elif refused:  # going on would end in the same refusal
                error.args = (
                    f"{error}; {folder} keeps the blocks before it: replace it with --overwrite, or remove it",
                )
            raise


def _begin(folder: Path, plan: Plan, ticket: Ticket, overwrite: bool) -> None:
    if is_job(folder) and not overwrite:
        raise InputError(f"{describe_job(folder)}, or replace it with --overwrite")
    check_place(folder, overwrite, is_ours)
    if plan.keep_all:
        logger.info(check_space(plan, folder, plan.scenario.users))

    def fill(place: Path) -> None:
        write_durable(place / JOB, ticket_bytes(ticket))
        write_durable(place / SCENARIO, scenario_text(plan.scenario, place).encode())
        (place / PARTS).mkdir()
        if plan.keep_all:
            create_table(plan, place / USERS, ticket.block)

    write_folder(folder, fill, overwrite, is_ours, seal=False)
    sync_folder(folder.absolute().parent)


def continued(folder: Path) -> tuple[Ticket, Scenario]:
    """Return what an unfinished run folder computes; raise InputError if it is none."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one that `mirrorfield run` began")
    if not is_job(folder):
        raise InputError(f"{folder} is not a run that can be continued: expected {JOB} in it")
    ticket = read_ticket(folder)
    return ticket, Scenario.from_values(ticket.scenario, str(folder / JOB))
