"""Takes out of the source, one by one, the calls that cover something: what a scene says then must tell.

A call is found by the name of what it calls, so that a new one is among them by itself.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Collection, Iterable
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def places(folders: Iterable[str], names: Collection[str]) -> list[str]:
    """Each call of one of the names below these folders, as `module:function or method:number`."""
    found = []
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, function in _functions(ast.parse(path.read_text("utf-8"))):
            found += [f"{module}:{name}:{number}" for number, _ in enumerate(_calls(function, names))]
    return found


def taken_away(monkeypatch: pytest.MonkeyPatch, place: str, names: Collection[str]) -> None:
    """The function without that call, which becomes what it was given, in place of itself."""
    name, qualified, number = place.split(":")
    module = importlib.import_module(name)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    call = _calls(dict(_functions(tree))[qualified], names)[int(number)]
    code = compile(ast.fix_missing_locations(_Without(call).visit(tree)), module.__file__, "exec")
    function: Any = module
    for part in qualified.split("."):
        function = inspect.getattr_static(function, part)
    monkeypatch.setattr(inspect.unwrap(function), "__code__", _code_of(code, qualified))


def _functions(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Functions and methods by their qualified names; what is inside of one belongs to it."""
    found: list[tuple[str, ast.AST]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.append((node.name, node))
        elif isinstance(node, ast.ClassDef):
            found += [(f"{node.name}.{part.name}", part) for part in node.body if isinstance(part, ast.FunctionDef)]
    return found


def _calls(function: ast.AST, names: Collection[str]) -> list[ast.Call]:
    def name(call: ast.Call) -> str:
        return getattr(call.func, "attr", getattr(call.func, "id", ""))

    return [node for node in ast.walk(function) if isinstance(node, ast.Call) and name(node) in names]


class _Without(ast.NodeTransformer):
    """The tree with one call replaced by what it was given."""

    def __init__(self, call: ast.Call) -> None:
        self._call = call

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self.visit(node.args[0]) if node is self._call else self.generic_visit(node)


def _code_of(code: CodeType, qualified: str) -> CodeType:
    for part in qualified.split("."):
        code = next(one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == part)
    return code
