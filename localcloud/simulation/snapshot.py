"""Copies of a whole world, so that schedules which begin alike are run alike only once.

The world is pickled. What never changes (code, frozen dataclasses) is shared between the copies instead of copied;
what pickle does not know (closures that wait for their time, locks, which nobody holds between events) is made anew.
"""

import io
import pickle
import sys
import threading
import types
from collections.abc import Iterable
from typing import Any

_shared: list[Any] = []
"""What the world that is being copied shares with its copies."""

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
        self._shares = tuple(pickler.shared)

    def copy(self) -> Any:
        """Return a world that goes on from there."""
        _shared[:] = self._shares
        try:
            return pickle.loads(self._form)
        finally:
            _shared.clear()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, copied: Iterable[type]) -> None:
        super().__init__(file, protocol=5)
        self._shares: dict[type, bool] = {types.CodeType: True, **dict.fromkeys(copied, False)}
        self.shared: list[Any] = []

    def reducer_override(self, value: Any) -> Any:
        # Not `persistent_id`, which would be asked about every number and string as well.
        kind = type(value)
        shares = self._shares.get(kind)
        if shares is None:
            shares = self._shares[kind] = _is_frozen(kind)
        if shares:
            self.shared.append(value)
            return _share, (len(self.shared) - 1,)
        if kind is types.FunctionType and "<" in value.__qualname__:
            return _function, (value.__code__, value.__module__, value.__defaults__, value.__closure__)
        if kind is types.CellType:
            return _cell, (), value.cell_contents, None, None, _fill
        return (_LOCKS[kind], ()) if kind in _LOCKS else NotImplemented


def _is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def _share(number: int) -> Any:
    return _shared[number]


def _function(code: types.CodeType, module: str, defaults: Any, closure: Any) -> types.FunctionType:
    return types.FunctionType(code, sys.modules[module].__dict__, code.co_name, defaults, closure)


def _cell() -> types.CellType:
    return types.CellType()


def _fill(cell: types.CellType, contents: Any) -> None:
    cell.cell_contents = contents
