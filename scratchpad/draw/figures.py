"""Records -> Plotly figures, for notebooks and papers: `.show()` draws one, `.write_html()` or `.write_image()` keeps it.

Colours are the page's. Nothing here computes a number that a record doesn't hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from scratchpad.draw.colours import DIVERGING, SEQUENTIAL
from scratchpad.errors import UserError
from scratchpad.records import Analysis, Test

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ACCENT, QUIET = "rgb(11,110,105)", "rgb(130,132,138)"


def attention(analysis: Analysis, token: int | str, image: int = 0) -> Figure:
    """The picture under a text token's attention, a value per patch on hover.

    Args:
        token: its index in the sequence, or its text: the first output token that reads so, else the first of all.
        image: which of several pictures.

    Raises:
        UserError: there is no such text token or picture.
    """
    index = _token(analysis, token)
    text = next(t.text for t in analysis.run.tokens if t.index == index)
    values = analysis.weights.values[analysis.weights.tokens.index(index)]
    return _over(analysis, values, image, f"Attention of “{text.strip()}”", "share")


def latent(analysis: Analysis, number: int, image: int = 0) -> Figure:
    """The picture under a latent's activation.

    Raises:
        UserError: there is no such picture.
    """
    return _over(analysis, analysis.codes.of(number), image, label(analysis, number), "activation")


def label(analysis: Analysis, number: int) -> str:
    """A latent's name on this picture and its number; a guess has its question mark."""
    known = analysis.latent(number)
    name = "" if known is None else known.name or (known.guess and f"{known.guess}?")
    return f"{name or 'unnamed'} #{number}"


def heatmap(analysis: Analysis, question: bool = False) -> Figure:
    """Tokens x latents, each column scaled to its own 0 .. 1, clusters bracketed (VisualScratchpad, token-latent heatmap).

    Args:
        question: rows of the question's tokens too; columns are scaled over all tokens in either case.
    """
    import plotly.graph_objects as go

    shown = analysis.heatmap
    text = {t.index: t.text.strip() or "␣" for t in analysis.run.tokens}
    outputs = {token.index for token in analysis.run.outputs()}
    drawn_rows = [row for row, index in enumerate(shown.tokens) if question or index in outputs or not outputs]
    rows = [f"{text[shown.tokens[row]]} ({shown.tokens[row]})" for row in drawn_rows]  # a text may come twice
    cols = [label(analysis, i) for i in shown.latents]
    drawn = go.Figure(
        go.Heatmap(
            z=shown.values[drawn_rows],
            x=cols,
            y=rows,
            customdata=shown.raw[drawn_rows],
            colorscale=_scale(SEQUENTIAL),
            colorbar={"title": "of its<br>column's most"},
            xgap=1,
            ygap=1,
            hovertemplate="%{x} at %{y}: %{z:.2f} of its column's range, %{customdata:.3g} attention-weighted activation<extra></extra>",
        )
    )
    left = -0.5
    for cluster in shown.clusters:
        right = left + len(cluster.latents)
        drawn.add_shape(type="line", x0=left + 0.1, x1=right - 0.1, y0=-0.62, y1=-0.62, line={"color": QUIET, "width": 2})
        left = right
    drawn.update_yaxes(range=[len(rows) - 0.5, -0.8])  # the brackets stand above the first row
    return drawn.update_layout(title="Token-latent heatmap", template="simple_white", height=max(320, 28 * len(rows) + 220))


def effect(test: Test) -> Figure:
    """What an edit did to the answer's log-probability, token by token, beside what its controls do; the verdict is its title."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    compared, control = test.comparison, test.control
    drawn = make_subplots(1, 2, subplot_titles=("By token", "The whole answer and its controls"), column_widths=[0.5, 0.5])
    tokens = [f"{n + 1} {t.text.strip() or '␣'}" for n, t in enumerate(compared.before.tokens)]
    tokens += ["end"] * (len(compared.delta_logprob) - len(tokens))
    most = max(0.5, max((abs(v) for v in compared.delta_logprob), default=0.5))
    bars = {"color": list(compared.delta_logprob), "colorscale": _scale(DIVERGING[::-1]), "cmin": -most, "cmax": most}
    drawn.add_trace(go.Bar(x=tokens, y=list(compared.delta_logprob), marker=bars, showlegend=False), 1, 1)
    for name, values, colour in (
        (f"other sets ({control.random_flips} of {control.n_random_sets} change the answer)", control.effects, QUIET),
        (f"noise as strong ({sum(control.noise_flips)} of {len(control.noise)})", control.noise, "rgb(190,190,190)"),
        ("bare reconstruction", [control.reconstruction], "rgb(179,88,6)"),
        ("this edit" + (", which changes it" if compared.changed else ""), [compared.effect], ACCENT),
    ):
        drawn.add_trace(go.Box(x=list(values), name=name, boxpoints="all", pointpos=0, jitter=0.4, marker_color=colour), 1, 2)
    drawn.update_xaxes(title_text="change of log-probability, nats", row=1, col=2)
    drawn.update_yaxes(title_text="nats", row=1, col=1)
    drawn.update_yaxes(showticklabels=False, row=1, col=2)
    title = f"{test.verdict.kind.capitalize()}: “{compared.before.text}” → “{compared.after.text}”"
    return drawn.update_layout(title=title, template="simple_white", legend={"orientation": "h", "y": -0.25, "x": 0.5})


def _token(analysis: Analysis, token: int | str) -> int:
    known = {t.index: t for t in analysis.run.tokens if t.index in analysis.weights.tokens}
    if isinstance(token, str):
        read = sorted((t.role != "output", i) for i, t in known.items() if t.text.strip() == token.strip())
        if read:
            return read[0][1]
    elif token in known:
        return token
    raise UserError(f"There is no text token {token!r}; the answer's are {[t.text for t in known.values() if t.role == 'output']}.")


def _over(analysis: Analysis, patches: Float[np.ndarray, " p"], image: int, title: str, what: str) -> Figure:
    import plotly.graph_objects as go

    pictures = analysis.question.pictures()
    if not 0 <= image < len(pictures):
        raise UserError(f"Picture {image} was asked for; there are 0 to {len(pictures) - 1}.")
    picture, values = pictures[image], analysis.run.grid.picture(patches, image)
    grey = np.asarray(picture.convert("L").convert("RGB"))
    drawn = go.Figure(go.Image(z=grey, hoverinfo="skip"))
    least = [
        [at, f"rgba({r},{g},{b},{0.85 * at:.2f})"] for at, (r, g, b) in zip(np.linspace(0, 1, len(SEQUENTIAL)), SEQUENTIAL, strict=True)
    ]
    drawn.add_trace(
        go.Heatmap(
            z=values,
            colorscale=least,
            zmin=0,
            zmax=float(max(values.max(), 1e-9)),
            colorbar={"title": what},
            hovertemplate="row %{y}, column %{x}: %{z:.3g}<extra></extra>",
        )
    )
    drawn.update_xaxes(visible=False)
    drawn.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    return drawn.update_layout(title=title, template="simple_white")


def _scale(stops: tuple[tuple[int, int, int], ...]) -> list[list[object]]:
    return [[float(at), f"rgb{stop}"] for at, stop in zip(np.linspace(0, 1, len(stops)), stops, strict=True)]
