"""An audit as one page that opens from disk: numbers of the set, groups as cards with pictures, what was not explained. No script.

In: an `Audit`, pictures of its groups. Out: HTML. Computes nothing.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from scratchpad.audit.pictures import Shown
from scratchpad.records.audit import Audit, Foresight, Group, Rate, Repaired

STYLE = """
:root { color-scheme: light dark; --ink: #1d1f22; --quiet: #5d6068; --line: #e2dfd8; --paper: #fbfaf7; --card: #fff; --accent: #0b6e69; --bad: #a8321e; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae5; --quiet: #a3a6ad; --line: #313439; --paper: #131416; --card: #1b1d20; --accent: #5cc4ba; --bad: #e58a76; } }
body { margin: 0 auto; max-width: 1080px; padding: 24px 20px 60px; background: var(--paper); color: var(--ink); font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 34px 0 8px; } h3 { font-size: 16px; margin: 0 0 8px; font-weight: 600; } h4 { font-size: 14px; margin: 14px 0 4px; color: var(--quiet); font-weight: 600; }
p { margin: 4px 0; max-width: 80ch; } .quiet { color: var(--quiet); font-size: 14px; } section.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; margin: 14px 0; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; } td, th { text-align: right; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); font-weight: 400; } th { color: var(--quiet); } td:first-child, th:first-child, td.text { text-align: left; } tr.own td { font-weight: 600; }
ul { margin: 4px 0; padding-left: 20px; } .rows { display: flex; flex-wrap: wrap; gap: 14px; margin: 8px 0; } figure { margin: 0; width: 344px; max-width: 100%; } figure img { width: 168px; max-width: 49%; border-radius: 4px; } figcaption { font-size: 13px; color: var(--quiet); } figcaption b { color: var(--ink); } .wrong { color: var(--bad); } .scroll { overflow-x: auto; } a { color: var(--accent); }
"""
KINDS = {"cue": "a cue", "rival": "a rival in the picture", "missing": "an answer that isn't given"}
ROWS = 30  # of a table


def report(audit: Audit, pictures: Mapping[str, Sequence[Shown]]) -> str:
    """The whole page.

    Args:
        pictures: by a group's id.
    """
    plan = audit.plan
    title = f"Audit of {_e(plan.model.name)} on {_e(_short(plan.data))}"
    cards = "".join(_group(group, pictures.get(group.id, ())) for group in audit.groups)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p class="quiet">Model {_e(plan.model.identity)}, SAE {_e(plan.sae.name)} ({_e(plan.sae.identity)}), answers compared: {_e(plan.compare)}. Intervals: 95% (Wilson).</p>
{_numbers(audit)}{_list(audit.says)}
<h2>Groups of failures</h2>{cards or "<p>No group: nothing that wrong answers share lies beyond chance.</p>"}
{_confusion(audit)}{_unexplained(audit)}{_foresight(audit.foresight)}{_failed(audit)}</body></html>
"""


def _numbers(audit: Audit) -> str:
    rows = [
        ("rows", str(audit.plan.rows)),
        ("answered", str(audit.answered)),
        ("without an answer, each with its reason", str(audit.failures)),
    ]
    if audit.right is not None:
        rows.append(("right", _rate(audit.right)))
        rows.append(("wrong rows in a group", f"{sum(len(g.rows) for g in audit.groups)} of {audit.right.of - audit.right.hits}"))
    rows.append(("pictures unlike those of the SAE's index", str(audit.unlike)))
    rows += [(name, f"{value:.3f}") for name, value in audit.scores]
    return f"<table>{''.join(f'<tr><td>{_e(name)}</td><td>{value}</td></tr>' for name, value in rows)}</table>"


def _group(group: Group, rows: Sequence[Shown]) -> str:
    marks = {True: "holds", False: "does not hold", None: "noted"}
    evidence = [f"{_e(each.says)} <span class='quiet'>({marks[each.holds]})</span>" for each in group.evidence]
    pairs = ", ".join(f"{_e(expected)} → <span class='wrong'>{_e(said)}</span> {count}" for expected, said, count in group.pairs)
    links = ", ".join(f"<a href='{_e(name.removesuffix('.case'))}.html'>{_e(name.rsplit('/', 1)[-1])}</a>" for name in group.cases)
    latents = ", ".join(f"{_e(latent.name or 'unnamed')} (#{latent.id})" for latent in group.latents)
    return f"""<section class="card"><h3>{_e(group.sentence)}</h3>
<p class="quiet">{KINDS[group.kind]}; {len(group.rows)} rows; wrong {_rate(group.wrong)}; p {group.p:.2g}, corrected</p>
<div class="rows">{"".join(_row(row) for row in rows)}</div>
<ul>{"".join(f"<li>{each}</li>" for each in evidence)}
{f"<li>the concept is there in {group.without_error.of} rows; {group.without_error.hits} of them are right: {_rate(group.without_error)}</li>" if group.without_error.of else ""}
{f"<li>parted by: {latents}</li>" if latents else ""}<li>expected → said: {pairs}</li>{f"<li>cases: {links}</li>" if links else ""}</ul>
{_repaired(group.repaired)}</section>"""


