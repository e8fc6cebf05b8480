"""How a command ends, whatever happens in it: an exit code, and at most one line on standard error."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from types import FrameType
from typing import Any, NoReturn

import typer

from mirrorfield.cli.plain import escape_what_stdout_cannot_show, printable
from mirrorfield.errors import InputError, MirrorfieldError, StoppedError

INTERRUPTED, TERMINATED = 130, 143
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class _Terminated(BaseException):
    """SIGTERM came: what is half-written is removed on the way out."""


def _terminate(_: int, __: FrameType | None) -> NoReturn:
    raise _Terminated


def fail(line: str, code: int) -> NoReturn:
    """Print one line on standard error and end."""
    with suppress(OSError):
        sys.stderr.write(f"mirrorfield: {printable(' '.join(line.split()))}\n")
    sys.exit(code)


def check_words(words: list[str]) -> None:
    """Raise InputError unless every word of the command line is text, as job.json and a report must hold it."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise InputError(f"{word!a}: expected UTF-8; rename the file or folder, or choose another name") from None


def end_as_told(command: Callable[[], int | None]) -> NoReturn:
    """Run a command and end the process: exit code 2 for what cannot be used, 128 + signal for an interrupt."""
    try:
        with _terminable():
            code = command() or 0
            if code == INTERRUPTED:
                raise KeyboardInterrupt
            sys.stdout.flush()
            sys.exit(code)
    except InputError as error:
        fail(str(error), 2)
    except StoppedError as error:
        fail(str(error), error.exit_code)
    except MirrorfieldError as error:
        fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        fail("interrupted; nothing was written", INTERRUPTED)
    except _Terminated:
        fail("terminated; nothing was written", TERMINATED)
    except BrokenPipeError:
        _leave_stdout()
        sys.exit(1)
    except OSError as error:
        _leave_stdout()
        place = error.filename or "standard output"
        fail(f"{place}: {error.strerror or error}", 1 if error.errno in FULL else 2)
    except Exception as error:
        message = getattr(error, "format_message", None)  # how Click tells of a word it does not know
        if message is None:
            raise
        fail(_wrong_type(error) or message(), 2)


def _wrong_type(error: Any) -> str | None:
    """Return what is said of a word that is no number where one is expected; None for other mistakes of the words."""
    from pydantic import ValidationError

    from mirrorfield.population.base import Frozen, one_line

    cause, name = error.__cause__, getattr(getattr(error, "param", None), "opts", ("",))[-1]
    return f"{name}: {one_line(cause, Frozen)}" if isinstance(cause, ValidationError) else None


@contextmanager
def _terminable() -> Iterator[None]:
    escape_what_stdout_cannot_show()
    before, hook = signal.signal(signal.SIGTERM, _terminate), sys.unraisablehook

    def once_more(dropped: "sys.UnraisableHookArgs") -> None:
        """Send a signal again that came inside a destructor, where Python drops what its handler raises."""
        number = {KeyboardInterrupt: signal.SIGINT, _Terminated: signal.SIGTERM}.get(dropped.exc_type)
        if number is None:
            hook(dropped)
            return
        again = Timer(0.01, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()

    sys.unraisablehook = once_more
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGTERM, before)


def _leave_stdout() -> None:
    """Drop what standard output could not take, lest the end of the process tries again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
