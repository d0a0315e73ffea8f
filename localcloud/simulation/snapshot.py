"""Copies of a whole world, so that schedules which begin alike are run alike only once.

The world is pickled. What never changes (code, frozen dataclasses) is shared between the copies instead of copied, and
what pickle does not know (closures that wait for their time, locks, which nobody holds between two events) is made anew.
"""

import io
import pickle
import sys
import threading
import types
from collections.abc import Iterable
from typing import Any

_LOCKS = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}


class Snapshot:
    """The world as it was, of which any number of copies can be made in this process.

    Parameters
    ----------
    world
        What to copy.
    copied
        Frozen dataclasses that hold what changes.
    """

    def __init__(self, world: Any, copied: Iterable[type] = ()) -> None:
        file = io.BytesIO()
        pickler = _Pickler(file, copied)
        pickler.dump(world)
        self._form = file.getvalue()
        self._shared = pickler.shared

    def copy(self) -> Any:
        """Return a world that goes on from there."""
        return _Unpickler(io.BytesIO(self._form), self._shared).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, copied: Iterable[type]) -> None:
        super().__init__(file, protocol=5)
        self._shares: dict[type, bool] = {types.CodeType: True, **dict.fromkeys(copied, False)}
        self._numbers: dict[int, int] = {}
        self.shared: list[Any] = []

    def persistent_id(self, value: Any) -> int | None:
        kind = type(value)
        shares = self._shares.get(kind)
        if shares is None:
            shares = self._shares[kind] = _is_frozen(kind)
        if not shares:
            return None
        number = self._numbers.setdefault(id(value), len(self.shared))
        if number == len(self.shared):
            self.shared.append(value)
        return number

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind is types.FunctionType and "<" in value.__qualname__:
            return _function, (value.__code__, value.__module__, value.__defaults__, value.__closure__)
        if kind is types.CellType:
            return _cell, (), value.cell_contents, None, None, _fill
        return (_LOCKS[kind], ()) if kind in _LOCKS else NotImplemented


def _is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: list[Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: Any) -> Any:
        return self._shared[pid]


def _function(code: types.CodeType, module: str, defaults: Any, closure: Any) -> types.FunctionType:
    return types.FunctionType(code, sys.modules[module].__dict__, code.co_name, defaults, closure)


def _cell() -> types.CellType:
    return types.CellType()


def _fill(cell: types.CellType, contents: Any) -> None:
    cell.cell_contents = contents
