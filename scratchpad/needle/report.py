"""A sweep as one page that opens from disk: bars with intervals, grid maps, biases, the winner. Drawn as SVG, no script.

In: a summary. Out: HTML, all data sets at a glance first (`chart`). Computes no metric.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from scratchpad.draw.colours import sequential
from scratchpad.needle.chart import overview
from scratchpad.records.sweep import METRICS, SCENES, MethodResult, Metric, MetricName, SweepSummary
from scratchpad.saliency.stages import Stage

STYLE = """
:root { color-scheme: light dark; --ink: #1d1f22; --quiet: #5d6068; --line: #e2dfd8; --paper: #fbfaf7; --accent: #0b6e69; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae5; --quiet: #a3a6ad; --line: #313439; --paper: #131416; --accent: #5cc4ba; } }
body { margin: 0 auto; max-width: 1180px; padding: 20px; background: var(--paper); color: var(--ink); font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; padding-top: 14px; border-top: 1px solid var(--line); } h3 { font-size: 14px; margin: 18px 0 6px; color: var(--quiet); font-weight: 500; }
p { margin: 4px 0; max-width: 78ch; } .quiet { color: var(--quiet); font-size: 14px; } table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; } td, th { text-align: right; padding: 4px 12px; border-bottom: 1px solid var(--line); font-weight: 400; } th:first-child, td:first-child { text-align: left; padding-left: 0; } thead th { color: var(--quiet); } tr.best td:first-child { font-weight: 650; color: var(--accent); }
.maps { display: flex; flex-wrap: wrap; gap: 14px 18px; } figure { margin: 0; } figcaption { font-size: 13px; color: var(--quiet); } svg { display: block; max-width: 100%; height: auto; } text { fill: var(--ink); font: 12px ui-sans-serif, system-ui, sans-serif; } .scroll { overflow-x: auto; } .stages figure { width: 200px; } .stages img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
"""
SAY: dict[MetricName, str] = {
    "accuracy": "share of images whose highest cell is the needle",
    "score": "mean of the map on the needle, in the method's own units",
    "rank": "share of cells above the needle; 0 is best",
    "distance": "of the highest cell to the needle, in diagonals; 0 is best",
}


def report(summary: SweepSummary, stages: Sequence[Stage] = ()) -> str:
    """The whole page; `stages` are those of one of its images."""
    plan = summary.plan
    cells = f"{plan.cells[0]} x {plan.cells[1]}"
    parts = [_dataset(summary, name) for name in summary.results]
    sae = f" with the SAE {html.escape(summary.sae.name)}" if summary.sae else ""
    images = sum(next(iter(rows.values())).images for name, rows in summary.results.items() if name != SCENES)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Needle in a patched haystack: {html.escape(summary.model.name)}</title><style>{STYLE}</style></head><body>
<h1>Which saliency map finds the needle?</h1>
<p>{html.escape(summary.model.name)} ({html.escape(summary.model.identity)}){sae}. {images} images of {cells} cells, the needle in every cell,
{plan.runs} runs, seed {plan.seed}; needle {html.escape(plan.needle)!s}{", among symbols another for each run" * ("symbols" in summary.results)}, distractor {html.escape(plan.distractor)!s}, font {html.escape(plan.font or "")},
{summary.size[1]} x {summary.size[0]} pixels{", the needle at half its size" if plan.small else ""}. By chance a map is right in {100 * summary.chance:.1f}%.</p>
<p class="quiet">Intervals: 95%; of accuracy Wilson over cells and runs, of the others a bootstrap over cells. After Zimmermann &amp; Boussard, Needle in a Patched Haystack, 2025.</p>
{overview(summary)}{"".join(parts)}{_processing(stages)}</body></html>
"""


def _processing(stages: Sequence[Stage]) -> str:
    """How one of the images becomes a map, step by step."""
    if not stages:
        return ""
    shown = "".join(
        f"<figure><img src='{_data_url(stage.picture)}' alt='' width='200'><figcaption><b>{n}. {html.escape(stage.title)}</b><br>{html.escape(stage.says)}</figcaption></figure>"
        for n, stage in enumerate(stages, 1)
    )
    return f"<h2>Processing</h2><p>How one of the images becomes a map. Embeddings are shown as the mean over their dimension.</p><div class='maps stages'>{shown}</div>"


