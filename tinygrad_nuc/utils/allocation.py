"""Memory that is freed and soon needed again: kept by the process instead of being given back and asked for anew."""

import ctypes
import sys

# What mallopt calls its settings (malloc.h of glibc), and the largest threshold that it accepts on a 64-bit machine.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 * 2 ** 20
TRIM_THRESHOLD = 2 ** 30


def keep_freed_memory() -> bool:
    """Have the C library keep memory that arrays have freed, for the next arrays: training is then often faster.

    NumPy asks for new memory for every result. By default glibc, the C library of most Linux systems, fetches large
    pieces from the operating system and gives them back as soon as they are free. Each page of 4 KB that is fetched
    anew costs the time of some thousand additions: with a layer of 64 numbers and batches of 4096, more than the
    arithmetic. After this call pieces of up to 32 MB come from memory that the process has already, and up to 1 GB of
    it stays with the process while it is free.

    It applies to the whole process, every library in it and all threads, until the process ends, and it changes no
    result. What it costs: memory, once used, is not given back to the system before the process ends, or before more
    than 1 GB of it lies free at the end of the heap; and small pieces in use between large free ones may make the
    process grow further than before. So nothing calls it by itself when it is imported: `training.Trainer.fit` and the
    demos do.

    Returns
    -------
    bool
        Whether it was done. False where the C library is another one (macOS, Windows, musl), which is left as it is.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> done = tn.keep_freed_memory()
    >>> done == tn.keep_freed_memory()          # a second call changes nothing
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version") or not hasattr(library, "mallopt"):
        return False                            # musl has a mallopt too in some versions, which does nothing
    return bool(library.mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
                and library.mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD))
