"""Carry an unfinished run to another machine in some 50 kB: its sums go along, and the sample's people run again there.

Usage: python scripts/carry.py pack RUN SMALL       # RUN is the folder of an unfinished run; SMALL must not exist
       python scripts/carry.py unpack SMALL RUN     # then `mirrorfield resume RUN`, with the same sources

The sample is nine tenths of a part that 64 blocks became, and running its people again takes a minute or two. Everyone
up to the first 64 blocks that are not all done is carried; what is done beyond them runs again.
"""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

from mirrorfield.kernel import Trace
from mirrorfield.population.run import Part, joined, new_trace, plan_run, run_block
from mirrorfield.store.job import JOINED, PARTS, continued, saved_blocks
from mirrorfield.store.parts import decode_part, encode_part, part_name
from mirrorfield.store.ticket import JOB


def read(folder: Path) -> Part:
    """Return what everyone left behind up to the first 64 blocks that are not all done."""
    ticket, _ = continued(folder)
    parts: list[Part] = []
    for block, path in saved_blocks(folder).items():
        if block[0] == (parts[-1].first_user + parts[-1].users if parts else 0):
            parts.append(decode_part(path.read_bytes(), ticket.identity(), block)[0])
    return joined([part for part in parts if part.users % (JOINED * ticket.block) == 0])


def write(folder: Path, source: Path, part: Part) -> None:
    """Write a run folder with the one part, and job.json and the scenario from another."""
    ticket, _ = continued(source)
    (folder / PARTS).mkdir(parents=True)
    for name in (JOB, "scenario.toml"):
        shutil.copy(source / name, folder / name)
    (folder / PARTS / part_name(part.first_user, part.users)).write_bytes(encode_part(part, ticket.identity()))


def sampled(folder: Path, part: Part) -> Trace:
    """Run the people of the sample who are in a part again, and return their trace."""
    plan = plan_run(continued(folder)[1])
    users = plan.sample[plan.sample < part.users]
    kept = new_trace(plan.scenario, len(plan.steps), len(users))
    for column, user in enumerate(users.tolist()):
        for whole, one in zip(kept, run_block(plan, user, 1).sample, strict=True):
            whole[..., column : column + 1] = one
    return kept


def main() -> None:
    """Pack or unpack."""
    match sys.argv[1:]:
        case ["pack", run, small]:
            part = read(Path(run))
            bare = replace(part, sample=Trace._make(array[..., :0] for array in part.sample))
            write(Path(small), Path(run), bare)
        case ["unpack", small, run]:
            part = read(Path(small))
            write(Path(run), Path(small), replace(part, sample=sampled(Path(small), part)))
        case _:
            raise SystemExit(__doc__)
    print(f"{part.users:,} users")


if __name__ == "__main__":
    main()
