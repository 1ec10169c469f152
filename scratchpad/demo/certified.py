"""The part of an SAE's card that its certificate makes: every measure beside every baseline. In: a `Certificate`. Out: Markdown."""

from __future__ import annotations

from scratchpad.demo.sanity import FIRST
from scratchpad.records.certificate import SAYS, Certificate, Measure, Spread


def certified(certificate: Certificate) -> str:
    """A table and what it says, the measures that aren't beaten among it."""
    c, b = certificate, certificate.budget
    cut = f"; the SAE itself has had {b.recipe_steps}" if b.recipe_steps not in (None, b.steps) else ""
    heads = " | ".join(("", "this SAE", "recipe trained anew", *(baseline.name for baseline in c.baselines)))
    rows = "\n".join(_row(c, name) for name in SAYS if name in c.trained)
    made = "\n".join(f"- {_verdict(c, n)}" for n in range(len(c.baselines)))
    budget = f"{b.steps} steps of {b.size} patches among {b.activations:,}, over {len(c.seeds)} seeds{cut}"
    causal = f"in {c.edited} of them a latent was ablated, beside at most {c.sets} matched others"
    return f"""
## Certificate

**{c.sae} {c.sentence}.** Its recipe trained anew and every baseline that is trained had {budget}. Measured on
{c.pictures} held-out scenes (seeds from {FIRST:,}) with {c.labels} labels and {c.asked} questions; {causal}.
± is half the 95% interval over seeds (t), pictures being the same for all. ✓: this SAE and its recipe's whole interval lie above the
baseline's interval; ✗: they don't. `scratchpad demo sanity` measures it.

| {heads} |
|{"---|" * (len(c.baselines) + 3)}
{rows}

{made}
{_shared(c)}"""


def _row(c: Certificate, name: Measure) -> str:
    cells = [f"{c.given[name]:.3f}" if name in c.given else "", _cell(c.trained.get(name))]
    for baseline in c.baselines:
        mark = {True: " ✓", False: " ✗", None: ""}[baseline.beaten.get(name)]
        cells.append(_cell(baseline.measures.get(name)) + mark)
    return f"| {SAYS[name]} | {' | '.join(cells)} |"


def _cell(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f"{spread.mean:.3f}" + (f" ±{spread.mean - spread.low:.3f}" if len(spread.values) > 1 else "")


def _verdict(c: Certificate, n: int) -> str:
    """A baseline: how it's made, and in what it isn't beaten."""
    baseline = c.baselines[n]
    lost = [SAYS[name] for name, beaten in baseline.beaten.items() if not beaten]
    says = f"not beaten in: {'; '.join(lost)}" if lost else "beaten in every measure that was taken"
    return f"*{baseline.name}* ({baseline.made}): {says}.{f' {baseline.unmeasured.capitalize()}.' if baseline.unmeasured else ''}"


def _shared(c: Certificate) -> str:
    if c.shared is None or c.given_shared is None:
        return ""
    between = f"{100 * c.shared.mean:.1f}% ({100 * c.shared.low:.1f} to {100 * c.shared.high:.1f})"
    own = f"{100 * c.given_shared:.1f}%"
    return f"\nOf a seed's latents {between} have a decoder row of cosine above 0.7 in another seed; of this SAE's, {own}.\n"
