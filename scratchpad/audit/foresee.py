"""Whether an answer is wrong, foreseen from what was seen inside: sparse logistic regression, judged on rows that it wasn't fitted to.

In: answers. Out: a `Foresight`: AUC and calibration beside those of the answer's own log-probability. Runs no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.stats import rankdata

from scratchpad.audit.answers import Answers, counted, words_of
from scratchpad.audit.compare import normalised
from scratchpad.audit.group import rate
from scratchpad.audit.logistic import Fitted, fit_best
from scratchpad.records.audit import Bin, Foresight, Predictor

FEWEST = 10  # wrong rows, and right ones, on either side
RARE = 5  # rows that have a feature, for it to be looked at
BINS = 5
DRAWS = 1000
WEIGHTS = 12  # that are written down


def foresee(answers: Answers, name: Callable[[int], str]) -> Foresight | None:
    """How well wrong answers are foreseen; None where there are too few of a kind to fit and judge.

    Args:
        name: what the index calls a latent.
    """
    rows = np.flatnonzero((answers.right | answers.wrong) & ~answers.unlike)
    fitted = np.array([hashlib.sha256(answers.ids[n].encode()).digest()[0] % 2 == 0 for n in rows], bool)
    labels = answers.wrong[rows]
    if min((~labels[fitted]).sum(), labels[fitted].sum(), (~labels[~fitted]).sum(), labels[~fitted].sum()) < FEWEST:
        return None
    inside, words = _inside(answers, name), _words(answers)
    sure = sparse.csr_matrix(np.stack([answers.logprob, answers.least], 1).astype(np.float64))
    sets = {
        "latents of the answer": inside,
        "latents, and words of question and answer": (sparse.hstack([inside[0], words[0]], "csr"), inside[1] + words[1]),
        "words of question and answer alone": words,
        "the answer's log-probability": (sure, ["of the answer", "of its least likely token"]),
    }
    models: dict[str, Fitted] = {}
    predictors = []
    for title, (features, _) in sets.items():
        models[title] = fit_best(features[rows[fitted]], labels[fitted])
        predictors.append(_judged(title, models[title](features[rows[~fitted]]), labels[~fitted]))
    first = next(iter(sets))
    weights = models[first].weights * np.sqrt(np.asarray(inside[0].multiply(inside[0]).mean(0)).ravel())
    order = [int(i) for i in np.argsort(-np.abs(weights), kind="stable")[:WEIGHTS] if weights[i]]
    listed = tuple((inside[1][i], round(float(weights[i]), 3)) for i in order)
    return Foresight(_sentence(predictors), int(fitted.sum()), int((~fitted).sum()), tuple(predictors), listed)


def auc(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """Area under the ROC curve, ties counted half."""
    n1, n0 = int(positive.sum()), int((~positive).sum())
    return float((rankdata(scores)[positive].sum() - n1 * (n1 + 1) / 2) / max(1, n1 * n0))


def _inside(answers: Answers, name: Callable[[int], str]) -> tuple[sparse.csr_matrix, list[str]]:
    """What was seen: latents that are there, latents that the answer attends to and doesn't name, what it names and whether that's seen.

    Attention-weighted activations are parts of their row's largest, apart for answers that name something that latents are called after
    and for others (yes, none, numbers).
    """
    labels = [normalised(name(i)) for i in range(answers.peaks.shape[1])]
    known, said = frozenset(labels) - {""}, answers.given
    names = np.array([text in known for text in said], np.float64)
    seen = np.array([text in shows for text, shows in zip(said, answers.shows, strict=True)], np.float64)
    top = np.maximum(np.asarray(answers.scores.max(1).todense()).ravel(), 1e-12)
    attended = (sparse.diags(1 / top) @ answers.scores).tocsr()
    row = np.repeat(np.arange(len(answers)), np.diff(attended.indptr))
    own = np.array([labels[latent] == said[n] for n, latent in zip(row, attended.indices, strict=True)], bool)
    on_own = np.bincount(row, attended.data * own, len(answers)) / np.maximum(np.bincount(row, attended.data, len(answers)), 1e-12)
    attended.data = np.where(own, 0, attended.data)
    parts = [(answers.peaks > 0).astype(np.float64), sparse.diags(names) @ attended, sparse.diags(1 - names) @ attended]
    parts.append(sparse.csr_matrix(np.stack([names * (1 - seen), names * seen, names * on_own], 1)))
    called = [f"{f'{text}?' if (text := name(i)) else 'unnamed'} (#{i})" for i in range(len(labels))]
    titles = [f"{text} is there" for text in called] + [f"{text} attended to, not named" for text in called]
    titles += [f"{text} attended to, nothing named" for text in called]
    titles += ["the answer names what isn't seen", "the answer names what is seen", "attention on what the answer names"]
    features = sparse.hstack(parts, "csr")
    often = np.flatnonzero(np.diff(features.tocsc().indptr) >= RARE)
    return features[:, often], [titles[i] for i in often]


def _words(answers: Answers) -> tuple[sparse.csr_matrix, list[str]]:
    """Words of question and answer."""
    pairs = zip(answers.questions, answers.said, strict=True)
    every, has = counted([{f"asked: {word}" for word in words_of(q)} | {f"said: {word}" for word in words_of(a)} for q, a in pairs])
    return has, every


def _judged(name: str, p: Float[np.ndarray, " n"], wrong: Bool[np.ndarray, " n"]) -> Predictor:
    rng, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(p), len(p))
        if wrong[rows].any() and not wrong[rows].all():
            drawn.append(auc(p[rows], wrong[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    order = np.array_split(np.argsort(p, kind="stable"), BINS)
    bins = tuple(Bin(float(np.clip(p[part].mean(), 0, 1)), rate(int(wrong[part].sum()), len(part))) for part in order if len(part))
    error = sum(abs(each.foreseen - each.wrong.share) * each.wrong.of for each in bins) / len(p)
    return Predictor(name, auc(p, wrong), float(low), float(high), float(error), bins)


def _sentence(predictors: Sequence[Predictor]) -> str:
    first, best, own = predictors[0], max(predictors[:2], key=lambda each: each.auc), predictors[-1]
    says = f"From latents of the answer, wrong answers of rows not fitted to are foreseen with AUC {first.auc:.2f}"
    if best is not first:
        says += f" ({best.auc:.2f} with the words of question and answer)"
    return f"{says}; from the answer's own log-probability with {own.auc:.2f}."
