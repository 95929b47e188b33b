"""Run as a module in `tests`, it writes `awaited.pyi`, the methods of `AsyncEngage`, from those of `Engage`."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import trc_engage

PACKAGE = Path(trc_engage.__file__).parent
FACE = PACKAGE / "awaited.pyi"
BEGIN = '''"""The methods of `AsyncEngage`; written by `python -m support.faces` in `tests`, and not by hand."""
'''
END = """
    _engage: Engage

    def __init__(self, engage: Engage) -> None: ...
    async def _run(self, call: Callable[[], Any]) -> Any: ...
"""
HERE = {"on"}
"""What is no coroutine."""


def methods(tree: ast.Module, name: str) -> Iterator[ast.FunctionDef]:
    """Yield the public methods of a class."""
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in found.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in HERE:
            yield node


def imports(tree: ast.Module, used: set[str]) -> Iterator[str]:
    """Yield the import of each name that is used."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                if one.name in used and one.asname is None:
                    yield f"from {'.' * node.level}{node.module} import {one.name}"


def face() -> str:
    """Return the text of the stub."""
    trees = [ast.parse((PACKAGE / f"{name}.py").read_text()) for name in ("reader", "engage")]
    found = [method for tree, name in zip(trees, ("Reader", "Engage"), strict=True) for method in methods(tree, name)]
    lines = []
    for method in found:
        method.args.defaults = [_shortened(one) for one in method.args.defaults]
        method.args.kw_defaults = [one and _shortened(one) for one in method.args.kw_defaults]
        assert method.returns is not None
        lines.append(f"    async def {method.name}({ast.unparse(method.args)}) -> {ast.unparse(method.returns)}:")
        lines.append(f'        """{ast.get_docstring(method, clean=False)}"""')
    parts = [part for method in found for part in (method.args, method.returns) if part is not None]
    used = {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}
    needed = sorted({line for tree in trees for line in imports(tree, used)})
    more = ["from collections.abc import Callable", "from typing import Any", "from .engage import Engage"]
    return "\n".join([BEGIN, *more, *needed, "", "class Awaited:", END, *lines, ""])


def _shortened(default: ast.expr) -> ast.expr:
    """Leave out what a name stands for."""
    return default if isinstance(default, ast.Constant) else ast.Constant(...)


if __name__ == "__main__":
    FACE.write_text(face())
    for step in (["format"], ["check", "--fix"], ["format"]):
        subprocess.run(["ruff", *step, "--quiet", FACE], check=True)