def _data_url(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _dataset(summary: SweepSummary, name: str) -> str:
    results, winner = summary.results[name], summary.winner[name]
    order = sorted(results, key=lambda m: -results[m].accuracy.mean)
    given = results[order[0]].chance
    chance = summary.chance if given is None else given
    clear = "" if winner.clear else "; its interval overlaps the next one's, so this is no clear winner"
    maps = (
        ""
        if name == SCENES
        else "".join(
            f"<h3>{metric}: {SAY[metric]}</h3><div class='maps'>{''.join(_map(m, results[m].metric(metric), metric) for m in order)}</div>"
            for metric in METRICS
        )
    )
    return f"""<h2>{name}</h2><p>Most accurate: <b>{winner.method}</b>{clear}.</p>
<div class="scroll">{_bars(results, order, chance)}</div><div class="scroll">{_table(results, order, winner.method)}</div>{maps}"""


def _bars(results: Mapping[str, MethodResult], order: list[str], chance: float) -> str:
    """Accuracy with its interval, best first."""
    left, wide, high = 150, 560, 24
    out = []
    for n, method in enumerate(order):
        a, y = results[method].accuracy, n * high
        out.append(
            f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{method}</text>'
            f'<rect x="{left}" y="{y + 4}" width="{wide * a.mean:.1f}" height="{high - 8}" fill="var(--accent)" opacity=".75"/>'
            f'<line x1="{left + wide * a.low:.1f}" x2="{left + wide * a.high:.1f}" y1="{y + high / 2}" y2="{y + high / 2}" stroke="var(--ink)" stroke-width="2"/>'
            f'<text x="{left + wide * max(a.mean, a.high) + 8:.1f}" y="{y + 16}">{100 * a.mean:.1f}%</text>'
        )
    x = left + wide * chance
    out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{len(order) * high}" stroke="var(--quiet)" stroke-dasharray="3 3"/>')
    return f'<svg width="{left + wide + 70}" height="{len(order) * high}" role="img" aria-label="Accuracy of every method">{"".join(out)}</svg>'


def _table(results: Mapping[str, MethodResult], order: list[str], best: str) -> str:
    rows = []
    for method in order:
        cells = "".join(f"<td>{_number(results[method].metric(m))}</td>" for m in METRICS)
        drawn = ", ".join(f"{b.towards} ({b.r:.2f})" for b in results[method].biases[:2]) or "none found"
        rows.append(f"<tr{' class=best' if method == best else ''}><td>{method}</td>{cells}<td>{drawn}</td></tr>")
    return f"<table><thead><tr><th>map</th>{''.join(f'<th>{n}</th>' for n in METRICS)}<th>drawn towards</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _number(value: Metric) -> str:
    return f"{value.mean:.3g} <span class='quiet'>{value.low:.3g} – {value.high:.3g}</span>"


def _map(method: str, value: Metric, metric: MetricName) -> str:
    """A value per position of the needle; bright is better in every map but that of scores, where it's higher."""
    grid, side = value.grid, 14
    low, high = min(map(min, grid)), max(map(max, grid))
    top = high if metric == "score" else 1.0
    floor = low if metric == "score" else 0.0
    out = []
    for r, row in enumerate(grid):
        for c, v in enumerate(row):
            share = (v - floor) / (top - floor) if top > floor else 0.0
            if metric in ("rank", "distance"):
                share = 1 - share
            red, green, blue = sequential(np.array([[share]]))[0, 0].astype(int)
            out.append(
                f'<rect x="{c * side}" y="{r * side}" width="{side - 1}" height="{side - 1}" fill="rgb({red},{green},{blue})"><title>row {r}, column {c}: {v:.3g}</title></rect>'
            )
    size = f'width="{len(grid[0]) * side}" height="{len(grid) * side}"'
    return f'<figure><svg {size} role="img" aria-label="{metric} of {method} by position">{"".join(out)}</svg><figcaption>{method} {value.mean:.2g}</figcaption></figure>'
