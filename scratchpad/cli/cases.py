"""`scratchpad case`: keep what was seen, show it without a model, replay it with one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scratchpad.cli.options import Commands, analysis_of, as_json, image_and_prompt, model_and_sae, show, workbench
from scratchpad.errors import UserError
from scratchpad.files import write_whole

if TYPE_CHECKING:
    from scratchpad.cases.bundle import Bundle
    from scratchpad.cases.store import Store


def add(commands: Commands) -> None:
    """Puts this module's commands on the command line."""
    parts = commands.add_parser("case", help="keep, show, replay and share what was seen").add_subparsers(required=True, metavar="PART")

    new = parts.add_parser("new", help="analyse, test and keep")
    image_and_prompt(new)
    _store(new)
    new.add_argument("--title", default="")
    new.add_argument("--notes", default="", help="Markdown, or @FILE")
    new.add_argument("--latents", action="append", default=[], help="ids to ablate, for example 12,57; may be repeated")
    new.add_argument("--smallest", action="store_true", help="also the smallest set that changes the answer")
    new.add_argument("--target", help="with --smallest: what the answer shall begin with instead")
    new.add_argument("--listed", action="store_true", help="show it in the gallery; otherwise only who has the link finds it")
    new.add_argument("--out", type=Path, help="write the bundle to this file instead of the store")
    new.set_defaults(act=_new, waits=True)

    look = parts.add_parser("show", help="what a case says; needs no model")
    _one(look)
    look.set_defaults(act=_show)

    again = parts.add_parser("replay", help="run it again and compare; exit code 1 if it doesn't agree")
    _one(again)
    model_and_sae(again)
    again.set_defaults(act=_replay, waits=True)

    export = parts.add_parser("export", help="as a bundle, a page that opens from disk, a picture or tables")
    _one(export)
    export.add_argument("--out", type=Path, required=True, help="a file ending in .case, .html or .png, or a folder for CSV tables")
    export.set_defaults(act=_export)

    take = parts.add_parser("import", help="put a bundle into the store")
    take.add_argument("file", type=Path)
    take.add_argument("--listed", action="store_true")
    _store(take)
    as_json(take)
    take.set_defaults(act=_import)

    every = parts.add_parser("list", help="listed cases, the shipped ones first")
    _store(every)
    as_json(every)
    every.set_defaults(act=_list)

    drop = parts.add_parser("delete", help="delete a case with its key")
    drop.add_argument("id")
    drop.add_argument("--key", required=True)
    _store(drop)
    drop.set_defaults(act=_delete)


