"""The command `mirrorfield`: it loads the package so that Ctrl-C meanwhile ends in one line.

It stands beside the package, since to import any part of the package loads the package first.
"""

import sys


def main() -> None:
    """Run the command line; see `mirrorfield.cli.main`."""
    try:
        from mirrorfield.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("mirrorfield: interrupted; nothing was begun\n")
        sys.exit(130)
    command()
