"""Device memory: blocks that pools hand out, take back and count, as CuPy's do."""

import sys
import weakref

import device_guard
import numpy as np

ROUND = 512                                     # pools hand out multiples of this


class OutOfMemoryError(MemoryError):
    """cupy.cuda.memory.OutOfMemoryError, with its text."""

    def __init__(self, size, total, limit=0):
        limited = f", limit set to: {limit:,} bytes" if limit else ""
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes{limited}).")


class Block:
    """Bytes of a pool, counted only: the values are in NumPy's memory.

    Attributes
    ----------
    capture : Capture
        During which it was handed out, or None.
    host, bounds : numpy.ndarray, tuple of int
        Where the values are, as long as it is in use.
    gone : bool
        Whether the pool was emptied and no longer has it.
    heir : Block
        Who got the same bytes after it was given back.
    """

    def __init__(self, pool, size, device, capture):
        self.pool, self.size, self.device, self.capture = pool, size, device, capture
        self.in_use, self.gone, self.heir, self.host = True, False, None, None

    def contains(self, address, size):
        """Whether these bytes are among its own."""
        start, end = self.bounds
        return start <= address and address + size <= end


class Memory:
    """What the arrays that share a block hold on to; with the last of them it goes back to its pool."""

    __slots__ = ("block", "device", "__weakref__")

    def __init__(self, block, host):
        self.block, self.device = block, block.device
        block.host, block.bounds = host, np.lib.array_utils.byte_bounds(host)
        weakref.finalize(self, block.pool._give_back, block).atexit = False


class DeviceMemory:
    """cupy.cuda.Memory: bytes straight from the device, or the error of cudaMalloc."""

    def __init__(self, size):
        from .graphs import CUDARuntimeError
        try:
            running().reserve(size, running().current)
        except OutOfMemoryError as error:
            raise CUDARuntimeError("cudaErrorMemoryAllocation: out of memory") from error


class MemoryPool:
    """Counts as CuPy's: what arrays use, and what was ever taken from the device and not given back to it.

    `malloc` is what `using_allocator` gets; here it returns a `Block`. When the device has no more, the pool gives back
    what it has free and asks again, unless its own `allocator` ends that with a MemoryError.
    """

    def __init__(self, allocator=None, machine=None):
        self.allocator = allocator
        self.free = {}                          # (device, size) -> blocks that may be handed out again
        self.used, self.total = {}, {}          # device -> bytes
        self.blocks = set()                     # that are in use
        (machine or running()).pools.add(self)

    def malloc(self, size):
        machine = running()
        device, capture = machine.current, machine.capture
        size = -(-size // ROUND) * ROUND
        waiting = self.free.get((device, size))
        if waiting:
            before = waiting.pop()
            block = before.heir = Block(self, size, device, capture)
        else:
            self.take(size, device)
            self.total[device] = self.total.get(device, 0) + size
            block = Block(self, size, device, capture)
        self.blocks.add(block)
        self.used[device] = self.used.get(device, 0) + size
        return block

    def take(self, size, device):
        """New bytes of the device."""
        if self.allocator is not None:
            self.allocator(size)                # takes them by DeviceMemory
            return
        try:
            running().reserve(size, device)
        except OutOfMemoryError:
            self.free_all_blocks()
            running().reserve(size, device)

    def _give_back(self, block):
        block.in_use, block.host = False, None
        self.blocks.discard(block)
        self.used[block.device] -= block.size
        self.free.setdefault((block.device, block.size), []).append(block)

    def free_all_blocks(self, stream=None):
        device = running().current
        for key in [key for key in self.free if key[0] == device]:
            for block in self.free.pop(key):
                block.gone = True
                self.total[device] -= block.size
                running().reserved[device] -= block.size

    def used_bytes(self): return self._of_current(self.used)
    def total_bytes(self): return self._of_current(self.total)
    def free_bytes(self): return self.total_bytes() - self.used_bytes()
    def n_free_blocks(self): return sum(len(blocks) for blocks in self.free.values())

    @staticmethod
    def _of_current(counts):
        return counts.get(running().current, 0)


def running():
    """The machine that is installed."""
    if not hasattr(device_guard.machine, "captures"):
        raise RuntimeError("the emulated CuPy is not installed (any more): see emulated_cupy.install")
    return device_guard.machine


class PinnedMemoryPool:
    def free_all_blocks(self): pass
    def n_free_blocks(self): return 0


def limit():
    """`emulated_cupy.memory_limit`: the bytes that a device has, or None."""
    return sys.modules[__package__].memory_limit
