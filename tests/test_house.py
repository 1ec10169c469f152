"""The house stays in order: imports run one way, files stay small, nothing unpickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "scratchpad"
ROOMS = [
    "errors",
    "files",
    "progress",
    "spread",
    "stats",
    "caching",
    "allocator",
    "grid",
    "images",
    "records",
    "draw",
    "vlm",
    "sae",
    "analysis",
    "saliency",
]
ROOMS += ["experiments", "repairing", "reader", "lookup", "workbench", "pages", "benches", "needle", "cases", "audit", "ui", "cli"]
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> list[str]:
    out = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("scratchpad"):
            out += [node.module] if node.module != "scratchpad" else [f"scratchpad.{alias.name}" for alias in node.names]
    return out


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in ROOMS], ids=str)
def test_imports_run_one_way(path: Path) -> None:
    own = ROOMS.index(room(path))
    later = [m for m in imports(ast.parse(path.read_text())) if m.split(".")[1] in ROOMS and ROOMS.index(m.split(".")[1]) > own]
    assert not later, f"{path.name} of room {room(path)} imports from a later room: {later}"


def test_only_the_command_line_knows_the_demo() -> None:
    knows = {
        p.name
        for p in FILES
        if room(p) not in ("demo", "cli") and any(m.startswith("scratchpad.demo") for m in imports(ast.parse(p.read_text())))
    }
    assert knows == set()


def test_the_workbench_is_all_that_page_and_commands_call() -> None:
    """Asking, testing, looking up and keeping go through it; what trains, inspects or measures a model is a job of its own."""
    jobs = {"saes.py", "training.py", "looking.py", "needles.py", "demo.py", "options.py", "latents.py", "certifying.py"}
    behind = {"vlm", "sae", "saliency", "experiments", "analysis", "reader", "lookup"}
    for path in [*(PACKAGE / "ui").glob("*.py"), *(PACKAGE / "cli").glob("*.py")]:
        reached = {m.split(".")[1] for m in imports(ast.parse(path.read_text()))} & behind
        assert path.name in jobs or not reached, f"{path} reaches behind the workbench: {reached}"


def test_the_page_knows_no_torch() -> None:
    for path in (PACKAGE / "ui").glob("*.py"):
        assert "import torch" not in path.read_text(), path


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_are_one_idea(path: Path) -> None:
    assert path.read_text().count("\n") <= 320, f"{path} has grown too long"


def test_nothing_unpickles() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called, named = ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert called not in {"pickle.load", "pickle.loads", "np.load"}, path
                assert called != "torch.load" or named.get("weights_only") == "True", path


def names_of_values(tree: ast.AST) -> set[str]:
    """Variables, arguments and own attributes that are given a value."""
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    return stored | attributes | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_values_are_named_after_what_they_are(path: Path) -> None:
    assert not names_of_values(ast.parse(path.read_text())) & {"one", "told", "kept", "found"}


def undocumented(node: ast.AST, prefix: str = "") -> list[str]:
    out = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            out += [] if ast.get_docstring(child) else [prefix + child.name]
            out += undocumented(child, f"{child.name}.") if isinstance(child, ast.ClassDef) else []
    return out


@pytest.mark.parametrize("path", FILES, ids=str)
def test_what_is_public_says_what_it_is(path: Path) -> None:
    assert undocumented(ast.parse(path.read_text())) == []


def test_any_stays_rare() -> None:
    """It stands where transformers and torch type nothing, and in what `dump` returns."""
    for name, limit in (("Any", 82), ("dict[str, Any]", 14)):
        counts = {str(path): path.read_text().count(name) for path in FILES}
        assert sum(counts.values()) <= limit, {path: n for path, n in counts.items() if n}
