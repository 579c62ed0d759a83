"""Arrays that are read-only for as long as a recorded operation needs them (debug mode)."""

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np


class Locks:
    """Which arrays are locked, for how many results; an array is unlocked when the last of them lets go."""

    def __init__(self) -> None:
        self.held: dict[int, list] = {}                     # id(array) → [array, how many results need it]
        self.users: dict[int, weakref.finalize] = {}
        self.waiting: dict[int, list] = {}                  # id(locked array) → views to unlock after it ...
        self.views: Any = weakref.WeakValueDictionary()     # ... and all these by their id

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
        """Lock one array; False if it is read-only for a reason that is not ours, or could not be unlocked again."""
        if id(array) in self.held:
            self.held[id(array)][1] += 1
            return True
        if not array.flags.writeable and id(array) not in self.views:
            return False
        if not bases(array)[-1].flags.owndata:              # memory that is not NumPy's, of a file or another library
            return False
        array.flags.writeable = False
        self.held[id(array)] = [array, 1]
        return True

    def welcome(self, view: Any) -> None:
        """A new view of a locked array was made read-only by NumPy; it is to be unlocked with what it looks into."""
        if isinstance(view, np.ndarray) and not view.flags.writeable and shows_each_value_once(view):
            locked = self.locked_base(view)
            if locked is not None:
                self.wait(view, locked)

    def wait(self, view: np.ndarray, locked: np.ndarray) -> None:
        """Unlock the view with what it looks into."""
        self.views[id(view)] = view
        self.waiting.setdefault(id(locked), []).append(weakref.ref(view))

    def locked_base(self, array: np.ndarray) -> np.ndarray | None:
        """What the array looks into, if we locked that."""
        return next((base for base in bases(array)[1:] if id(base) in self.held), None)

    def drop(self, key: int, arrays: list[np.ndarray]) -> None:
        """One user less for these arrays."""
        del self.users[key]
        for array in sorted(arrays, key=lambda a: a.base is not None):      # owners before views
            entry = self.held[id(array)]
            entry[1] -= 1
            if entry[1] == 0:
                del self.held[id(array)]
                self.unlock(array)
                for reference in self.waiting.pop(id(array), []):
                    view = reference()
                    if view is not None and id(view) not in self.held:
                        self.unlock(view)

    def unlock(self, array: np.ndarray) -> None:
        """Make it writable now, or as soon as what it looks into is."""
        locked = self.locked_base(array)
        if locked is not None:
            self.wait(array, locked)
        else:
            self.views.pop(id(array), None)
            array.flags.writeable = True

    @contextlib.contextmanager
    def lifted(self, arrays: list) -> Iterator[None]:
        """Inside the block these arrays may be written to: an update that goes through the engine is not raw."""
        opened = []
        for array in arrays:
            for part in reversed(bases(array)) if isinstance(array, np.ndarray) else ():      # owners before views
                if not part.flags.writeable and (id(part) in self.held or id(part) in self.views):
                    part.flags.writeable = True
                    opened.append(part)
        try:
            yield
        finally:
            for part in opened:
                part.flags.writeable = False


def bases(array: np.ndarray) -> list[np.ndarray]:
    """The array, what it looks into, what that looks into, ... to the one that owns the memory."""
    chain = [array]
    while isinstance(chain[-1].base, np.ndarray):
        chain.append(chain[-1].base)
    return chain


def shows_each_value_once(view: np.ndarray) -> bool:
    """False for views such as those of broadcast_to, where a write would change several elements at once."""
    reach = 0                                               # how far the shorter strides go
    for stride, n in sorted((abs(stride), n) for stride, n in zip(view.strides, view.shape, strict=True) if n > 1):
        if stride <= reach:
            return False
        reach += stride * (n - 1)
    return True