def _store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", help="folder or URL (default: SCRATCHPAD_STORE, or the user's data folder)")


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", help="an id, or a bundle file")
    _store(parser)
    as_json(parser)


def _stores(options: argparse.Namespace) -> list[Store]:
    from scratchpad.cases.shelf import stores

    return stores(options.store)


def _bundle(options: argparse.Namespace) -> Bundle:
    from scratchpad.cases.bundle import unpack
    from scratchpad.cases.shelf import find

    path = Path(options.case)
    if path.is_file():
        return unpack(path.read_bytes())
    if path.suffix or "/" in options.case:
        raise UserError(f"There is no file {options.case}; expected a bundle or the id of a case.")
    return find(_stores(options), options.case)


def _new(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from scratchpad.cases.bundle import pack
    from scratchpad.cases.record import record
    from scratchpad.records.edit import ablation

    bench = workbench(options)
    analysis = analysis_of(bench, options)
    tests = [bench.test(analysis, ablation(_ids(text))) for text in options.latents]
    if options.smallest:
        least = bench.suffice(analysis, options.target)
        if not least.flipped:
            raise UserError(f"No set of latents does it; {least.tried} were ablated.")
        tests.append(replace(bench.test(analysis, ablation(least.ids), options.target), sufficient=least))
    bundle = record(bench, analysis, tests, options.title, _notes(options.notes))
    if options.out:
        _keep(options.out, pack(bundle))
        return show({"id": bundle.id, "file": str(options.out)}, options.json, [bundle.id, f"written to {options.out}"])
    store = _stores(options)[-1]
    case, key = store.put(bundle, options.listed)
    lines = [case, f"opens as /?case={case} on a server with the same store", f"key that deletes it: {key}" if key else "kept before"]
    return show({"id": case, "key": key, "link": f"/?case={case}"}, options.json, lines)


def _ids(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise UserError(f"--latents was {text!r}; expected ids separated by commas, for example 12,57.") from error


def _notes(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The notes in {text[1:]} can't be read; expected a text file.") from error


def _show(options: argparse.Namespace) -> None:
    from scratchpad.draw.figures import label

    bundle = _bundle(options)
    case, analysis = bundle.case, bundle.case.analysis
    lines = [case.title, f"{bundle.id}, {bundle.made.at}, {analysis.model.name}, {analysis.sae.name}", ""]
    lines += [f"? {analysis.question.prompt}", f"= {analysis.run.answer}"]
    for test in case.tests:
        names = ", ".join(label(analysis, i) for i in test.comparison.edit.latents())
        lines += [f"  without {names}: {test.comparison.after.text}", f"    {test.verdict.kind}: {test.verdict.sentence}"]
    show(case, options.json, [*lines, *(["", case.notes] if case.notes else [])])


def _replay(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from scratchpad.cases.record import replay

    bundle = _bundle(options)
    again = replay(bundle, workbench(options))
    value = asdict(again) | {"id": bundle.id, "agrees": again.agrees}
    lines = [f"model {'the same' if again.same_model else 'another'}, SAE {'the same' if again.same_sae else 'another'}"]
    lines.append(f"answer: {again.answer}" + ("" if again.same_tokens else f"  (kept: {bundle.case.analysis.run.answer})"))
    if again.logprob_difference is not None:
        lines.append(f"largest difference of a log-probability: {again.logprob_difference:.2g} nats")
    lines += [f"under edit {n + 1}: {now}" + ("" if now == before else f"  (kept: {before})") for n, (before, now) in enumerate(again.runs)]
    show(value, options.json, [*lines, "agrees" if again.agrees else "does not agree"])
    if not again.agrees:
        raise SystemExit(1)


def _export(options: argparse.Namespace) -> None:
    from scratchpad.cases.bundle import pack
    from scratchpad.cases.tables import attention_png, tables

    made = _bundle(options)
    kind = options.out.suffix.lower()
    if kind == ".case":
        files = {options.out: pack(made)}
    elif kind == ".html":
        from scratchpad.ui.export import page

        files = {options.out: page(made).encode()}
    elif kind == ".png":
        files = {options.out: attention_png(made)}
    elif not kind:
        files = {options.out / name: text.encode() for name, text in tables(made).items()}
    else:
        raise UserError(f"--out was {options.out}; expected a file ending in .case, .html or .png, or a folder for CSV tables.")
    for path, data in files.items():
        _keep(path, data)
    show({"id": made.id, "files": [str(path) for path in files]}, options.json, [f"written to {path}" for path in files])


def _keep(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error.strerror}.") from error


def _import(options: argparse.Namespace) -> None:
    from scratchpad.cases.bundle import unpack

    try:
        made = unpack(options.file.read_bytes())
    except OSError as error:
        raise UserError(f"There is no file {options.file} that can be read; expected a bundle.") from error
    case, key = _stores(options)[-1].put(made, options.listed)
    show({"id": case, "key": key}, options.json, [case, f"key that deletes it: {key}" if key else "kept before"])


def _list(options: argparse.Namespace) -> None:
    rows = [{"id": row.id, "title": row.title} for store in _stores(options) for row in store.listed()]
    print(json.dumps(rows) if options.json else "\n".join(f"{row['id']}  {row['title']}" for row in rows) or "no listed cases")


def _delete(options: argparse.Namespace) -> None:
    _stores(options)[-1].delete(options.id, options.key)
    print("deleted", file=sys.stderr)
