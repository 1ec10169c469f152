"""README, docs and notebooks say what is: Python runs, commands parse, links lead somewhere, the drawing is the folder's."""

from __future__ import annotations

import functools
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

from scratchpad.cli import _parser
from scratchpad.workbench import Workbench
from tests.blocks import Block, blocks
from tests.places import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
LANGUAGES = {"python", "sh", "text"}
NOT_RUN = {"sharing.md": "needs a running page; tests/test_space.py runs it against one"}
OTHERS = {"docker", "pip", "torchrun"}  # programs that shell blocks name beside ours and make
LINK = re.compile(r"\]\(([^)\s:#]+)(?:#[^)\s]*)?\)")


one_workbench = functools.cache(Workbench)  # pages ask the same question: it's loaded and asked once


def of(page: Path, language: str) -> list[Block]:
    return [block for block in blocks(page) if block.language == language]


@pytest.fixture
def beside_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which paths are as in a clone, and in which a page may write."""
    for name in ("examples", "saes"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_blocks_say_what_they_are_and_those_not_run_are_listed() -> None:
    every = [block for page in PAGES for block in blocks(page)]
    assert {block.language for block in every} <= LANGUAGES
    assert {block.page.name: block.not_run for block in every if block.not_run} == NOT_RUN
    assert sum(block.not_run is not None for block in every) == len(NOT_RUN)


@pytest.mark.parametrize("page", [page for page in PAGES if of(page, "python")], ids=lambda page: page.name)
def test_python_runs_page_by_page(page: Path, beside_the_demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scratchpad.workbench.Workbench", one_workbench)
    names: dict[str, object] = {"__name__": page.stem}
    for block in of(page, "python"):
        if block.not_run is None:
            padded = "\n" * block.line + block.text  # so that a failure names the page's own line
            exec(compile(padded, str(page), "exec"), names)
    written = re.findall(r'\.write_html\("([^"]+)"\)', "".join(block.text for block in of(page, "python")))
    assert all((beside_the_demo / name).stat().st_size > 10_000 for name in written)


def lines(block: Block) -> Iterator[list[str]]:
    """The commands of a shell block, as words."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            ends = words.index("&&") if "&&" in words else len(words)
            yield words[:ends]
            words = words[ends + 1 :]


@pytest.mark.parametrize("block", [block for page in PAGES for block in of(page, "sh")], ids=str)
def test_commands_are_ours(block: Block) -> None:
    found = list(lines(block))
    assert found
    for words in found:
        program, *arguments = words
        if program == "torchrun":
            assert "scratchpad.cli" in arguments
            program, arguments = "scratchpad", arguments[arguments.index("scratchpad.cli") + 1 :]
        if program == "scratchpad":
            parsed = _parser().parse_args(arguments)  # exits where it can't be parsed
            assert callable(parsed.act)
        elif program == "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
            assert all(target in targets for target in arguments if "=" not in target), words
        else:
            assert program in OTHERS, words


def test_every_command_has_an_example() -> None:
    def leaves(parser: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        below = [action for action in parser._actions if isinstance(getattr(action, "choices", None), dict)]  # type: ignore[attr-defined]
        for action in below:
            for name, part in action.choices.items():
                yield from leaves(part, (*path, name))
        if not below:
            yield path

    shown = [words[1:] for block in of(ROOT / "docs" / "commands.md", "sh") for words in lines(block) if words[0] == "scratchpad"]
    lacking = [path for path in leaves(_parser()) if not any(tuple(words[: len(path)]) == path for words in shown)]
    assert not lacking


@pytest.mark.parametrize("page", [*PAGES, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    broken = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    assert not broken


def test_python_modules_named_in_pages_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"\bpython -m ((?:benchmarks|scratchpad)[\w.]*)", page.read_text())}
    assert named
    assert all(importlib.util.find_spec(name) for name in named), named


def test_files_named_in_pages_exist() -> None:
    path = re.compile(r"`((?:scratchpad|tests|docs|benchmarks)/[\w/.-]+)`")
    named = {(page.name, name) for page in PAGES for name in path.findall(page.read_text()) if "NAME" not in name}
    assert named
    assert not [name for name in sorted(named) if not (ROOT / name[1]).exists()]


def test_the_drawing_and_the_folder_agree() -> None:
    rooms = next(block.text for block in blocks(ROOT / "docs" / "architecture.md") if block.text.startswith("scratchpad/"))
    drawn = [line.split()[0] for line in rooms.splitlines()[1:]]
    there = [path.name + "/" * path.is_dir() for path in (ROOT / "scratchpad").iterdir() if not path.name.startswith("__")]
    assert sorted(drawn) == sorted(there)
    way = next(block.text for block in blocks(ROOT / "docs" / "architecture.md") if "-> Question" in block.text)
    files = re.findall(r"[a-z]+/[\w/]*(?:\.py)?|[a-z]+\.py", way)
    assert len(files) >= 10
    assert all((ROOT / "scratchpad" / name).exists() for name in files)


def test_every_setting_is_in_the_table() -> None:
    table = (ROOT / "docs" / "sharing.md").read_text()
    read = {name for path in (ROOT / "scratchpad").rglob("*.py") for name in re.findall(r"\bSCRATCHPAD_[A-Z_]+", path.read_text())}
    assert read
    assert read == set(re.findall(r"`(SCRATCHPAD_[A-Z_]+)`", table))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_run_and_ship_without_outputs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their cells, one after another, by IPython in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # nothing is added to the user's history
    shell = InteractiveShell()
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    results = [shell.run_cell(cell.source) for cell in cells]
    for done in results:
        done.raise_error()
    assert any(done.result is not None for done in results)


@pytest.mark.slow  # in a kernel of their own, as Jupyter runs them
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_run_in_a_kernel(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    done = NotebookClient(book, timeout=None, startup_timeout=600, kernel_name="python3", resources=where).execute()
    assert any(cell.outputs for cell in done.cells if cell.cell_type == "code")


def test_there_are_two_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == ["analyse-and-ablate.ipynb", "case-and-sae.ipynb"]
