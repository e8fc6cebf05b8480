"""Turn the words of the command line into a scenario."""

from pathlib import Path

from mirrorfield.population.scenario import Scenario
from mirrorfield.population.settings import apply_setting, parse_setting
from mirrorfield.population.worlds import AnyScenario, load_scenario, one_by_one


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
    return one_by_one(build_scenario(preset_or_file, settings, **top), str(preset_or_file))
