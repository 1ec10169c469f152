"""What flows through the house: strict frozen records of arrays and plain values, and the one codec.

Axes: t text token (prompt or output), v image token, p patch, l latent, k active latents of a patch, d width of the
vision encoder, y language-model layer. No record holds a model, a session or a tensor on an accelerator.
"""

from scratchpad.records.analysis import Analysis, Fidelity, Measured, Ranked, Trust
from scratchpad.records.codec import dump, dumps, loads
from scratchpad.records.codes import Cluster, Codes, Heatmap, Scores, Weights
from scratchpad.records.edit import Edit, LatentEdit, Op, Sampling, ablation, scaling
from scratchpad.records.experiment import (
    Alternatives,
    Blank,
    Comparison,
    Control,
    Diagnosis,
    Effect,
    Finding,
    Named,
    Risen,
    Sampled,
    Sufficient,
    Test,
    Toward,
    Verdict,
    Verified,
)
from scratchpad.records.question import ModelRef, Picture, Question, SaeRef, Settings, picture_of
from scratchpad.records.reference import Reference
from scratchpad.records.run import Answer, Role, Run, Token

__all__ = [
    "Alternatives",
    "Analysis",
    "Answer",
    "Blank",
    "Cluster",
    "Codes",
    "Comparison",
    "Control",
    "Diagnosis",
    "Edit",
    "Effect",
    "Fidelity",
    "Finding",
    "Heatmap",
    "LatentEdit",
    "Measured",
    "ModelRef",
    "Named",
    "Op",
    "Picture",
    "Question",
    "Ranked",
    "Reference",
    "Risen",
    "Role",
    "Run",
    "SaeRef",
    "Sampled",
    "Sampling",
    "Scores",
    "Settings",
    "Sufficient",
    "Test",
    "Token",
    "Toward",
    "Trust",
    "Verdict",
    "Verified",
    "Weights",
    "ablation",
    "dump",
    "dumps",
    "loads",
    "picture_of",
    "scaling",
]
