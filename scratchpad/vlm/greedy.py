"""A model's generation config, left with what answers here need: the ids of its control tokens.

In: a model as it was loaded. Out: what was set aside, for people. Sampling, beams, penalties and forced or forbidden tokens make of an
answer something else than the likeliest next token each time, which is what log-probabilities, edits and controls here are of.
"""

from __future__ import annotations

import re

from transformers import GenerationConfig, PreTrainedModel

CONTROL = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
ANSWERING = re.compile(  # settings that make another answer
    r"do_sample|temperature|top_[kph]|min_p|typical_p|epsilon_cutoff|eta_cutoff|num_beam|.*penalty|penalty_alpha|.*ngram.*|bad_words_ids|force_words_ids"
    r"|.*suppress_tokens|forced_.*|sequence_bias|constraints|guidance_scale|min_(new_tokens|length)|.*assistant.*|prompt_lookup.*|watermark.*|stop_strings"
)
NEUTRAL: tuple[object, ...] = (None, False, 1, 1.0, 0, [])  # values that change nothing


def set_aside(model: PreTrainedModel) -> tuple[str, ...]:
    """Puts a plain generation config in a model's place; what the model's own asked for beside it, as `name value`."""
    own = getattr(model, "generation_config", None)
    if own is None:  # a retrieval model answers nothing
        return ()
    asked = {name: value for name, value in own.to_diff_dict().items() if ANSWERING.match(name) and (value is True or value not in NEUTRAL)}
    model.generation_config = GenerationConfig(**{name: getattr(own, name, None) for name in CONTROL})
    return tuple(f"{name} {value}" for name, value in sorted(asked.items()))
