"""Devices, streams and events. Everything is computed at once, so that waiting for it is only counted."""

import time

from device_guard import waits

from .graphs import Capture, CUDARuntimeError
from .machine import PLENTY
from .memory import limit, running


class Device:
    """cupy.cuda.Device."""

    def __init__(self, device=None):
        self.id = running().current if device is None else device.id if isinstance(device, Device) else int(device)
        self.before = []

    def use(self):
        if not 0 <= self.id < running().devices:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        running().current = self.id

    def __enter__(self):
        self.before.append(running().current)
        self.use()
        return self

    def __exit__(self, *error):
        running().current = self.before.pop()

    def synchronize(self):
        running().wait_for_all("Device.synchronize")

    @property
    def mem_info(self):
        """Free and all bytes of the device."""
        total = PLENTY if limit() is None else limit()
        return total - running().reserved[self.id], total

    compute_capability = "90"

    def __int__(self): return self.id
    def __repr__(self): return f"<CUDA Device {self.id}>"
    def __eq__(self, other): return isinstance(other, Device) and other.id == self.id
    __hash__ = None


class Stream:
    """cupy.cuda.Stream."""

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.ptr = 0 if null else id(self)
        self.before = []

    def __enter__(self):
        self.before.append(running().stream)
        running().stream = self
        return self

    def __exit__(self, *error):
        running().stream = self.before.pop()

    def use(self):
        running().stream = self
        return self

    def synchronize(self):
        running().refuse("Stream.synchronize", running().captures.get(self))
        waits.append("Stream.synchronize")

    @property
    def done(self):
        running().refuse("Stream.done", running().captures.get(self))
        return True

    def record(self, event=None):
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event): pass

    def begin_capture(self, mode=None):
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        if self in running().captures:
            raise CUDARuntimeError("cudaErrorIllegalState: the operation cannot be performed in the present state")
        running().captures[self] = Capture()

    def is_capturing(self):
        return self in running().captures

    def end_capture(self):
        capture = running().captures.pop(self, None)
        if capture is None:
            raise CUDARuntimeError("cudaErrorIllegalState: the operation cannot be performed in the present state")
        return capture.end()

    def __eq__(self, other): return isinstance(other, Stream) and other.ptr == self.ptr
    def __hash__(self): return hash(self.ptr)
    def __repr__(self): return f"<Stream {self.ptr} (device {running().current})>"


Stream.null = Stream(null=True)


class Event:
    """cupy.cuda.Event; its time is that of the host."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.time = None

    def record(self, stream=None):
        self.time = time.perf_counter()

    def synchronize(self):
        running().refuse("Event.synchronize", running().capture)
        waits.append("Event.synchronize")

    done = True


def get_elapsed_time(start, end):
    """Milliseconds between two events."""
    return (end.time - start.time) * 1000


def get_current_stream(device_id=-1):
    return running().stream
