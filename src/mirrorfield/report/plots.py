"""The report's pictures one by one, as matplotlib figures: `run.plot`, `tipping.plot` and `card.plot`."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from mirrorfield.population.assumed import assumption
from mirrorfield.report.canvas import noted
from mirrorfield.report.figures import diversity_lines, share_lines, tipping_curve
from mirrorfield.report.scenes import arousal_flows, policy_map

if TYPE_CHECKING:
    import xarray as xr

    from mirrorfield.study.scorecard import Scorecard
    from mirrorfield.study.tipping import Tipping


class RunPlots:
    """Pictures of a run; each method returns a new Figure, which shows itself at the end of a notebook's cell."""

    def __init__(self, dataset: "xr.Dataset") -> None:
        self._dataset = dataset
        self._note = str(dataset.attrs.get("assumed", ""))

    def map(self) -> Figure:
        """Return where the sampled people's diets lie between the categories, at up to four steps."""
        return noted(policy_map(self._dataset), self._note)

    def shares(self) -> Figure:
        """Return the share of people that each category holds, by step."""
        return noted(share_lines(self._dataset), self._note)

    def diversity(self) -> Figure:
        """Return how narrow diets are, by step."""
        return noted(diversity_lines(self._dataset), self._note)

    def tipping(self) -> Figure:
        """Return who is served what by band of intentionality, after the last step."""
        return noted(tipping_curve(self._dataset), self._note)

    def flows(self) -> Figure:
        """Return how the sampled people move between calm, engaged and hooked."""
        return noted(arousal_flows(self._dataset), self._note)


class TippingPlots:
    """The picture of a tipping point."""

    def __init__(self, found: "Tipping") -> None:
        self._found = found

    def tipping(self) -> Figure:
        """Return the metric against the setting that it tips over, with the logistic fit and the warm policies."""
        from mirrorfield.report.study import tipping_chart

        return noted(tipping_chart(self._found), assumption(self._found.scenario))


class ScorecardPlots:
    """The picture of a scorecard."""

    def __init__(self, card: "Scorecard") -> None:
        self._card = card

    def facts(self) -> Figure:
        """Return a strip for each fact, with the published number, the model's and the null models' on one scale."""
        from mirrorfield.report.strips import strips

        return noted(strips(self._card.rows), assumption(self._card.base))
