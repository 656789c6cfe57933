"""What a result depends on, told by the text of the program that computed it.

A result that is kept may be used again if the code that gave it is what it was. Which code that is, imports say: of the
module of a function those definitions that the function needs, and every module that these import, and so on, as far
as they are ours. Comments, docstrings, annotations of arguments and layout have no say, nor has what only prints a
table; any other change makes the results anew. Another version of Python may read the same text as another tree, and
computes anew too.

What is not seen: modules that are imported by a name in a string, versions of libraries, and data. Models have a digest
of their own.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

OWN = "ripieno"


@cache
def code_digest(function: Callable[..., Any]) -> str:
    """A digest of all of our code that a function of a module may run.

    Args:
        function: defined at the top level of a module of this package, or of another source tree that uses it.

    Raises:
        OSError: the source of a module cannot be read.
    """
    module = sys.modules[function.__module__]
    name = module.__spec__.name if module.__spec__ is not None else function.__module__
    program = _Program({OWN: _root_of(OWN), name.partition(".")[0]: _root_of(name.partition(".")[0])})
    parts, imported = _needed(program.tree(name), function.__name__, program)
    seen = set(imported)
    waiting = list(imported)
    while waiting:
        tree = program.tree(waiting[-1])
        parts[waiting.pop()] = ast.dump(tree)
        fresh = program.imports(tree) - seen
        seen |= fresh
        waiting += fresh
    told = "\n".join(f"{part}: {parts[part]}" for part in sorted(parts))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _root_of(package: str) -> Path:
    """The folder that a top-level package, or module, lies in."""
    file = sys.modules[package].__file__ if package in sys.modules else None
    if file is None:  # a folder without an `__init__`
        file = f"{next(iter(sys.modules[package].__path__))}/__init__.py"
    path = Path(file)
    return path.parent.parent if path.name == "__init__.py" else path.parent


def _needed(tree: ast.Module, name: str, program: _Program) -> tuple[dict[str, str], set[str]]:
    """The definitions of a module that one of them needs, itself among them, and the modules that these import."""
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, set[str]] = {}
    waiting = [name]
    always: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            definitions[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            definitions |= dict.fromkeys(names, statement)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                own = program.modules_of(statement, alias)
                imports[(alias.asname or alias.name).partition(".")[0]] = own
        else:
            always.append(statement)  # it may do anything
    parts = {f"statement {number}": ast.dump(statement) for number, statement in enumerate(always)}
    modules: set[str] = set()
    met: set[str] = set()

    def meet(node: ast.stmt) -> None:
        modules.update(program.imports(node))
        waiting.extend(sub.id for sub in ast.walk(node) if isinstance(sub, ast.Name))

    for statement in always:
        meet(statement)
    while waiting:
        one = waiting.pop()
        if one in met:
            continue
        met.add(one)
        modules |= imports.get(one, set())
        if one in definitions:
            parts[f"definition {one}"] = ast.dump(definitions[one])
            meet(definitions[one])
    return parts, modules


class _Program:
    """Source files by the names of their modules."""

    def __init__(self, roots: dict[str, Path]) -> None:
        self.roots = roots

    def file(self, module: str) -> Path | None:
        """Where a module lies; None for what is not ours."""
        root = self.roots.get(module.partition(".")[0])
        if root is None:
            return None
        path = root.joinpath(*module.split("."))
        return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)

    def tree(self, module: str) -> ast.Module:
        """What a module says, without what has no say in what it does."""
        file = self.file(module)
        if file is None:
            raise FileNotFoundError(f"the source of {module} is not there, so what it computed cannot be kept")
        return _tree(file)

    def imports(self, tree: ast.AST) -> set[str]:
        """Our modules that anything in a tree imports."""
        found: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    found |= self.modules_of(node, alias)
        return found

    def modules_of(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> set[str]:
        """Our modules that one name of an import stands for."""
        if isinstance(node, ast.Import):
            names: Iterator[str] = iter([alias.name])
        else:
            names = iter([f"{node.module}.{alias.name}", node.module or ""])
        return {name for name in names if self.file(name) is not None}


@cache
def _tree(file: Path) -> ast.Module:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree
