"""CUDA graphs: what a stream is given while it captures is written down, and computed at each launch.

Python numbers stay what they were at the capture; arrays on the device give what they hold at the launch.
"""

import numpy as np

from .machine import shares_memory, spoil
from .memory import running


class CUDARuntimeError(RuntimeError):
    """cupy.cuda.runtime.CUDARuntimeError."""


class Capture:
    """What happens on a stream between begin_capture and end_capture.

    Attributes
    ----------
    records : list of (function, list of numpy.ndarray)
        That computes what was asked for, on the same memory whenever it is called; and that memory.
    made : list of (numpy.ndarray, Block)
        Arrays that came into being meanwhile.
    blocks : list of Block
        The memory of arrays that were given to a function or kernel.
    invalid : bool
        Whether something was refused meanwhile.
    """

    def __init__(self):
        self.records, self.made, self.blocks, self.invalid = [], [], [], False

    def compute(self, function, hosts, options, arrays, written):
        """Write down `function(*hosts, **options)`; returns memory for its results.

        While the capture lasts, that memory holds what follows from values of before it: then errors about shapes come
        now, as from CuPy. Nobody can read them, and `end` spoils them.
        """
        blocks = [array._memory.block for array in arrays if array._memory]
        with np.errstate(all="ignore"):
            if written:
                function(*copied(hosts), **copied(options))
                self.record(lambda: function(*hosts, **options), blocks)
                return None
            result = function(*hosts, **options)
        several = isinstance(result, (tuple, list))
        parts = list(result) if several else [result]
        if not any(isinstance(part, (np.ndarray, np.generic)) for part in parts) or shares_memory(result, arrays):
            return result                       # a shape or dtype, or a view: nothing for a GPU to do
        into = [np.array(part) if isinstance(part, np.generic) else part for part in parts]

        def compute_again():
            found = function(*hosts, **options)
            for target, value in zip(into, found if several else (found,), strict=True):
                if isinstance(target, np.ndarray):
                    target[...] = value
        if function is not np.empty_like:
            self.record(compute_again, blocks)
        return (into if isinstance(result, list) else tuple(into)) if several else into[0]

    def record(self, call, blocks):
        self.records.append((call, [block.host for block in blocks]))       # the memory lives as long as the graph
        self.blocks += blocks

    def end(self):
        for host, _ in self.made:
            spoil(host)
        if self.invalid:
            raise CUDARuntimeError("cudaErrorStreamCaptureInvalidated: operation failed due to a previous error during "
                                   "capture")
        return Graph(self)


class Graph:
    """cupy.cuda.graph.Graph: the calls of a capture, to be repeated in one launch.

    Raises
    ------
    AssertionError
        At the launch, where a GPU would use memory that belongs to nobody any more, or to somebody else.
    """

    def __init__(self, capture):
        made = [block for _, block in capture.made]
        self.capture, self.pools, self.blocks = capture, {block.pool for block in made}, {*made, *capture.blocks}

    def launch(self, stream=None):
        running().refuse("Graph.launch", running().capture)
        for block in self.blocks:
            self._check(block)
        with np.errstate(all="ignore"):
            for call, _ in self.capture.records:
                call()

    def upload(self, stream=None): pass

    def _check(self, block):
        """Whether the graph may still use this memory; memory of its own pool it may use when nobody else does."""
        assert block.in_use or block.pool in self.pools, \
            "the graph uses memory that was given back: an array that it reads or writes is no more"
        assert not block.gone, "the graph uses memory that its pool has given back to the device"
        heir = block.heir
        while heir is not None:
            assert heir.capture is self.capture or not heir.in_use, \
                "the graph uses memory that now belongs to another array"
            heir = heir.heir


def copied(x):
    if isinstance(x, np.ndarray):
        return x.copy()
    if type(x) in (tuple, list):
        return type(x)(map(copied, x))
    return {key: copied(value) for key, value in x.items()} if isinstance(x, dict) else x
