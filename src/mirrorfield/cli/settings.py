"""Turn the words of the command line into a scenario."""

from pathlib import Path

from mirrorfield.population.scenario import Scenario, load_values
from mirrorfield.population.settings import apply_setting, parse_setting


def build_scenario(preset_or_file: str | Path, settings: list[str], **top: int | None) -> Scenario:
    """Return the scenario that the arguments of `mirrorfield run` describe; later words win over earlier ones."""
    base = Scenario.from_values(load_values(preset_or_file), str(preset_or_file))
    values = base.model_dump(mode="json", exclude_none=True)
    for setting in settings:
        apply_setting(values, *parse_setting(setting))
    values |= {name: value for name, value in top.items() if value is not None}
    return Scenario.from_values(values)
