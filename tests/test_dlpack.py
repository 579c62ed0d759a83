"""DLPack: memory shared with NumPy, and with PyTorch where it is installed; what cannot be shared is refused."""

import importlib.util

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn

pytestmark = pytest.mark.skipif(
    tuple(map(int, np.__version__.split(".")[:3])) < (2, 2, 5), reason="this NumPy takes arrays over read-only"
)

OTHERS = ["numpy", *(["torch"] if importlib.util.find_spec("torch") else [])]
KINDS = "? i1 i2 i4 i8 u1 f2 f4 f8".split()


@pytest.fixture(params=OTHERS)
def other(request):
    return importlib.import_module(request.param)


def numbers(x):
    return x if isinstance(x, np.ndarray) else x.numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.array(1),
        np.zeros((0, 3)),
        np.arange(24).reshape(2, 3, 4)[:, ::2, 1:].transpose(2, 0, 1),
    ],
)
def test_values_shapes_and_types_agree_both_ways(kind, array, other):
    t = tn.Tensor(array.astype(kind, order="K"))
    theirs = other.from_dlpack(t)
    np.testing.assert_array_equal(numbers(theirs), t.data)
    assert numbers(theirs).dtype == t.dtype
    back = tn.from_dlpack(theirs)
    assert isinstance(back, tn.Tensor) and back.dtype == t.dtype and back.shape == t.shape
    np.testing.assert_array_equal(back.data, t.data)
    assert array.size == 0 or np.shares_memory(back.data, t.data)


def test_a_change_on_one_side_is_one_on_the_other(other):
    t = tn.zeros(2, 3)
    theirs = other.from_dlpack(t.T)
    theirs[2, 1] = 5.0
    assert t.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 5.0]]
    t[0, 0] = 7.0
    assert float(theirs[0, 0]) == 7.0
    ours = tn.from_dlpack(theirs)
    ours += 1
    assert float(theirs[2, 1]) == 6.0 and t[1, 2].item() == 6.0


def test_the_memory_lives_as_long_as_somebody_uses_it(other):
    theirs = other.from_dlpack(tn.arange(1000))
    ours = tn.from_dlpack(other.from_dlpack(tn.arange(1000)))
    assert [tn.zeros(1000).sum().item() for _ in range(100)] == [0] * 100
    assert int(theirs.sum()) == ours.sum().item() == 499500


def test_copies_on_demand(other):
    t = tn.zeros(3)
    theirs = other.from_dlpack(t, copy=True)
    theirs[0] = 1.0
    assert t.tolist() == [0.0, 0.0, 0.0]
    ours = tn.from_dlpack(theirs, copy=True)
    ours[1] = 2.0
    assert float(theirs[1]) == 0.0 and ours.tolist() == [1.0, 2.0, 0.0]
    assert np.shares_memory(tn.from_dlpack(t, copy=False).data, t.data) and np.shares_memory(
        tn.from_dlpack(t, device="cpu").data, t.data
    )


def test_what_requires_a_gradient_is_refused(other):
    w = nn.Parameter(tn.ones(2))
    for t in (w, w * 2):
        with pytest.raises(BufferError, match=r"requires a gradient.*use t.detach\(\)"):
            other.from_dlpack(t)
    other.from_dlpack(w.detach())[0] = 3.0
    assert w.tolist() == [3.0, 1.0]


def test_what_runs_backwards_is_refused_or_copied(other):
    t = tn.Tensor(np.arange(6.0).reshape(2, 3)[::-1])
    with pytest.raises(BufferError, match=r"runs backwards through its memory.*use t.clone\(\)"):
        other.from_dlpack(t)
    assert (
        numbers(other.from_dlpack(t, copy=True)).tolist()
        == numbers(other.from_dlpack(t.clone())).tolist()
        == t.tolist()
    )


def test_what_cannot_be_written_to_is_passed_on_as_such():
    array = np.arange(3.0)
    array.flags.writeable = False
    assert not np.from_dlpack(tn.Tensor(array)).flags.writeable
    assert not tn.from_dlpack(array).data.flags.writeable
    assert tn.from_dlpack(array, copy=True).data.flags.writeable
    with pytest.raises(BufferError, match="readonly"):
        tn.Tensor(array).__dlpack__()  # the first version of DLPack cannot say so


def test_the_keywords_of_the_array_api_standard():
    t = tn.zeros(2)
    assert t.__dlpack_device__() == (1, 0)
    assert '"dltensor"' in repr(t.__dlpack__(stream=None)) and '"dltensor_versioned"' in repr(
        t.__dlpack__(max_version=(1, 0), dl_device=(1, 0), copy=False)
    )
    with pytest.raises((BufferError, ValueError), match="device"):
        t.__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError):
        t.__dlpack__(None)


@pytest.mark.parametrize("x", [[1.0], 3, "text"])
def test_what_does_not_speak_dlpack_is_refused(x):
    with pytest.raises(TypeError, match=f"from_dlpack: a {type(x).__name__} does not speak DLPack; tn.tensor"):
        tn.from_dlpack(x)


class Strange:
    """An array of bfloat16, as PyTorch has them, or of something else that NumPy lacks."""

    dtype = "bfloat16"

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **_):
        raise RuntimeError("Unsupported dtype in DLTensor.")


@pytest.mark.parametrize("with_torch", [False, *([True] if "torch" in OTHERS else [])])
def test_numbers_that_numpy_lacks_are_refused(with_torch):
    x = importlib.import_module("torch").zeros(2).bfloat16() if with_torch else Strange()
    with pytest.raises(
        TypeError,
        match=r"from_dlpack: .*bfloat16 cannot be taken over \(Unsupported dtype in DLTensor.\); convert it there",
    ):
        tn.from_dlpack(x)


def test_arrays_of_python_objects_and_text_are_refused():
    for array in (np.array([{}]), np.array(["pt"])):
        with pytest.raises(BufferError, match="DLPack only supports"):
            tn.from_dlpack(array)


def test_arrays_on_another_device_stay_there(one_gpu):
    class OnGPU(np.ndarray):
        def __dlpack_device__(self):
            return 2, 0

    def from_dlpack(x, **options):
        assert options == {"copy": True}
        return np.array(x) * 2

    one_gpu.from_dlpack = from_dlpack
    assert tn.from_dlpack(np.arange(3).view(OnGPU), copy=True).tolist() == [0, 2, 4]
    assert tn.Tensor(np.arange(3)).__dlpack_device__() == (1, 0)
