"""The sessions of PersonaAct as a log for `mirrorfield arousal`: one row for each video, with dwell and actions.

    uv run python scripts/session_log.py RAW_DATA sessions.csv

RAW_DATA is the folder `raw_data` of github.com/Silung/PersonaAct (MIT licence), or a part of it: folders of people with
files session_*.json, whose list `actions` has a video each, with `viewing_duration` in seconds and a list `actions` of
what the person did. The files are not part of this repository.
"""

import csv
import json
import sys
from pathlib import Path

DONE = ("like", "share", "comment", "favorite", "follow")


def main(folder: str, out: str) -> None:
    """Write person, session, place in the session, seconds and every kind of action, 0 or 1."""
    with Path(out).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("person", "session", "place", "seconds", *DONE))
        for path in sorted(Path(folder).glob("*/session_*.json")):
            told = json.loads(path.read_text(encoding="utf-8"))
            for place, video in enumerate(told["actions"]):
                did = {action["type"] for action in video["actions"]}
                happened = (int(kind in did) for kind in DONE)
                rows.writerow((told["collector"], told["session_id"], place, video["viewing_duration"], *happened))


if __name__ == "__main__":
    main(*sys.argv[1:])
