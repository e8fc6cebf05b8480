"""What is loaded, and when: the package and its help are cheap, and names are imported when they are asked for."""

import subprocess
import sys

import pytest

import mirrorfield
from mirrorfield.cli.main import COMMANDS, loaded

HEAVY = ("numba", "scipy", "xarray", "matplotlib", "zarr", "pandas", "numpy")
COMPILED = ("numba", "scipy", "xarray", "matplotlib", "zarr", "pandas")
HELP = """
from mirrorfield.cli.main import main
sys.argv = ["mirrorfield", "--help"]
try:
    main()
except SystemExit as ended:
    assert not ended.code
"""


def loaded_by(code: str, watched: tuple[str, ...]) -> str:
    told = f"\nprint('loaded:', *(name for name in {watched!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}{told}"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].removeprefix("loaded:").strip()


@pytest.mark.parametrize("code", ["import mirrorfield", HELP], ids=["import", "help"])
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    assert loaded_by(code, HEAVY) == ""


def test_a_scenario_is_validated_without_compiled_code() -> None:
    code = "import mirrorfield as mf\nmf.Scenario(policy={'rule': 'ppo'}, intervention={'at': 32})"
    assert loaded_by(code, COMPILED) == ""


def test_what_is_heavy_is_seen_when_it_is_loaded() -> None:
    assert loaded_by("import mirrorfield\nmirrorfield.simulate", ("numba",)) == "numba"


def test_every_public_name_is_there_and_listed() -> None:
    assert mirrorfield.__all__ == sorted(mirrorfield.__all__)
    assert set(mirrorfield.__all__) <= set(dir(mirrorfield))
    for name in mirrorfield.__all__:
        assert getattr(mirrorfield, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        mirrorfield.simulat  # noqa: B018


def test_every_command_of_the_help_can_be_loaded_and_has_a_help_of_its_own() -> None:
    for name in COMMANDS:
        assert loaded(name).name == name and loaded(name).help
