"""Every annotated argument and result of ripieno's is checked while the tests run, the shapes of arrays included.

beartype checks, and jaxtyping says what an array is: within one call of a function, steps are as many wherever it says
" step". jaxtyping's own import hook does the same for every function alike and checks each twice; here what a function
costs hangs on what it says: most say nothing of arrays, and most that do say it plainly, which a few comparisons
settle. Only what these do not find right is put to jaxtyping, whose word it is. That takes half of the suite's time
away.
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
from typing import Any, Union, get_args, get_origin, get_type_hints

import jaxtyping  # from here on ripieno.shapes takes shapes for what they are
import numpy as np
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
    said = _said_by(what)
    if said.is_put_to_jaxtyping or inspect.isgeneratorfunction(what):
        return jaxtyping.jaxtyped(what, typechecker=CHECK)
    wrapper = _checked_each_time(what, said) if "<locals>" in what.__qualname__ else _checked_once(what, said.others)
    if said.plain:
        wrapper = _of_plain_arrays(wrapper, said)
    elif said.has_arrays:
        wrapper = _in_one_context(wrapper)
    functools.update_wrapper(wrapper, what)
    wrapper.is_checked = True
    return wrapper


class _Said:
    """What a function's annotations say.

    hints: all of them; those of arrays that say it plainly are `plain`, if all do, and then `others` are the others.
    """

    def __init__(self, function: types.FunctionType) -> None:
        self.name = function.__qualname__
        self.hints = _hints_of(function)
        self.signature = inspect.signature(function)
        self.is_put_to_jaxtyping = _has_expression(self.hints)
        arrays = {name: _Arrays.of(hint) for name, hint in self.hints.items() if _has_array(hint)}
        variadic = {name for name, one in self.signature.parameters.items() if one.kind in _VARIADIC}
        is_plain = all(arrays.values()) and variadic.isdisjoint(arrays)
        self.has_arrays = bool(arrays)
        self.plain = {name: one for name, one in arrays.items() if one is not None} if is_plain else {}
        self.others = {name: hint for name, hint in self.hints.items() if name not in self.plain}
        self.is_variadic = not variadic.isdisjoint(self.others)

    def put_to_jaxtyping(self, found: Any, args: Any, kwargs: Any) -> None:
        """Check the arrays that plain comparisons did not find right; `found` is what was given back, or `_OTHER`."""
        __tracebackhide__ = True
        with jaxtyping.jaxtyped("context"):
            for name, value in self.signature.bind(*args, **kwargs).arguments.items():
                if name in self.plain:
                    _check(value, self.hints[name], f"{self.name}() parameter {name} ")
            if found is not _OTHER:
                _check(found, self.hints["return"], f"{self.name}() return ")

    def asked_of(self, hints: dict[str, Any]) -> list[tuple[int, str, Any]]:
        """Place and name of each argument that hints speak of, and its hint."""
        return [(i, name, hints[name]) for i, name in enumerate(self.signature.parameters) if name in hints]


_of_code: dict[types.CodeType, _Said] = {}


def _said_by(function: types.FunctionType) -> _Said:
    """The same each time that a function within a function is defined."""
    if "<locals>" not in function.__qualname__:
        return _Said(function)
    if function.__code__ not in _of_code:
        _of_code[function.__code__] = _Said(function)
    return _of_code[function.__code__]


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


def _checked_each_time(function: types.FunctionType, said: _Said) -> Any:
    """One argument after the other when it is called, for functions within functions, which are defined often."""
    asked, hint_of_return = said.asked_of(said.others), said.others.get("return", Any)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if said.is_variadic:
            for name, value in said.signature.bind(*args, **kwargs).arguments.items():
                hint, kind = said.others.get(name, Any), said.signature.parameters[name].kind
                each = value if kind is _ARGS else value.values() if kind is _KWARGS else (value,)
                for one in each:
                    _check(one, hint, f"{name} ")
        else:
            for i, name, hint in asked:
                if i < len(args):
                    _check(args[i], hint, f"{name} ")
                elif name in kwargs:
                    _check(kwargs[name], hint, f"{name} ")
        found = function(*args, **kwargs)
        _check(found, hint_of_return, "return ")
        return found

    return wrapper


def _check(value: Any, hint: Any, what: str) -> None:
    __tracebackhide__ = True
    if hint is not Any and type(value) is not hint:
        die_if_unbearable(value, hint, conf=CONF, exception_prefix=what)


_ARGS, _KWARGS = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
_VARIADIC = frozenset({_ARGS, _KWARGS})
_Dims = list[tuple[str | int | None, bool]]  # name or length of each, or neither; whether 1 will do in its place
_OTHER = object()


class _Arrays:
    """What an annotation says of arrays, if it names lengths alone: one shape or several, and perhaps None."""

    def __init__(self, shapes: list[tuple[type, _Dims]], takes_none: bool) -> None:
        self.takes_none = takes_none
        self._shapes = shapes
        self._dtypes: list[dict[np.dtype[Any], bool]] = [{} for _ in shapes]  # those seen, and whether each will do

    @classmethod
    def of(cls, hint: Any) -> _Arrays | None:
        """None for an annotation that says it less plainly."""
        options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
        shapes = []
        for one in options:
            if one is types.NoneType:
                continue
            if not (isinstance(one, type) and issubclass(one, jaxtyping.AbstractArray)):
                return None
            if one.array_type is not np.ndarray or one.index_variadic is not None:
                return None
            dims: _Dims = []
            for word in one.dim_str.split():
                name = word.lstrip("#")
                if not name.isidentifier() and not name.isdecimal():
                    return None
                dims.append((None if name == "_" else int(name) if name.isdecimal() else name, word != name))
            shapes.append((one, dims))
        return cls(shapes, types.NoneType in options)

    def fits(self, value: Any, sizes: dict[str, int]) -> bool:
        """Whether a value is such an array for sure, given the lengths so far; takes note of its own."""
        if value is None:
            return self.takes_none
        if type(value) is not np.ndarray:
            return False
        for (hint, dims), dtypes in zip(self._shapes, self._dtypes, strict=True):
            will_do = dtypes.get(value.dtype)
            if will_do is None:  # an array of that kind and of as many dimensions, alone
                with jaxtyping.jaxtyped("context"):
                    alike = np.zeros([size if isinstance(size, int) else 1 for size, _ in dims], value.dtype)
                    will_do = dtypes[value.dtype] = isinstance(alike, hint)
            if not will_do or len(dims) != value.ndim:
                continue
            known = sizes.copy() if len(self._shapes) > 1 else sizes
            for length, (name, may_be_1) in zip(value.shape, dims, strict=True):
                if name is None or (may_be_1 and length == 1):
                    continue
                if length != (name if isinstance(name, int) else known.setdefault(name, length)):
                    break
            else:
                sizes.update(known)
                return True
        return False


def _of_plain_arrays(function: Callable[..., Any], said: _Said) -> Any:
    """Within a call, the same name of a dimension means the same length; `function` checks the other arguments."""
    asked, given_back = said.asked_of(said.plain), said.plain.get("return")

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        sizes: dict[str, int] = {}
        n_args = len(args)
        for i, name, arrays in asked:
            if i < n_args:
                value = args[i]
            elif name in kwargs:
                value = kwargs[name]
            else:
                continue
            if not arrays.fits(value, sizes):
                said.put_to_jaxtyping(_OTHER, args, kwargs)
                break
        found = function(*args, **kwargs)
        if given_back is not None and not given_back.fits(found, sizes):
            said.put_to_jaxtyping(found, args, kwargs)
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
