"""vlm/ is built in layers: no module of it imports, even lazily, one that imports it; and nothing in it knows what comes later."""

from __future__ import annotations

import ast
from pathlib import Path

import scratchpad.vlm

ROOT = Path(scratchpad.vlm.__file__).parents[1]
PARTS = ("scratchpad.vlm", "scratchpad.saliency", "scratchpad.draw", "scratchpad.grid")
BELOW = {"allocator", "errors", "progress", "grid", "images", "records", "vlm"}  # what vlm/ may know


def imports(path: Path) -> set[str]:
    """Every module of ours that a file names in an import, wherever in the file it stands."""
    out: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scratchpad"):
            of = str(node.module)
            out |= {f"{of}.{alias.name}" if file_of(f"{of}.{alias.name}") else of for alias in node.names}
        elif isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names if alias.name.startswith("scratchpad")}
    return out


def file_of(module: str) -> Path | None:
    path = ROOT.parent.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def modules() -> dict[str, set[str]]:
    names = (".".join(p.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__") for p in ROOT.rglob("*.py"))
    ours = {name for name in names if name.startswith(PARTS)}
    return {name: imports(file_of(name)) for name in ours if file_of(name)}  # type: ignore[arg-type]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that can't be put in an order; empty where all can."""
    left = {name: after & graph.keys() for name, after in graph.items()}
    while free := [name for name, after in left.items() if not after & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def test_no_module_imports_one_that_imports_it() -> None:
    graph = modules()
    assert "scratchpad.vlm.jacobian" in graph["scratchpad.vlm.families.generic"]
    assert circle(graph) == []


def test_vlm_knows_nothing_of_what_comes_later() -> None:
    for name, after in modules().items():
        if name.startswith("scratchpad.vlm"):
            assert {module.split(".")[1] for module in after} <= BELOW, (name, after)


def test_an_answers_log_probability_is_computed_in_one_place() -> None:
    """The only other softmax over the vocabulary is the logit lens, which is of no answer."""
    uses = {
        (path.name, function.name)
        for path in (*(ROOT / "vlm").rglob("*.py"), *(ROOT / "saliency").rglob("*.py"), *(ROOT / "needle").rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(node, ast.Attribute) and node.attr == "log_softmax" for node in ast.walk(function))
    }
    assert uses == {("logprobs.py", "distributions"), ("states.py", "lens")}
