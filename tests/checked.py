"""Every annotated argument and result of ripieno's is checked while the tests run, the shapes of arrays included.

beartype checks, and jaxtyping says what an array is: within one call of a function, steps are as many wherever it says
" step". jaxtyping's own import hook does the same for every function alike and checks each twice; here what a function
costs hangs on what it says, and most say nothing of arrays. That takes half of the suite's time away.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any, get_args, get_type_hints

import jaxtyping  # from here on ripieno.shapes takes shapes for what they are
from beartype import BeartypeConf, beartype
from beartype.door import die_if_unbearable

# a whole number will do where a float is asked for, as type checkers have it
CONF = BeartypeConf(is_pep484_tower=True)
CHECK: Callable[[Any], Any] = beartype(conf=CONF)
NAME = "_checked_"  # what the decorator is called in the modules that it is put into


def checked(what: Any) -> Any:
    """A function that checks what it is given and what it gives back; a dataclass that checks what it is made of."""
    if isinstance(what, type):
        made = vars(what).get("__init__")
        if is_dataclass(what) and made is not None and not hasattr(made, "is_checked"):
            setattr(what, "__init__", checked(made))  # noqa: B010  # as an assignment it looks like a slip
        return what
    hints = _hints_of(what)
    if _has_expression(hints) or inspect.isgeneratorfunction(what):
        return jaxtyping.jaxtyped(what, typechecker=CHECK)
    has_arrays = any(map(_has_array, hints.values()))
    wrapper = _checked_each_time(what, hints) if "<locals>" in what.__qualname__ else _checked_once(what, hints)
    if has_arrays:
        wrapper = _in_one_context(wrapper)
    functools.update_wrapper(wrapper, what)
    wrapper.is_checked = True
    return wrapper


def _hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function's annotations mean; what cannot be known yet may be anything."""
    hints = {}
    for name, said in function.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={name: said})
        try:
            hints |= get_type_hints(one, function.__globals__, include_extras=True)
        except NameError:
            hints[name] = Any
    return hints


def _has_array(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, jaxtyping.AbstractArray):
        return True
    return any(map(_has_array, hint if isinstance(hint, list) else get_args(hint)))


def _has_expression(hints: dict[str, Any]) -> bool:
    """Whether the length of an array is said by the value of an argument: "{n_steps}"."""
    return any("{" in getattr(hint, "dim_str", "") for hint in hints.values())


def _checked_once(function: types.FunctionType, hints: dict[str, Any]) -> Any:
    """As beartype does it: it writes the checks when the function is defined."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__annotations__ = hints
    copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
    return CHECK(copy)


def _checked_each_time(function: types.FunctionType, hints: dict[str, Any]) -> Any:
    """One argument after the other when it is called, for functions within functions, which are defined often."""
    signature = inspect.signature(function)
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL and name in hints:
            hints[name] = tuple.__class_getitem__((hints[name], ...))
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD and name in hints:
            hints[name] = dict.__class_getitem__((str, hints[name]))

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            die_if_unbearable(value, hints.get(name, Any), conf=CONF)
        found = function(*args, **kwargs)
        die_if_unbearable(found, hints.get("return", Any), conf=CONF)
        return found

    return wrapper


def _in_one_context(function: Callable[..., Any]) -> Any:
    """Within a call, the same name of a dimension means the same length."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with jaxtyping.jaxtyped("context"):
            return function(*args, **kwargs)

    return wrapper


class _Decorate(ast.NodeTransformer):
    """Puts the decorator nearest to every function, and furthest from every class, which is a dataclass by then."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list.append(ast.copy_location(ast.Name(NAME, ast.Load()), node))
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.decorator_list.insert(0, ast.copy_location(ast.Name(NAME, ast.Load()), node))
        self.generic_visit(node)
        return node


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> types.CodeType:
        """Compiled anew each time: what is kept in __pycache__ is the program as it is."""
        path = self.get_filename(fullname)
        tree = _Decorate().visit(ast.parse(self.get_data(path), path))
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: types.ModuleType) -> None:
        setattr(module, NAME, checked)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.split(".")[0] != "ripieno":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    """Check all of ripieno that is imported from here on."""
    sys.meta_path.insert(0, _Finder())
