"""`python -m mirrorfield`."""

from mirrorfield.cli.main import main

main()
