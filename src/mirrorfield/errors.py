"""The tree of errors: each message says what was expected, what came, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class MirrorfieldError(Exception):
    """Anything this package refuses or cannot finish; the command line prints it as one line."""


class InputError(MirrorfieldError, ValueError):
    """The user gave something that cannot be used; the command line exits with code 2."""


class ContractError(InputError):
    """An object of somebody's own broke the contract in the middle of a run, which can be resumed once it is mended."""


class CorruptError(InputError):
    """A file that this package wrote earlier does not hold what it should."""


class StoreError(MirrorfieldError):
    """The disk refused what had to be written, for instance because it is full; the command line exits with code 1."""


class ClusterError(MirrorfieldError):
    """A cluster cannot be reached or is lost; the command line exits with code 1."""


class StoppedError(MirrorfieldError):
    """A run was asked to stop before its end; what its finished blocks found is saved."""

    exit_code = 130


def check_known(name: str, known: Iterable[str], what: str) -> None:
    """Raise InputError, with the nearest name or all of them, unless a name is known; `what` says what it is of.

    >>> check_known("hooked", ["calm", "hooked"], "tip: unknown metric")
    """
    choices = list(known)
    if name not in choices:
        hint = nearest(name, choices) or f" Known: {', '.join(choices)}."
        raise InputError(f'{what} "{name}".{hint}')


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return ' Did you mean "x"?' for the closest choice, or an empty string.

    >>> nearest("learning_rte", ["learning_rate", "steps"])
    ' Did you mean "learning_rate"?'
    """
    close = get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""