def _row(row: Shown) -> str:
    lit = f"<img src='{row.lit}' alt='{_e(row.caption)}'>" if row.lit else ""
    return f"""<figure><img src='{row.picture}' alt=''> {lit}<figcaption>{_e(row.question)}<br><b class="wrong">{_e(row.answer)}</b>, expected <b>{_e(row.expected)}</b>
<br>row {_e(row.id)}{f"; right: {_e(row.caption)}" if row.lit else ""}</figcaption></figure>"""


def _repaired(repaired: Repaired | None) -> str:
    if repaired is None:
        return ""
    rows = "".join(
        f"<tr{' class=own' if n == 0 and repaired.repair else ''}><td>{_e(each.name)}</td><td>{_rate(each.repaired)}</td><td>{_rate(each.harmed)}</td><td>{_rate(each.changed)}</td></tr>"
        for n, each in enumerate(repaired.judged)
    )
    table = (
        f"<div class='scroll'><table><tr><th>change</th><th>errors repaired</th><th>right answers broken</th><th>right rows' answers changed</th></tr>{rows}</table></div>"
        if rows
        else ""
    )
    return f"<h4>Repair</h4><p>{_e(repaired.sentence)}</p>{table}"


def _confusion(audit: Audit) -> str:
    counts: dict[tuple[str, str], int] = {}
    for expected, said, count in [pair for group in audit.groups for pair in group.pairs] + list(audit.unexplained):
        counts[expected, said] = counts.get((expected, said), 0) + count
    rows = sorted(counts.items(), key=lambda item: -item[1])[:ROWS]
    body = "".join(
        f"<tr><td>{_e(expected)}</td><td class='text wrong'>{_e(said)}</td><td>{count}</td></tr>" for (expected, said), count in rows
    )
    return f"<h2>What was said instead</h2><table><tr><th>expected</th><th>said</th><th>rows</th></tr>{body}</table>" if rows else ""


def _unexplained(audit: Audit) -> str:
    total = sum(count for *_, count in audit.unexplained)
    if not total:
        return ""
    body = "".join(
        f"<tr><td>{_e(expected)}</td><td class='text wrong'>{_e(said)}</td><td>{count}</td></tr>"
        for expected, said, count in audit.unexplained[:ROWS]
    )
    more = f"<p class='quiet'>and {len(audit.unexplained) - ROWS} more pairs</p>" if len(audit.unexplained) > ROWS else ""
    return f"<h2>Not explained</h2><p>{total} wrong rows are in no group: what they share, if anything, doesn't lie beyond chance.</p><table><tr><th>expected</th><th>said</th><th>rows</th></tr>{body}</table>{more}"


def _foresight(foresight: Foresight | None) -> str:
    if foresight is None:
        return ""
    rows = "".join(
        f"<tr><td>{_e(each.name)}</td><td>{each.auc:.3f} ({each.low:.3f} to {each.high:.3f})</td><td>{each.error:.3f}</td></tr>"
        for each in foresight.predictors
    )
    bins = (
        "".join(f"<tr><td>{each.foreseen:.2f}</td><td>{_rate(each.wrong)}</td></tr>" for each in foresight.predictors[0].bins)
        if foresight.predictors
        else ""
    )
    rests = ", ".join(f"{_e(name)} {weight:+.2f}" for name, weight in foresight.weights)
    return f"""<h2>Wrong answers foreseen</h2><p>{_e(foresight.sentence)}</p>
<table><tr><th>from</th><th>AUC</th><th>calibration error</th></tr>{rows}</table>
<h4>Calibration of the first</h4><table><tr><th>foreseen</th><th>wrong</th></tr>{bins}</table><p class="quiet">It rests on: {rests}</p>"""


def _failed(audit: Audit) -> str:
    if not audit.failed:
        return ""
    rows = "".join(f"<tr><td>{_e(name)}</td><td class='text'>{_e(reason)}</td></tr>" for name, reason in audit.failed[:ROWS])
    return f"<h2>Rows without an answer</h2><table><tr><th>row</th><th>why</th></tr>{rows}</table>"


def _list(says: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_e(each)}</li>' for each in says)}</ul>" if says else ""


def _rate(rate: Rate) -> str:
    return f"{rate.hits} of {rate.of}" + (f" ({100 * rate.low:.0f} to {100 * rate.high:.0f}%)" if rate.of else "")


def _short(name: str) -> str:
    return name.rstrip("/").rsplit("/", 1)[-1]


def _e(text: str) -> str:
    return html.escape(text)
