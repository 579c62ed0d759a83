"""The memory of a GPU, and what to say when it is full."""

import re
import sys
from typing import Any


class OutOfMemoryError(RuntimeError, MemoryError):
    """A GPU's memory is full. Nothing else has happened: whatever had been computed before is still there.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> issubclass(tn.cuda.OutOfMemoryError, MemoryError)
    True
    """


def explained(error: BaseException) -> OutOfMemoryError | None:
    """The error with which CuPy says that a GPU's memory is full, with what is held and what to do; None for another.

    Examples
    --------
    >>> explained(MemoryError("of the computer")) is None
    True
    """
    cupy = sys.modules.get("cupy")
    if not isinstance(error, MemoryError) or cupy is None or isinstance(error, OutOfMemoryError) or \
            not isinstance(error, cupy.cuda.memory.OutOfMemoryError):
        return None
    used, reserved, recorded = held(cupy)
    free, total = cupy.cuda.runtime.memGetInfo()
    asked = re.search(r"allocating ([\d,]+) bytes", str(error))
    size = written(int(asked[1].replace(",", ""))) if asked else "more"
    limit = re.search(r"limit set to: ([\d,]+) bytes", str(error))
    return OutOfMemoryError(
        f"out of memory: {size} asked for on cuda:{cupy.cuda.runtime.getDevice()}; tensors hold "
        f"{written(used)} of the {written(reserved)} that this program has reserved"
        + (f" ({written(recorded)} of these by recorded steps, as long as they are kept)" if recorded else "")
        + f", {written(free)} of {written(total)} are free"
        + (f", and a limit is set to {written(int(limit[1].replace(',', '')))}" if limit else "")
        + ". A smaller batch needs less; so does evaluating inside `with tn.no_grad():`, since no graph is kept then. "
        "`del` what is not needed any more (a loss that is kept keeps its graph: keep loss.item()); "
        "tn.cuda.empty_cache() gives what is reserved and not used back, to other programs too")


def held(cupy: Any) -> tuple[int, int, int]:
    """How many bytes of the GPU in use tensors hold, how many are reserved, and how many of these by recorded steps."""
    # Imported here, since what is recorded computes, and what computes explains errors.
    from .record import pools
    default, records = cupy.get_default_memory_pool(), list(pools())
    recorded = sum(pool.total_bytes() for pool in records)
    used = default.used_bytes() + sum(pool.used_bytes() for pool in records)
    return used, default.total_bytes() + recorded, recorded


def written(size: int) -> str:
    """A number of bytes, as people read it.

    Examples
    --------
    >>> written(1000), written(1536 * 2 ** 20)
    ('1000 bytes', '1.5 GiB')
    """
    if size < 2 ** 10:
        return f"{size} bytes"
    for unit, name in ((2 ** 30, "GiB"), (2 ** 20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 2 ** 10:.1f} KiB"
