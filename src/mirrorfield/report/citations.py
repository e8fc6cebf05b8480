"""BibTeX for what a scenario used, and for nothing that it did not."""

from collections.abc import Iterator

from mirrorfield.model.draw import BETA, DIRICHLET
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.tables import population_tables
from mirrorfield.version import VERSION

ENTRIES = {
    "williams1992": (
        "the rule: REINFORCE",
        "article",
        {
            "author": "Williams, Ronald J.",
            "title": "Simple statistical gradient-following algorithms for connectionist reinforcement learning",
            "journal": "Machine Learning",
            "volume": "8",
            "pages": "229--256",
            "year": "1992",
            "doi": "10.1007/BF00992696",
        },
    ),
    "welford1962": (
        "the baseline: a running mean",
        "article",
        {
            "author": "Welford, B. P.",
            "title": "Note on a method for calculating corrected sums of squares and products",
            "journal": "Technometrics",
            "volume": "4",
            "number": "3",
            "pages": "419--420",
            "year": "1962",
            "doi": "10.1080/00401706.1962.10490022",
        },
    ),
    "blackman2021": (
        "random words: xoshiro128++",
        "article",
        {
            "author": "Blackman, David and Vigna, Sebastiano",
            "title": "Scrambled linear pseudorandom number generators",
            "journal": "ACM Transactions on Mathematical Software",
            "volume": "47",
            "number": "4",
            "year": "2021",
            "doi": "10.1145/3460772",
        },
    ),
    "steele2014": (
        "seeding of streams: splitmix64",
        "inproceedings",
        {
            "author": "Steele, Guy L. and Lea, Doug and Flood, Christine H.",
            "title": "Fast splittable pseudorandom number generators",
            "booktitle": "Proceedings of OOPSLA 2014",
            "pages": "453--472",
            "year": "2014",
            "doi": "10.1145/2660193.2660195",
        },
    ),
    "box1958": (
        "normal variates",
        "article",
        {
            "author": "Box, G. E. P. and Muller, Mervin E.",
            "title": "A note on the generation of random normal deviates",
            "journal": "The Annals of Mathematical Statistics",
            "volume": "29",
            "number": "2",
            "pages": "610--611",
            "year": "1958",
            "doi": "10.1214/aoms/1177706645",
        },
    ),
    "marsaglia2000": (
        "gamma variates, for beta or Dirichlet distributions of users",
        "article",
        {
            "author": "Marsaglia, George and Tsang, Wai Wan",
            "title": "A simple method for generating gamma variables",
            "journal": "ACM Transactions on Mathematical Software",
            "volume": "26",
            "number": "3",
            "pages": "363--372",
            "year": "2000",
            "doi": "10.1145/358407.358414",
        },
    ),
    "hill1973": (
        "effective categories",
        "article",
        {
            "author": "Hill, M. O.",
            "title": "Diversity and evenness: a unifying notation and its consequences",
            "journal": "Ecology",
            "volume": "54",
            "number": "2",
            "pages": "427--432",
            "year": "1973",
            "doi": "10.2307/1934352",
        },
    ),
    "lin1991": (
        "filter-bubble index",
        "article",
        {
            "author": "Lin, Jianhua",
            "title": "Divergence measures based on the Shannon entropy",
            "journal": "IEEE Transactions on Information Theory",
            "volume": "37",
            "number": "1",
            "pages": "145--151",
            "year": "1991",
            "doi": "10.1109/18.61115",
        },
    ),
}


def keys(scenario: Scenario) -> list[str]:
    """Return the keys of what a scenario uses, in the order of ENTRIES.

    >>> "marsaglia2000" in keys(Scenario())
    False
    """
    drawn = population_tables(scenario)
    listed = scenario.population.file is not None
    gamma = BETA in drawn.intentionality_kind or DIRICHLET in drawn.susceptibility_kind
    return [key for key in ENTRIES if key != "marsaglia2000" or (gamma and not listed)]


def bibtex(scenario: Scenario) -> Iterator[str]:
    """Yield the BibTeX entries of what a scenario uses, this package first.

    Parameters: scenario. Raises nothing. Source: the pages that each part's docstring names.
    """
    year = {"author": "{The mirrorfield developers}", "title": "mirrorfield", "version": VERSION, "year": "2026"}
    yield _entry("mirrorfield", "the simulator", "software", year)
    for key in keys(scenario):
        yield _entry(key, *ENTRIES[key])


def _entry(key: str, what: str, kind: str, values: dict[str, str]) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in values.items())
    return f"% {what}\n@{kind}{{{key},\n{lines}}}\n"
