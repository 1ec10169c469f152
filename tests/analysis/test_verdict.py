"""The one verdict: its kind, and that its sentence says what the numbers say."""

from __future__ import annotations

import pytest

from scratchpad.analysis.verdict import MIN_SETS, p_value, verdict
from scratchpad.records import Answer, Blank, Comparison, Control, Edit, LatentEdit, Token, Verdict
from scratchpad.records.edit import ablation


def judged(
    effect: float,
    changed: bool = True,
    sets: int = 32,
    as_strong: int = 0,
    flips: int = 0,
    noise_as_strong: int = 0,
    noise_flips: int = 0,
    reconstruction_flips: bool = False,
    grey_same: bool = False,
    edit: Edit | None = None,
    says: str = "dog",
) -> Verdict:
    edit = edit or ablation([7])
    before, after = (Answer(text, (i, 9), (Token(0, i, text, "output", -0.1),)) for text, i in (("cat", 1), (says, 2)))
    comparison = Comparison(edit, before, after if changed else before, (effect, 0.0), (), (), (), ())
    control = Control(
        edit=edit,
        sets=tuple((100 + i,) for i in range(sets)),
        possible=sets,
        effects=tuple([abs(effect) * 1.5] * as_strong + [effect / 10] * (sets - as_strong)),
        flips=tuple(i < flips for i in range(sets)),
        noise=tuple([-abs(effect) * 1.5] * noise_as_strong + [effect / 10] * (32 - noise_as_strong)),
        noise_flips=tuple(i < noise_flips for i in range(32)),
        reconstruction=0.0,
        reconstruction_flips=reconstruction_flips,
    )
    return verdict(comparison, control, Blank("mouse", grey_same, -9.0, -0.1), lambda latent: f"whiskers (#{latent})")


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        (
            {"effect": -4.0},
            "supported",
            "Without whiskers (#7) the answer is “dog” instead of “cat”; of 32 other sets of like activation none",
        ),
        ({"effect": -4.0, "flips": 1}, "supported", "1 changes it"),
        ({"effect": -4.0, "flips": 24}, "not supported", "24 of 32 other sets of like activation change it too"),
        ({"effect": -4.0, "as_strong": 2}, "not supported", "2 of 32 other sets of like activation move it as much"),
        ({"effect": -4.0, "noise_as_strong": 3}, "not supported", "3 of 32 random directions as long move it as much"),
        ({"effect": -4.0, "noise_flips": 8}, "not supported", "8 of 32 random directions as long change it too"),
        ({"effect": 0.24, "changed": False}, "not supported", "0.24 nats more likely"),
        ({"effect": -0.02, "changed": False}, "not supported", "0.02 nats less likely"),
        ({"effect": -0.5, "changed": False}, "supported", "0.50 nats less likely"),
        ({"effect": 2e-4, "changed": False}, "not supported", "exactly as likely but for rounding"),
        ({"effect": -4.0, "sets": 8}, "inconclusive", "only 8 other sets of latents are like it"),
        ({"effect": -4.0, "sets": 0}, "inconclusive", "no other latents are like it"),
        ({"effect": -4.0, "sets": 8, "flips": 4}, "not supported", "4 of 8"),
        ({"effect": -4.0, "reconstruction_flips": True}, "inconclusive", "the SAE's reconstruction alone"),
        ({"effect": -4.0, "grey_same": True}, "inconclusive", "grey picture"),
    ],
)
def test_each_kind_and_its_sentence(given: dict, kind: str, says: str) -> None:
    found = judged(**given)
    assert found.kind == kind, found
    assert says in found.sentence


def test_an_answer_of_nothing_is_called_empty_and_not_quoted() -> None:
    mute = judged(-4.0, says="")
    assert mute.sentence.startswith("Without whiskers (#7) the answer is empty instead of “cat”")


def test_a_raised_activation_may_make_the_answer_likelier() -> None:
    raised = Edit((LatentEdit(7, "set", 9.0),))
    assert judged(0.5, changed=False, edit=raised).kind == "supported"
    assert judged(0.5, changed=False).kind == "not supported"  # an ablation that makes it likelier


def test_an_empty_edit_claims_nothing() -> None:
    assert judged(-1.0, edit=Edit(keep_error=False)).kind == "inconclusive"


def test_rank_alone_supports_nothing_below_twenty_sets() -> None:
    assert p_value(-1.0, [0.0] * (MIN_SETS - 1)) >= 0.05 > p_value(-1.0, [0.0] * MIN_SETS)


def test_p_is_two_sided() -> None:
    assert p_value(-1.0, [2.0] * 10 + [0.0] * 10) == pytest.approx(11 / 21)
