"""An SAE's certificate: what it does beside baselines of the same budget, over seeds, and where it beats them.

Every measure is better the larger it is. An interval is one of 95% over seeds, by t (`scratchpad.stats.t_interval`): the pictures are the
same for all, so that what varies is what training draws by chance. What isn't trained has one value and an interval of no width.
A baseline is beaten in a measure where the SAE itself and the whole interval of its recipe trained anew lie above the
baseline's interval.
"""

from __future__ import annotations

from typing import Literal, get_args

from scratchpad.records.codec import Count, Hash, Text, record

Measure = Literal["auroc", "precision", "recall", "explained", "answers", "loss", "causal", "flips", "control_flips"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
COMPARED: tuple[Measure, ...] = MEASURES[:7]  # flips and control_flips are the parts of `causal`
SAYS: dict[Measure, str] = {
    "auroc": "labels: AUROC of the latent chosen for each on other pictures, mean",
    "precision": "labels: precision at 5",
    "recall": "labels: recall at 5",
    "explained": "variance explained",
    "answers": "answers kept under reconstruction",
    "loss": "loss recovered",
    "causal": "answers changed by the likeliest latent, less by matched others",
    "flips": "of that: answers changed by the likeliest latent",
    "control_flips": "of that: by matched others",
}


@record
class Spread:
    """One measure over seeds."""

    values: tuple[float, ...]  # a seed each
    mean: float
    low: float  # of the 95% interval
    high: float


@record
class Baseline:
    """What the SAE is held against."""

    name: Text
    made: Text  # how
    d_sae: Count
    measures: dict[Measure, Spread]  # those that could be had
    beaten: dict[Measure, bool]  # of COMPARED, where all sides could be had
    unmeasured: Text  # why the others are left empty; "" where none is

    @property
    def throughout(self) -> bool:
        """Whether it is beaten in every measure that was compared."""
        return bool(self.beaten) and all(self.beaten.values())


@record
class Budget:
    """What every training had, the baselines' too."""

    architecture: Text
    d_sae: Count
    k: Count | None  # active latents a patch; None where the architecture has no such number
    steps: Count
    size: Count  # activations a step
    activations: Count  # among which the steps' are drawn
    recipe_steps: Count | None  # of the SAE itself, where it says; other than `steps` where all were cut alike


@record
class Certificate:
    """What an SAE and its recipe do beside baselines."""

    sae: Text
    identity: Hash  # of the SAE's tensors
    model: Text
    encoder: Hash  # identity of the model's vision tower
    budget: Budget
    seeds: tuple[Count, ...]
    pictures: Count  # held out
    labels: Count
    asked: Count  # of the pictures: a question each
    edited: Count  # of the questions: a latent was ablated, and others in its stead
    sets: Count  # matched latents at most, of each of these
    given: dict[Measure, float]  # the SAE itself
    trained: dict[Measure, Spread]  # its recipe trained anew
    shared: Spread | None  # share of a seed's latents with a decoder row of cosine above 0.7 in another seed, mean over the others
    given_shared: float | None  # the same, of the SAE itself in the seeds
    baselines: tuple[Baseline, ...]
    sentence: Text

    @property
    def beaten(self) -> int:
        """How many baselines are beaten in every measure that was compared."""
        return sum(baseline.throughout for baseline in self.baselines)
