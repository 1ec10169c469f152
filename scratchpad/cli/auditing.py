"""`scratchpad audit`: a data set of questions, its failures found, explained, and kept as a report."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, as_json, cluster, model_and_sae, on_a_cluster, show, with_repair, workbench
from scratchpad.errors import UserError
from scratchpad.files import write_whole

if TYPE_CHECKING:
    from scratchpad.audit.answer import Answerer
    from scratchpad.audit.audit import Elsewhere, Settings
    from scratchpad.audit.rows import Rows
    from scratchpad.records.audit import Audit

WAYS = ("exact", "normalised", "contained", "yes/no")


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    audit = commands.add_parser("audit", help="ask a data set of questions; find, explain and repair what goes wrong")
    model_and_sae(audit)
    with_repair(audit)
    audit.add_argument(
        "--data", required=True, help="a .parquet, .jsonl or .csv file, a folder of pictures by label, or a hub id with :split"
    )
    audit.add_argument("--out", type=Path, required=True, help="a folder; that of the same audit begun before goes on")
    audit.add_argument("--columns", help="which column holds what, where it isn't known by name: image=photo,question=q,expected=a,id=n")
    audit.add_argument("--images", type=Path, help="the folder from which on rows name their pictures (default: that of the file)")
    audit.add_argument("--question", help="what is asked of every picture, where the data has no questions")
    audit.add_argument("--compare", default="normalised", choices=WAYS, help="when an answer is right (default: by the rules of VQA)")
    audit.add_argument("--limit", type=int, help="the first rows alone")
    audit.add_argument("--budget", type=float, default=600.0, metavar="SECONDS", help="of explaining single rows (default 600)")
    audit.add_argument("--max-new-tokens", type=int, default=32, help="of an answer (default 32)")
    audit.add_argument("--batch", type=int, default=8, help="like prompts that are answered together (default 8)")
    audit.add_argument("--cases", type=int, default=1, help="of each group (default 1)")
    audit.add_argument("--no-repair", action="store_true", help="find and explain alone")
    on_a_cluster(audit)
    as_json(audit)
    audit.set_defaults(act=_audit, waits=True)


def _audit(options: argparse.Namespace) -> None:
    from scratchpad.audit.audit import audit

    settings, rows = _settings(options), _rows(options)
    bench = workbench(options)
    whole = audit(bench, rows, options.out, settings, _elsewhere(options, settings))
    _pages(options.out, whole)
    show(whole, options.json, _lines(whole, options.out))


def _settings(options: argparse.Namespace) -> Settings:
    from scratchpad.audit.audit import Settings

    for name, least in (("batch", 1), ("cases", 0), ("max_new_tokens", 1), ("budget", 0), ("limit", 1)):
        value = getattr(options, name)
        if value is not None and not value >= least:
            raise UserError(f"--{name.replace('_', '-')} was {value:g}; expected at least {least}.")
    return Settings(options.compare, options.max_new_tokens, options.budget, options.batch, options.cases, not options.no_repair)


def _rows(options: argparse.Namespace) -> Rows:
    from scratchpad.audit.rows import open_rows

    columns = {}
    for part in (options.columns or "").split(","):
        what, equals, name = part.partition("=")
        if part and not (equals and name.strip()):
            raise UserError(f"--columns was {options.columns!r}; expected for example image=photo,expected=truth.")
        if part:
            columns[what.strip()] = name.strip()
    return open_rows(options.data, columns, options.question, options.images, options.limit)


def _elsewhere(options: argparse.Namespace, settings: Settings) -> Elsewhere | None:
    """The cluster that --ray names; its workers load model and data themselves."""
    from scratchpad.audit.audit import Elsewhere

    where = cluster(options)
    return Elsewhere(where, partial(_answerer, options, settings)) if where else None


def _answerer(options: argparse.Namespace, settings: Settings) -> Answerer:
    from scratchpad.audit.answer import Answerer

    return Answerer(workbench(options), _rows(options), settings.compare, settings.max_new_tokens, settings.batch)


def _pages(out: Path, whole: Audit) -> None:
    """Each case as a page beside it, which the report leads to."""
    from scratchpad.cases.bundle import unpack
    from scratchpad.ui.export import page

    for name in (case for group in whole.groups for case in group.cases):
        path = out / name
        if not path.with_suffix(".html").is_file():
            write_whole(path.with_suffix(".html"), page(unpack(path.read_bytes())))


def _lines(whole: Audit, out: Path) -> list[str]:
    lines = [f"{whole.answered} of {whole.plan.rows} rows answered" + (f", {whole.failures} without an answer" if whole.failures else "")]
    if whole.right is not None:
        lines.append(f"right: {whole.right.hits} of {whole.right.of}")
    lines += [f"{name}: {value:.3f}" for name, value in whole.scores]
    lines += [*whole.says, ""]
    for group in whole.groups:
        lines.append(f"{group.sentence}")
        lines += [f"    {each.says}" for each in group.evidence]
        lines += [f"    repair: {group.repaired.sentence}"] if group.repaired else []
    rest = sum(count for *_, count in whole.unexplained)
    lines += [f"{rest} wrong rows are in no group"] if rest else []
    lines += [whole.foresight.sentence] if whole.foresight else []
    return [*lines, f"report in {out / 'report.html'}"]
