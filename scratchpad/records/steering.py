"""What one latent does to an answer as its strength grows, and which words it speaks for."""

from __future__ import annotations

from scratchpad.records.codec import Count, Text, record
from scratchpad.records.experiment import Likely, Named


@record
class Dose:
    """The answer with one latent's activations multiplied."""

    strength: float  # by what; 1 is the run as it is, 0 switches the latent off
    logprob: float  # of the original answer, the sum over its tokens with the end token, nats
    answer: Text  # what greedy decoding gives


@record
class Curve:
    """The same for another latent, as a control."""

    latent: Named
    strengths: tuple[float, ...]
    logprobs: tuple[float, ...]  # of the original answer, nats


@record
class Moved:
    """A token in the place of one of the answer's, with the latent off and with it doubled; log-probabilities in nats."""

    text: Text
    off: float
    doubled: float


@record
class Steered:
    """One latent that fires on the picture: dose and response, measured and direct effect on words."""

    latent: Named
    doses: tuple[Dose, ...]  # real runs, weakest first
    others: tuple[Curve, ...]  # of latents with the nearest activation mass
    token: Count  # the answer's token in whose place words were measured, by its sequence index
    raised: tuple[Moved, ...]  # measured: tokens that gain most from off to doubled, among those at least 0.1% likely in either
    lowered: tuple[Moved, ...]  # those that lose most
    direct_raised: tuple[Likely, ...]  # by the output layer alone, off what the latent adds to image tokens; against the vocabulary's mean
    direct_lowered: tuple[Likely, ...]
    why_not_direct: Text  # why there is no direct effect; "" where there is
