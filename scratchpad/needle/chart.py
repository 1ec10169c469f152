"""All data sets at a glance: one chart, metrics x data sets with a bar for every map, and one table. Drawn as SVG and HTML, no script.

In: a summary. Out: HTML that stands in the report. Computes no metric.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

from scratchpad.records.sweep import SCENES, MethodResult, Metric, MetricName, OnMasks, SweepSummary

DRAWN: tuple[MetricName, ...] = ("accuracy", "rank", "distance")  # scores are in each map's own units
BAR, LEFT, WIDE, GAP, TOP = 15, 140, 150, 24, 22  # px
MASKS: Mapping[str, tuple[str, Callable[[OnMasks], Metric]]] = {
    "overlap": ("mean IoU of its highest points, as many as the mask has, with the mask; 1 is best", lambda m: m.iou),
    "deletion": ("score left while its highest tokens are painted over, area; low is good", lambda m: m.deletion),
    "insertion": ("score while they come back, area; high is good", lambda m: m.insertion),
    "deletion, blurred": ("the same, blurred in place of painted over", lambda m: m.deletion_blurred),
    "insertion, blurred": ("the same", lambda m: m.insertion_blurred),
    "shuffled weights": ("rank correlation with its map under shuffled weights of the language model", lambda m: m.shuffled),
}


def overview(summary: SweepSummary) -> str:
    """The chart, the table, and what was measured on masks."""
    methods = ordered(summary)
    parts = (f"<div class='scroll'>{part}</div>" for part in (_chart(summary, methods), _table(summary, methods)))
    return f"<h2>All data sets</h2>{''.join(parts)}{_masks(summary)}"


def ordered(summary: SweepSummary) -> list[str]:
    """Every method, the most accurate over all data sets first."""
    methods = dict.fromkeys(method for rows in summary.results.values() for method in rows)

    def mean(method: str) -> float:
        rows = [rows[method].accuracy.mean for rows in summary.results.values() if method in rows]
        return sum(rows) / len(rows)

    return sorted(methods, key=lambda method: -mean(method))


def _chart(summary: SweepSummary, methods: list[str]) -> str:
    panel = TOP + BAR * len(methods)
    out = []
    for row, metric in enumerate(DRAWN):
        y = row * (panel + GAP)
        for n, method in enumerate(methods):
            out.append(f'<text x="{LEFT - 8}" y="{y + TOP + n * BAR + 11}" text-anchor="end">{method}</text>')
        for column, dataset in enumerate(summary.results):
            x = LEFT + column * (WIDE + GAP)
            out.append(f'<text x="{x}" y="{y + 14}">{metric}, {html.escape(dataset)}</text>')
            for n, method in enumerate(methods):
                if method in summary.results[dataset]:
                    out.append(_bar(summary.results[dataset][method].metric(metric), x, y + TOP + n * BAR))
            if metric == "accuracy":
                at = x + WIDE * _chance(summary, dataset)
                line = f'y1="{y + TOP}" y2="{y + panel}" stroke="var(--quiet)" stroke-dasharray="3 3"'
                out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" {line}/>')
    masks = {method: row.masks for method, row in summary.results.get(SCENES, {}).items() if row.masks}
    y = len(DRAWN) * (panel + GAP)
    for column, (name, (_, take)) in enumerate(MASKS.items() if masks else ()):
        x = LEFT + column * (WIDE + GAP)
        out.append(f'<text x="{x}" y="{y + 14}">{name}, {SCENES}</text>')
        out += [_bar(take(masks[method]), x, y + TOP + n * BAR) for n, method in enumerate(methods) if method in masks]
    for n, method in enumerate(methods if masks else ()):
        out.append(f'<text x="{LEFT - 8}" y="{y + TOP + n * BAR + 11}" text-anchor="end">{method}</text>')
    columns, rows = max(len(summary.results), len(MASKS) if masks else 0), len(DRAWN) + bool(masks)
    size = f'width="{LEFT + columns * (WIDE + GAP)}" height="{rows * (panel + GAP)}"'
    return f'<svg {size} role="img" aria-label="Metrics of every map on every data set">{"".join(out)}</svg>'


def _bar(value: Metric, x: int, y: int) -> str:
    """From 0 to 1; what lies outside ends there."""
    middle = y + BAR / 2
    mean, low, high = (WIDE * min(1.0, max(0.0, v)) for v in (value.mean, value.low, value.high))
    return (
        f'<rect x="{x}" y="{y + 3}" width="{mean:.1f}" height="{BAR - 6}" fill="var(--accent)" opacity=".75"/>'
        f'<line x1="{x + low:.1f}" x2="{x + high:.1f}" y1="{middle}" y2="{middle}" '
        'stroke="var(--ink)" stroke-width="2"/>'
    )


def _chance(summary: SweepSummary, dataset: str) -> float:
    given = next(iter(summary.results[dataset].values())).chance
    return summary.chance if given is None else given


def _table(summary: SweepSummary, methods: list[str]) -> str:
    def cell(rows: Mapping[str, MethodResult], method: str) -> str:
        if method not in rows:
            return "<td>–</td>"
        three = (_number(rows[method].metric(metric)) for metric in DRAWN)
        return f"<td>{'<br>'.join(three)}</td>"

    head = "".join(f"<th>{html.escape(name)}</th>" for name in summary.results)
    body = "".join(f"<tr><td>{m}</td>{''.join(cell(rows, m) for rows in summary.results.values())}</tr>" for m in methods)
    says = "Accuracy, rank and distance, one under the other, with their 95% intervals. Scores are in each map's own units, below."
    return f"<p class='quiet'>{says}</p><table><thead><tr><th>map</th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _number(value: Metric) -> str:
    return f"{value.mean:.3g} <span class='quiet'>{value.low:.3g} – {value.high:.3g}</span>"


def _masks(summary: SweepSummary) -> str:
    """What only known masks say, of the data set that has them."""
    rows = {method: row.masks for method, row in summary.results.get(SCENES, {}).items() if row.masks}
    if not rows:
        return ""
    head = "".join(f"<th title='{html.escape(says)}'>{name}</th>" for name, (says, _) in MASKS.items())
    body = "".join(
        f"<tr><td>{method}</td>{''.join(f'<td>{_number(take(masks))}</td>' for _, take in MASKS.values())}"
        f"<td>{'hardly changes' if masks.unmoved else 'changes'}</td></tr>"
        for method, masks in rows.items()
    )
    says = "; ".join(f"{name}: {text}" for name, (text, _) in MASKS.items())
    return (
        f"<h3>on {summary.plan.scenes} pictures whose things have known masks</h3><p class='quiet'>{html.escape(says)}. "
        "A map that hardly changes with the weights shows the picture, not what the model does with it.</p>"
        f"<div class='scroll'><table><thead><tr><th>map</th>{head}<th>weights shuffled</th></tr></thead><tbody>{body}</tbody></table></div>"
    )
