"""A case as tables (CSV) and as a picture: for papers and spreadsheets. Needs no model."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from scratchpad.cases.bundle import Bundle
from scratchpad.draw.over import over_all
from scratchpad.records import Analysis, Test


def tables(bundle: Bundle) -> dict[str, str]:
    """{file name: CSV}: tokens, latents with their score for every token, the heatmap, the tests."""
    analysis = bundle.case.analysis
    scores, text = analysis.scores, {token.index: token.text for token in analysis.run.tokens}
    column = {latent: i for i, latent in enumerate(scores.latents)}
    head = ("id", "name", "guess", "mean", "sparsity", "mean_activation", "auroc")
    return {
        "tokens.csv": _csv(
            ("index", "text", "role", "logprob"), ((t.index, t.text, t.role, t.logprob) for t in analysis.run.text_tokens())
        ),
        "latents.csv": _csv(
            (*head, *(f"{i} {text[i]}" for i in scores.tokens)),
            (
                (x.id, x.name, x.guess, x.mean_score, x.sparsity, x.mean_activation, x.auroc, *scores.weighted[:, column[x.id]].tolist())
                for x in analysis.latents
            ),
        ),
        "heatmap.csv": _csv(
            ("token", *analysis.heatmap.latents),
            ((text[i], *row) for i, row in zip(analysis.heatmap.tokens, analysis.heatmap.values.tolist(), strict=True)),
        ),
        "tests.csv": _tests(bundle),
    }


def _controls(test: Test) -> tuple[int, int, str]:
    return test.control.random_flips, test.control.n_random_sets, test.verdict.kind


def _tests(bundle: Bundle) -> str:
    head = ("test", "latent", "op", "value", "region", "image", "before", "after", "effect", "random_flips", "n_random_sets", "verdict")
    rows = [
        (n, i.latent, i.op, i.value, i.region, i.image, c.before.text, c.after.text, c.effect, *_controls(t))
        for n, t in enumerate(bundle.case.tests, 1)
        for c in (t.comparison,)
        for i in c.edit.items
    ]
    return _csv(head, rows)


def attention_png(bundle: Bundle) -> bytes:
    """The map of the token that the page opens on, over the pictures."""
    analysis, buffer = bundle.case.analysis, io.BytesIO()
    row = analysis.weights.tokens.index(opening_token(analysis) or analysis.weights.tokens[-1])
    over_all(bundle.pictures(), analysis.run.grid, analysis.weights.values[row]).save(buffer, "PNG")
    return buffer.getvalue()


def opening_token(analysis: Analysis) -> int | None:
    """The answer's first content word: its first output token of letters that is longer than an article; None where there is none."""
    words = [t.index for t in analysis.run.outputs() if t.text.strip().isalpha()]
    content = [t.index for t in analysis.run.outputs() if t.text.strip().isalpha() and t.text.strip().lower() not in FUNCTION_WORDS]
    return next(iter(content or words), None)


FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "of",
        "in",
        "on",
        "at",
        "to",
        "is",
        "are",
        "it",
        "this",
        "that",
        "there",
        "with",
        "by",
        "for",
        "from",
        "as",
    ]
)


def _csv(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_tame(cell) for cell in head)
    writer.writerows([_tame(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _tame(cell: object) -> object:
    """Text that a spreadsheet would run as a formula stays text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
