"""What a visitor sees: the face of a room, whose names are imported when asked for, and the short form of parameters.

A room is a folder with an `__init__.py`. Its public names stand there as ordinary imports under `if TYPE_CHECKING:`, so
that editors and type checkers know them, in `__all__`, and below them is one line, `lazy(__name__)`.
"""

import sys
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

SIMPLE = (bool, int, float, str, tuple, dict)  # values that can be compared without looking into tensors


class Face(ModuleType):
    """A package that hands on names of its modules; `import` costs nothing until a name is used."""

    __all__: list[str]

    @cached_property
    def _homes(self) -> dict[str, str]:
        """The module that each name is imported from, as the imports under TYPE_CHECKING say."""
        import ast  # 30 ms, which a plain `import workbench` does not pay

        tree = ast.parse(Path(str(self.__file__)).read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        return {alias.name: str(node.module) for node in imports for alias in node.names}

    def __getattr__(self, name: str) -> object:
        if name not in self.__dict__.get("__all__", ()):
            message = f"{self.__name__} has no {name!r}; dir({self.__name__}) lists what it has"
            raise AttributeError(message, name=name, obj=self)
        home = self._homes[name]
        value = import_module(f"{home}.{name}") if home == self.__name__ else getattr(import_module(home), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # Python puts each module into its package when it is loaded: `audit/audit.py` must not hide its function audit.
        if name not in self.__all__ or value is not sys.modules.get(f"{self.__name__}.{name}"):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__all__})


def lazy(package: str) -> None:
    """Make the package a face: call it last in `__init__.py`, with `__name__`."""
    sys.modules[package].__class__ = Face


def short_repr(self: Any) -> str:
    """The `__repr__` of a NamedTuple of parameters: only what differs from the defaults, functions by their name.

    `Neuron(decay=0.8)`, and `Neuron()` where nothing differs, so that the signatures of functions stay readable.
    """
    defaults = self._field_defaults
    fields = zip(self._fields, self, strict=True)
    shown = [f"{name}={in_short(value)}" for name, value in fields if not _is_default(name, value, defaults)]
    return f"{type(self).__name__}({', '.join(shown)})"


def _is_default(name: str, value: object, defaults: dict[str, object]) -> bool:
    default = defaults.get(name, ...)
    return value is default or (type(value) is type(default) and isinstance(value, SIMPLE) and value == default)


def in_short(value: object) -> str:
    """A function by its name, with what is given to it; anything else as it shows itself."""
    if isinstance(value, partial):
        given = [*map(in_short, value.args), *(f"{name}={in_short(each)}" for name, each in value.keywords.items())]
        return f"partial({', '.join([in_short(value.func), *given])})"
    return getattr(value, "__name__", None) or repr(value)
