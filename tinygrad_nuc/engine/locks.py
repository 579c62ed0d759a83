"""Arrays that are read-only for as long as a recorded operation needs them (debug mode)."""

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np


class Locks:
    """Which arrays are locked, for how many results; an array is unlocked when the last of them lets go."""

    def __init__(self) -> None:
        self.held: dict[int, list] = {}         # id(array) → [array, how many results need it]
        self.users: dict[int, weakref.finalize] = {}
        self.waiting: list[np.ndarray] = []     # views to unlock as soon as the array they look into is

    def lock(self, user: Any, arrays: list) -> None:
        """Lock the arrays until `release(user)`, or until nobody knows `user` any more."""
        arrays = [array for array in arrays if isinstance(array, np.ndarray) and self.take(array)]
        key = id(user)
        self.users[key] = weakref.finalize(user, self.drop, key, arrays)
        self.users[key].atexit = False

    def release(self, user: Any) -> None:
        """What `user` needed may be written to again, unless somebody else needs it too."""
        finalizer = self.users.get(id(user))
        if finalizer is not None:
            finalizer()

    def release_all(self) -> None:
        """Unlock everything."""
        for finalizer in list(self.users.values()):
            finalizer()

    def take(self, array: np.ndarray) -> bool:
        """Lock one array; False if it was read-only already, for a reason that is not ours."""
        if id(array) in self.held:
            self.held[id(array)][1] += 1
            return True
        if not array.flags.writeable and not self.looks_into_locked(array):
            return False
        array.flags.writeable = False
        self.held[id(array)] = [array, 1]
        return True

    def looks_into_locked(self, array: np.ndarray) -> bool:
        """Whether this is a view of an array that we locked."""
        base = array.base
        while base is not None:
            if id(base) in self.held:
                return True
            base = getattr(base, "base", None)
        return False

    @contextlib.contextmanager
    def lifted(self, arrays: list) -> Iterator[None]:
        """Inside the block these arrays may be written to: an update that goes through the engine is not raw."""
        opened = []
        for array in arrays:
            chain = [array]
            while isinstance(getattr(chain[-1], "base", None), np.ndarray):
                chain.append(chain[-1].base)
            for part in reversed(chain):        # owners before views
                if isinstance(part, np.ndarray) and (id(part) in self.held or self.looks_into_locked(part)):
                    part.flags.writeable = True
                    opened.append(part)
        try:
            yield
        finally:
            for part in opened:
                part.flags.writeable = False

    def drop(self, key: int, arrays: list[np.ndarray]) -> None:
        """One user less for these arrays."""
        del self.users[key]
        for array in arrays:
            entry = self.held[id(array)]
            entry[1] -= 1
            if entry[1] == 0:
                del self.held[id(array)]
                self.waiting.append(array)
        still_waiting = []
        for array in sorted(self.waiting, key=lambda a: a.base is not None):        # owners before views
            if id(array) in self.held:
                continue                        # locked again in the meantime
            try:
                array.flags.writeable = True
            except ValueError:                  # a view, and what it looks into is still locked
                still_waiting.append(array)
        self.waiting = still_waiting
