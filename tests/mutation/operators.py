"""What is changed in the text of a module: one small thing in each mutant, as someone might by mistake."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Pow: ast.Mult,
}
NAMED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "reversed": "list"}
SQL = {
    r"\bAND\b": "OR",
    r"<>": "=",
    r"(?<![<>])=(?=\s*(excluded|moves|\?|:|'))": "<>",
    r"\+": "-",
    r"\bIS NOT NULL\b": "IS NULL",
    r"\bNOT EXISTS\b": "EXISTS",
    r"\bWHERE (?!true)": "WHERE true OR ",
    r"ON CONFLICT DO NOTHING": "",
    r"\bORDER BY \w+": "",
    r"(?<= )>(?= )": ">=",
    r"\b1\b": "2",
    r"\b0\b": "1",
    r"\bmax\(": "min(",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
SHOWN_MAX = 90


@frozen
class Mutant:
    """One change: its file and function, what it is, and the lines it affects."""

    file: str
    function: str
    """The outermost function or method around it; empty for a value of the module."""
    change: str
    lines: range
    made: Callable[[], ast.Module] | None = None
    """Makes the module with the change."""
    value: tuple[str, str] | None = None
    """For a changed value instead: the name of a value of the module, and the other value."""

    @property
    def key(self) -> str:
        """Its name in the list of survivors, without a line number because code moves."""
        return f"{self.file} | {self.function or 'module'} | {self.change}"


def mutants_of(path: Path, name: str) -> Iterator[Mutant]:
    """Yield every mutant of the functions of a file, with numbers that keep their names unique."""
    tree, told = ast.parse(path.read_text()), Counter[str]()
    for function, qualname in _functions(tree, ""):
        for node, lines, field, index, new, change in _changes(function):
            told[f"{qualname} {change}"] += 1
            number = told[f"{qualname} {change}"]
            made = partial(_replaced, tree, node, field, index, new)
            yield Mutant(name, qualname, change if number == 1 else f"{change} ({number})", lines, made)


def statements_of(values: dict[str, Any], name: str) -> Iterator[Mutant]:
    """Yield every mutant of the SQL in a module's values, except for fragments that only end other statements."""
    for constant, value in values.items():
        is_sql = isinstance(value, str) and constant.isupper() and not value.startswith("ON ")
        if is_sql and re.search(r"\b(SELECT|INSERT|UPDATE|DELETE)\b", value):
            for pattern, other in SQL.items():
                for number, found in enumerate(re.finditer(pattern, value), 1):
                    made = value[: found.start()] + other + value[found.end() :]
                    shown = " ".join(value[max(found.start() - 20, 0) : found.end() + 20].split())
                    change = f"{found[0].strip()} -> {other.strip() or 'nothing'} ({number}) in {shown}"
                    yield Mutant(name, "", f"{constant}: {change}", range(0), value=(constant, made))


