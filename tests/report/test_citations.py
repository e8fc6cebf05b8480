"""What is cited is what was used."""

import re

from mirrorfield import Scenario
from mirrorfield.cli.main import app
from mirrorfield.report.citations import ENTRIES, bibtex, keys

BETA = {"distribution": "beta", "a": 2, "b": 2}
LOGNORMAL = {"distribution": "lognormal", "median": 1, "sigma": 0.3}


def test_gamma_variates_are_cited_only_where_they_are_drawn() -> None:
    assert "marsaglia2000" not in keys(Scenario())
    assert "marsaglia2000" in keys(Scenario(population={"intentionality": BETA, "susceptibility": LOGNORMAL}))


def test_entries_are_whole() -> None:
    for entry in bibtex(Scenario()):
        assert re.fullmatch(r"% .+\n@\w+\{\w+,\n(  \w+ = \{.+\},\n)+\}\n", entry)
    assert all(re.fullmatch(r"10\.\d{4}/\S+", values["doi"]) for _, _, values in ENTRIES.values())


def test_the_command_prints_them(capsys) -> None:
    app(["cite", "four-mirrors"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert printed.count("@") == 1 + len(keys(Scenario.load("four-mirrors")))
    assert "@article{williams1992," in printed
