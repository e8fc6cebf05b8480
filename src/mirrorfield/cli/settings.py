"""Turn the words of the command line into a scenario."""

from pathlib import Path

from mirrorfield.errors import InputError
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import apply_setting, parse_setting
from mirrorfield.population.worlds import AnyScenario, load_scenario


def build_scenario(preset_or_file: str | Path, settings: list[str], **top: int | None) -> AnyScenario:
    """Return the scenario that the arguments of `mirrorfield run` describe; later words win over earlier ones."""
    base = load_scenario(preset_or_file)
    values = base.model_dump(mode="json", exclude_none=True)
    for setting in settings:
        apply_setting(values, *parse_setting(setting))
    values |= {name: value for name, value in top.items() if value is not None}
    return type(base).from_values(values)


def build_population(preset_or_file: str | Path, settings: list[str], **top: int | None) -> Scenario:
    """Return the scenario as `build_scenario` does; raise InputError for one of the embedding world."""
    found = build_scenario(preset_or_file, settings, **top)
    if not isinstance(found, Scenario):
        raise InputError(
            f"{preset_or_file}: expected people one by one, each with a policy of their own, got the embedding world, "
            "where one policy serves all; use run, compare, tip or sweep"
        )
    return found
