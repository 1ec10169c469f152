"""The one verdict on an edit: supported, not supported or inconclusive, with one sentence and the checks behind both.

In: what the edit did, what its controls did, what a grey picture gives. Out: `Verdict`. Used wherever a verdict is shown, so
that no sentence contradicts the plot beside it. The claim is that the answer rests on the edited latents (an ablation), or
that the edit moves the answer (any other edit).

p is two-sided and exact for a randomisation test: (1 + controls whose effect is at least as large, in either direction) /
(1 + controls). Below MIN_SETS distinct controls it can't fall under ALPHA, and nothing is supported by rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scratchpad.records import Blank, Comparison, Control, Edit, Finding, Verdict
from scratchpad.records.experiment import Kind

ALPHA = 0.05
MIN_SETS = 20  # distinct controls from which on a rank says something: 1 / 21 < ALPHA
OFTEN = 0.1  # share of controls from which on a change of the answer says nothing of what was changed
ROUNDING = 1e-3  # nats below which a change is float noise
TELLING = 0.1  # nats that an answer which stays must lose

Namer = Callable[[int], str]


def verdict(comparison: Comparison, control: Control, blank: Blank | None, name: Namer) -> Verdict:
    """The verdict on one edit.

    Args:
        blank: what a grey picture gives; None where it wasn't asked.
        name: what a latent is called in the sentence.
    """
    edit = comparison.edit
    if not edit.items:
        return _of_reconstruction(comparison, control)
    checks = {
        "moves": _moves(comparison),
        "sets": _against(comparison, control.effects, control.flips, "other sets of like activation"),
        "noise": _against(comparison, control.noise, control.noise_flips, "random directions as long"),
        "reconstruction": _reconstruction(comparison, control),
        "grey": _grey(blank),
    }
    subject = _subject(edit, name)
    kind, reason = _decided(comparison, control, checks)
    happened = _happened(comparison, subject)
    return Verdict(kind, f"{happened}{reason}.", tuple(checks.values()))


def p_value(effect: float, controls: Sequence[float]) -> float:
    """Two-sided, of an effect among the effects of its controls."""
    return (1 + sum(abs(other) >= abs(effect) for other in controls)) / (1 + len(controls))


def _decided(comparison: Comparison, control: Control, checks: dict[str, Finding]) -> tuple[Kind, str]:
    """The verdict's kind, and the end of its sentence."""
    n, flips = control.n_random_sets, control.random_flips
    beside = f"; of {n} other sets of like activation {_count(flips, 'changes', 'change')} it" if n else ""
    if not checks["moves"].holds:
        return "not supported", ""
    if checks["sets"].holds is False:
        return "not supported", "; but " + _too(comparison, control.effects, control.flips, "other sets of like activation")
    if checks["noise"].holds is False:
        return "not supported", "; but " + _too(comparison, control.noise, control.noise_flips, "random directions as long")
    if checks["sets"].holds is None:
        alike = "no other latents are" if not n else f"only {n} other sets of latents are"
        return "inconclusive", f"; {alike} like it, too few to compare with"
    if checks["reconstruction"].holds is False:
        return "inconclusive", ", but so it does when the SAE's reconstruction alone stands in, so the SAE can't tell here"
    if checks["grey"].holds is False:
        return "inconclusive", ", but the model answers the same of a grey picture: this may be habit, not sight"
    return "supported", beside


def _moves(comparison: Comparison) -> Finding:
    effect = comparison.effect
    if abs(effect) < ROUNDING and not comparison.changed:
        return Finding("the original answer stays as likely, but for rounding", False)
    says = f"the answer {'changes' if comparison.changed else 'stays'}, its log-probability by {effect:+.2f} nats"
    if comparison.changed:
        return Finding(says, True)
    wanted = effect <= -TELLING if _ablates(comparison.edit) else abs(effect) >= TELLING
    return Finding(says, wanted)


def _against(comparison: Comparison, effects: Sequence[float], flips: Sequence[bool], what: str) -> Finding:
    n, p = len(effects), p_value(comparison.effect, effects)
    flipped = sum(flips)
    says = f"of {n} {what}, {sum(abs(e) >= abs(comparison.effect) for e in effects)} move the answer as much, {flipped} change it"
    often = comparison.changed and n > 0 and flipped > OFTEN * n
    if n < MIN_SETS:
        return Finding(says + f"; p can't fall below {ALPHA} with fewer than {MIN_SETS}", False if often else None)
    return Finding(f"{says} (p = {p:.2f})", p <= ALPHA and not often)


def _too(comparison: Comparison, effects: Sequence[float], flips: Sequence[bool], what: str) -> str:
    """What the controls do as well, that speaks against the claim."""
    if comparison.changed and sum(flips) > OFTEN * len(flips):
        return f"{sum(flips)} of {len(flips)} {what} change it too"
    stronger = sum(abs(other) >= abs(comparison.effect) for other in effects)
    return f"{stronger} of {len(effects)} {what} move it as much"


def _reconstruction(comparison: Comparison, control: Control) -> Finding:
    says = f"the SAE's bare reconstruction {'changes' if control.reconstruction_flips else 'keeps'} the answer"
    return Finding(f"{says} ({control.reconstruction:+.2f} nats)", not control.reconstruction_flips)


def _grey(blank: Blank | None) -> Finding:
    if blank is None:
        return Finding("a grey picture wasn't asked about", None)
    said = f"“{blank.answer}”" if blank.answer.strip() else "nothing"
    return Finding(f"of a grey picture the model says {said}", not blank.same)


def _of_reconstruction(comparison: Comparison, control: Control) -> Verdict:
    check = _reconstruction(comparison, control)
    happened = "With the SAE's reconstruction in place of the activations the answer " + ("changes" if comparison.changed else "stays")
    return Verdict("inconclusive", f"{happened}; no latent was edited, so nothing is claimed of one.", (check,))


def _happened(comparison: Comparison, subject: str) -> str:
    before, after = _quoted(comparison.before.text), _quoted(comparison.after.text)
    if comparison.changed:
        return f"{subject} the answer is {after} instead of {before}"
    effect = comparison.effect
    if abs(effect) < ROUNDING:
        return f"{subject} the answer stays {before}, exactly as likely but for rounding"
    return f"{subject} the answer stays {before}, {abs(effect):.2f} nats {'less' if effect < 0 else 'more'} likely"


def _quoted(answer: str) -> str:
    return f"“{answer}”" if answer.strip() else "empty"


def _subject(edit: Edit, name: Namer) -> str:
    latents = edit.latents()
    listed = ", ".join(name(latent) for latent in latents[:3]) + (f" and {len(latents) - 3} more" if len(latents) > 3 else "")
    where = " in the region" if any(item.region for item in edit.items) else ""
    if _ablates(edit):
        return f"Without {listed}{where}"
    return f"With {listed} changed{where}"


def _ablates(edit: Edit) -> bool:
    """Whether all that it does is to switch latents off."""
    return all(item.op != "add" and item.value == 0 for item in edit.items)


def _count(n: int, singular: str, plural: str) -> str:
    return f"{n or 'none'} {singular if n == 1 else plural}"