def _functions(tree: ast.AST, within: str) -> Iterator[tuple[Function, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield node, within + node.name
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{within}{node.name}.")
        elif isinstance(node, ast.If):
            yield from _functions(node, within)


Part = tuple[str, int | None, Any, str]
"""The field (empty for the node itself) and its index, its new value, and the change in words."""


def _changes(function: Function) -> Iterator[tuple[Any, range, *Part]]:
    skipped = {id(one) for part in ast.walk(function) for one in _left_alone(part)}
    stack: list[tuple[Any, range]] = [(one, range(0)) for one in reversed(function.body)]
    while stack:
        node, lines = stack.pop()
        if id(node) in skipped:
            continue
        if hasattr(node, "lineno"):
            header: Any = node.test if isinstance(node, ast.If | ast.While) else node
            lines = range(node.lineno, header.end_lineno + 1)
        for part in _of_statement(node) if isinstance(node, ast.stmt) else _of_expression(node):
            yield node, lines, *part
        stack += reversed([(one, lines) for one in ast.iter_child_nodes(node)])


def _left_alone(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is meant for readers: docstrings, annotations, the texts of messages."""
    if isinstance(node, Function | ast.ClassDef) and node.body and ast.get_docstring(node) is not None:
        yield node.body[0]
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
        yield node.annotation
    if isinstance(node, Function):
        yield from [node.returns] if node.returns else []
        yield from node.decorator_list
    if isinstance(node, ast.JoinedStr):
        yield from (one for one in node.values if isinstance(one, ast.Constant))


def _of_statement(node: ast.stmt) -> Iterator[Part]:
    if isinstance(node, ast.If | ast.While):
        yield "test", None, ast.UnaryOp(ast.Not(), node.test), f"if not ({_shown(node.test)})"
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "value", None, ast.Constant(None), f"return None, not {_shown(node.value)}"
    elif isinstance(node, ast.Assign) and not _is_none(node.value):
        yield "value", None, ast.Constant(None), f"{_shown(node.targets[0])} = None, not {_shown(node.value)}"
    elif isinstance(node, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Break | ast.Delete):
        yield "", None, ast.Pass(), f"without {_shown(node)}"
    if isinstance(node, ast.AugAssign) and (other := RECKONED.get(type(node.op))):
        yield "op", None, other(), f"{_shown(node)} by {other.__name__}"


def _of_expression(node: Any) -> Iterator[Part]:
    return OF_KINDS.get(type(node), lambda _: iter(()))(node)


def _of_compare(node: ast.Compare) -> Iterator[Part]:
    for number, op in enumerate(node.ops):
        changed = deepcopy(node)
        changed.ops[number] = COMPARED[type(op)]()
        yield "", None, changed, f"{_shown(node)} -> {_shown(changed)}"


def _of_bool(node: ast.BoolOp) -> Iterator[Part]:
    changed = deepcopy(node)
    changed.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    yield "", None, changed, f"{_shown(node)} -> {type(changed.op).__name__.lower()}"


def _of_reckoning(node: ast.BinOp) -> Iterator[Part]:
    if other := RECKONED.get(type(node.op)):
        changed = deepcopy(node)
        changed.op = other()
        yield "", None, changed, f"{_shown(node)} -> {other.__name__}"


def _of_unary(node: ast.UnaryOp) -> Iterator[Part]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield "", None, node.operand, f"{_shown(node)} -> {_shown(node.operand)}"


def _of_choice(node: ast.IfExp) -> Iterator[Part]:
    for arm in (node.body, node.orelse):
        yield "", None, arm, f"{_shown(node)} -> always {_shown(arm)}"


def _of_constant(node: ast.Constant) -> Iterator[Part]:
    if (other := _other(node.value)) is not None:
        yield "", None, ast.Constant(other), f"{node.value!r:.40} -> {other!r:.40}"


def _of_comprehension(node: ast.comprehension) -> Iterator[Part]:
    for number, test in enumerate(node.ifs):
        yield "ifs", number, ast.Constant(True), f"without the condition {_shown(test)}"  # noqa: FBT003


def _of_slice(node: ast.Slice) -> Iterator[Part]:
    for field in ("lower", "upper"):
        if getattr(node, field) is not None:
            yield field, None, None, f"[{_shown(node)}] without {_shown(getattr(node, field))}"


def _of_call(node: ast.Call) -> Iterator[Part]:
    if isinstance(node.func, ast.Name) and (other := NAMED.get(node.func.id)):
        changed = deepcopy(node)
        changed.func = ast.Name(other, ast.Load())
        if other == "list":
            changed.keywords = []
        yield "", None, changed, f"{_shown(node)} -> {other}"
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            changed = deepcopy(node)
            del changed.keywords[number]
            yield "", None, changed, f"{_shown(node.func)}(...) without {keyword.arg}={_shown(keyword.value)}"


def _other(value: object) -> bool | int | str | None:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and " " not in value:
        return f"XX{value}"
    return None


OF_KINDS: dict[type[Any], Callable[[Any], Iterator[Part]]] = {
    ast.Compare: _of_compare,
    ast.BoolOp: _of_bool,
    ast.BinOp: _of_reckoning,
    ast.UnaryOp: _of_unary,
    ast.IfExp: _of_choice,
    ast.Constant: _of_constant,
    ast.comprehension: _of_comprehension,
    ast.Call: _of_call,
    ast.Slice: _of_slice,
}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 3]}..."


def _replaced(tree: ast.Module, node: Any, field: str, index: int | None, new: Any) -> ast.Module:
    """Return a copy of the tree with one node, or one of its fields, replaced."""
    memo: dict[int, Any] = {}
    if not field:
        memo[id(node)] = ast.copy_location(new, node)
    made: ast.Module = deepcopy(tree, memo)
    if field:
        copied = memo[id(node)]
        value = None if new is None else ast.copy_location(new, node)
        if index is None:
            setattr(copied, field, value)
        else:
            getattr(copied, field)[index] = value
    return ast.fix_missing_locations(made)
