"""No module of the package imports itself, even indirectly; imports in functions and for types count too."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import trc_engage

ROOT = Path(trc_engage.__file__).parent
FACES = frozenset({"trc_engage", "trc_engage.testing"})
"""Modules that load public names on demand; nothing inside the package imports them."""
LATE_MAX = 20
"""How many imports may be inside functions: those of libraries that are slow to load."""


def modules(root: Path) -> dict[str, Path]:
    """Return the files of a package by the names of their modules."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree: ast.AST, module: str, path: Path, known: Set[str]) -> Iterator[str]:
    """Yield the modules of the package that a module imports, anywhere in it."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield from (name for name in [inner if inner in known else base] if name in known)


def circles(graph: Mapping[str, Set[str]]) -> list[list[str]]:
    """Return every set of modules that reach each other, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            members = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(members) > 1 or node in graph.get(node, ()):
                found.append(sorted(members))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def graph_of(root: Path) -> dict[str, set[str]]:
    """Return which modules each module of a package imports."""
    known = modules(root)
    graph: dict[str, set[str]] = defaultdict(set)
    for module, path in known.items():
        if module not in FACES:
            graph[module] |= set(imports(ast.parse(path.read_text()), module, path, known.keys()))
    return graph


def test_no_module_needs_itself() -> None:
    """The imports of the package form no cycle."""
    assert circles(graph_of(ROOT)) == []


def test_the_finder_sees_a_circle_that_a_function_hides(tmp_path: Path) -> None:
    """A cycle of an import at the top and one in a function is found; a package may import its own modules."""
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").write_text("from .hall import door\n")
    (package / "hall.py").write_text("def door():\n    from . import cellar\n    from .cellar import stairs\n")
    (package / "cellar.py").write_text("from .hall import door\n")
    assert circles(graph_of(package)) == [["house.cellar", "house.hall"]]


def test_imports_in_functions_are_few() -> None:
    """Imports in functions are limited, since only libraries that are slow to load belong there."""
    late = {
        (path, inner.lineno)
        for path in modules(ROOT).values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    assert len(late) <= LATE_MAX
