"""The same values in another arrangement: turned, split, joined, repeated, padded."""

import numpy as np
from function_samples import CUBE, A, B, sample

import tinygrad_nuc as tn

F = tn.nn.functional
V = np.array([0.5, -1.5, 2.0, 0.75])
W = np.array([1.25, -0.25])
NUMBER = np.array(0.7)

TURNED = {
    "np.flip": sample(np.flip, CUBE),
    "np.flip one axis": sample(lambda a: np.flip(a, -1), CUBE),
    "np.flip several axes": sample(lambda a: np.flip(a, (0, 2)), CUBE),
    "np.flip a number": sample(np.flip, NUMBER),
    "np.fliplr": sample(np.fliplr, CUBE),
    "np.flipud": sample(np.flipud, CUBE),
    "np.roll": sample(lambda a: np.roll(a, 5), CUBE),
    "np.roll an axis": sample(lambda a: np.roll(a, -1, axis=1), CUBE),
    "np.roll several axes": sample(lambda a: np.roll(a, (1, -2), axis=(0, 2)), CUBE),
    "np.roll one shift for several axes": sample(lambda a: np.roll(a, 1, axis=(1, 2)), CUBE),
    "np.roll several shifts, flattened": sample(lambda a: np.roll(a, (1, 2)), CUBE),
    "np.roll nothing": sample(lambda a: np.roll(a, 1, axis=1), np.zeros((2, 0))),
    "np.rot90": sample(np.rot90, CUBE),
    "np.rot90 by two": sample(lambda a: np.rot90(a, 2), CUBE),
    "np.rot90 by three": sample(lambda a: np.rot90(a, 3, axes=(1, 2)), CUBE),
    "np.rot90 by four": sample(lambda a: np.rot90(a, 4), CUBE),
    "np.moveaxis": sample(lambda a: np.moveaxis(a, 0, -1), CUBE),
    "np.moveaxis several": sample(lambda a: np.moveaxis(a, (0, 1), (1, 2)), CUBE),
    "tn.flip": sample(lambda a: tn.flip(a, (1, 2)), CUBE, reference=lambda a: a[:, ::-1, ::-1]),
    "tn.flip by keyword": sample(lambda a: tn.flip(a, dims=(-1,)), CUBE, reference=lambda a: a[:, :, ::-1]),
    "Tensor.flip": sample(lambda a: a.flip(0, 1), CUBE, reference=lambda a: a[::-1, ::-1]),
    "tn.flip no dimension": sample(lambda a: tn.flip(a, ()), A, reference=np.copy),
    "tn.fliplr": sample(tn.fliplr, A, reference=np.fliplr),
    "tn.flipud": sample(tn.flipud, A, reference=np.flipud),
    "tn.roll": sample(lambda a: tn.roll(a, -2), CUBE, reference=lambda a: np.roll(a, -2)),
    "tn.roll one dim": sample(lambda a: a.roll(7, -1), CUBE, reference=lambda a: np.roll(a, 7, -1)),
    "tn.roll several dims": sample(lambda a: tn.roll(a, (1, 2), (0, 1)), CUBE, reference=lambda a: np.roll(a, (1, 2), (0, 1))),
    "tn.rot90": sample(lambda a: tn.rot90(a, -1, (0, 2)), CUBE, reference=lambda a: np.rot90(a, -1, (0, 2))),
    "tn.movedim": sample(lambda a: tn.movedim(a, (2, 0), (0, 1)), CUBE, reference=lambda a: np.moveaxis(a, (2, 0), (0, 1))),
    "tn.moveaxis": sample(lambda a: tn.moveaxis(a, 1, 0), CUBE, reference=lambda a: np.moveaxis(a, 1, 0)),
    "tn.swapaxes": sample(lambda a: tn.swapaxes(a, 0, -1), CUBE, reference=lambda a: np.swapaxes(a, 0, -1)),
    "tn.swapdims": sample(lambda a: a.swapdims(0, 1), CUBE, reference=lambda a: np.swapaxes(a, 0, 1)),
}

SPLIT = {
    "np.split": sample(lambda a: np.split(a, 2, axis=2), CUBE),
    "np.split at positions": sample(lambda a: np.split(a, [1, 3], axis=-1), CUBE),
    "np.split at positions beyond the end": sample(lambda a: np.split(a, [1, 7, -1]), V),
    "np.array_split": sample(lambda a: np.array_split(a, 3, axis=2), CUBE),
    "np.array_split into more than there are": sample(lambda a: np.array_split(a, 5), V),
    "np.hsplit": sample(lambda a: np.hsplit(a, 3), CUBE),
    "np.hsplit a vector": sample(lambda a: np.hsplit(a, 2), V),
    "np.vsplit": sample(lambda a: np.vsplit(a, 2), CUBE),
    "np.dsplit": sample(lambda a: np.dsplit(a, [1]), CUBE),
    "tn.split": sample(lambda a: tn.split(a, 3, dim=2), CUBE, reference=lambda a: [a[..., :3], a[..., 3:]]),
    "tn.split by lengths": sample(lambda a: a.split([1, 0, 3], -1), CUBE, reference=lambda a: [a[..., :1], a[..., 1:1], a[..., 1:]]),
    "tn.split nothing": sample(lambda a: a.split(2), np.zeros((0, 2)), reference=lambda a: [a]),
    "tn.chunk": sample(lambda a: tn.chunk(a, 3, dim=2), CUBE, reference=lambda a: [a[..., :2], a[..., 2:]]),
    "tn.chunk nothing": sample(lambda a: a.chunk(3), np.zeros((0, 2)), reference=lambda a: [a, a, a]),
    "tn.tensor_split": sample(lambda a: tn.tensor_split(a, 3, dim=2), CUBE, reference=lambda a: np.array_split(a, 3, 2)),
    "tn.tensor_split at positions": sample(lambda a: tn.tensor_split(a, tn.tensor([1, 2]), 2), CUBE, reference=lambda a: np.split(a, [1, 2], 2)),
    "tn.hsplit": sample(lambda a: tn.hsplit(a, [1]), CUBE, reference=lambda a: np.hsplit(a, [1])),
    "tn.vsplit": sample(lambda a: tn.vsplit(a, 2), CUBE, reference=lambda a: np.vsplit(a, 2)),
    "tn.dsplit": sample(lambda a: tn.dsplit(a, 4), CUBE, reference=lambda a: np.dsplit(a, 4)),
    "tn.unbind": sample(lambda a: tn.unbind(a, 1), CUBE, reference=lambda a: [a[:, 0], a[:, 1], a[:, 2]]),
    "iteration": sample(tuple, CUBE),
}
if hasattr(np, "unstack"):
    SPLIT["np.unstack"] = sample(lambda a: np.unstack(a, axis=-1), CUBE)

JOINED = {
    "np.append": sample(np.append, A, V),
    "np.append along an axis": sample(lambda a, b: np.append(a, b, axis=1), A, B),
    "np.append numbers": sample(lambda a: np.append(a, [1.0, 2.0]), V),
    "np.append to numbers": sample(lambda a: np.append(3.0, a), V),
    "np.hstack": sample(lambda a, b: np.hstack([a, b]), A, B),
    "np.hstack vectors and numbers": sample(lambda a, b: np.hstack((a, b)), V, NUMBER),
    "np.vstack": sample(lambda a, b: np.vstack([a, b]), A, B[0]),
    "np.dstack": sample(lambda a, b: np.dstack([a, b]), A, B),
    "np.dstack vectors": sample(lambda a, b: np.dstack([a, b]), A[0], B[0]),
    "np.column_stack": sample(lambda a, b: np.column_stack([a, b]), A, B[:, 0]),
    "np.atleast_1d": sample(lambda a, b: np.atleast_1d(a, b), NUMBER, A),
    "np.atleast_2d": sample(lambda a: np.atleast_2d(a), V),
    "np.atleast_3d": sample(lambda a, b, c, d: np.atleast_3d(a, b, c, d), NUMBER, V, A, CUBE),
    "tn.hstack": sample(lambda a, b: tn.hstack((a, b)), A, B, reference=lambda a, b: np.hstack((a, b))),
    "tn.vstack": sample(lambda a, b: tn.vstack((a, b)), A, B, reference=lambda a, b: np.vstack((a, b))),
    "tn.dstack": sample(lambda a, b: tn.dstack((a, b)), V, V, reference=lambda a, b: np.dstack((a, b))),
    "tn.column_stack": sample(lambda a, b: tn.column_stack((a, b)), NUMBER, V[:1], reference=lambda a, b: np.column_stack((a, b))),
    "tn.atleast_1d": sample(tn.atleast_1d, NUMBER, reference=np.atleast_1d),
    "tn.atleast_2d": sample(lambda a, b: tn.atleast_2d([a, b]), NUMBER, V, reference=np.atleast_2d),
    "tn.atleast_3d": sample(lambda a, b: tn.atleast_3d(a, b), V, A, reference=np.atleast_3d),
}

SHAPED = {
    "tn.flatten": sample(lambda a: tn.flatten(a, 1), CUBE, reference=lambda a: a.reshape(2, 12)),
    "tn.unflatten": sample(lambda a: tn.unflatten(a, -1, (2, -1)), CUBE, reference=lambda a: a.reshape(2, 3, 2, 2)),
    "Tensor.view_as": sample(lambda a: a.view_as(tn.zeros(4, 6)), CUBE, reference=lambda a: a.reshape(4, 6)),
    "Tensor.reshape_as": sample(lambda a: a.reshape_as(tn.zeros(4, 6)), CUBE, reference=lambda a: a.reshape(4, 6)),
    "Tensor.expand_as": sample(lambda a: a.expand_as(tn.zeros(5, 2, 3)), A, reference=lambda a: np.broadcast_to(a, (5, 2, 3))),
}

REPEATED = {
    "np.tile": sample(lambda a: np.tile(a, 2), CUBE),
    "np.tile several": sample(lambda a: np.tile(a, (2, 1, 3, 1)), CUBE),
    "np.tile none": sample(lambda a: np.tile(a, (0, 2)), A),
    "np.tile one": sample(lambda a: np.tile(a, 3), V[:1]),
    "np.tile a number": sample(lambda a: np.tile(a, (2, 3)), NUMBER),
    "np.repeat": sample(lambda a: np.repeat(a, 2), A),
    "np.repeat an axis": sample(lambda a: np.repeat(a, 3, axis=1), CUBE),
    "np.repeat counts": sample(lambda a: np.repeat(a, [2, 0, 1], axis=1), CUBE),
    "np.repeat an array of counts": sample(lambda a, n: np.repeat(a, n, axis=0), A, np.array([1, 3]), waits_on_device=True),
    "np.meshgrid": sample(lambda a, b: np.meshgrid(a, b), V, W),
    "np.meshgrid ij": sample(lambda a, b, c: np.meshgrid(a, b, c, indexing="ij"), V, W, NUMBER),
    "np.meshgrid sparse": sample(lambda a, b, c: np.meshgrid(a, b, c, sparse=True), V, W, W),
    "np.meshgrid of one": sample(lambda a: np.meshgrid(a), V),
    "tn.tile": sample(lambda a: tn.tile(a, (2, 2)), CUBE, reference=lambda a: np.tile(a, (2, 2))),
    "tn.tile by keyword": sample(lambda a: tn.tile(a, dims=(2,)), A, reference=lambda a: np.tile(a, 2)),
    "Tensor.repeat": sample(lambda a: a.repeat(2, 1, 3), A, reference=lambda a: np.tile(a, (2, 1, 3))),
    "tn.repeat_interleave": sample(lambda a: tn.repeat_interleave(a, 2), A, reference=lambda a: np.repeat(a, 2)),
    "tn.repeat_interleave counts": sample(lambda a, n: a.repeat_interleave(n, dim=-1), A, np.array([0, 1, 2]),
                                          reference=lambda a, n: np.repeat(a, n, -1), waits_on_device=True),
    "tn.meshgrid": sample(lambda a, b: tn.meshgrid(a, b), V, W, reference=lambda a, b: np.meshgrid(a, b, indexing="ij")),
    "tn.meshgrid xy": sample(lambda a, b, c: tn.meshgrid([a, b, c], indexing="xy"), V, W, W, reference=np.meshgrid),
}

PADDED = {
    "np.pad": sample(lambda a: np.pad(a, 2), A),
    "np.pad unevenly": sample(lambda a: np.pad(a, ((1, 0), (0, 2)), constant_values=3.5), A),
    "np.pad different constants": sample(lambda a: np.pad(a, (1, 2), constant_values=((1, 2), (3, 4))), A),
    "np.pad by nothing": sample(lambda a: np.pad(a, 0), A),
    "np.pad an empty axis": sample(lambda a: np.pad(a, 1), np.zeros((0, 2))),
    **{f"np.pad {mode}": sample(lambda a, mode=mode: np.pad(a, ((1, 2), (0, 0), (2, 1)), mode=mode), CUBE)
       for mode in ("edge", "reflect", "symmetric", "wrap")},
    **{f"np.pad {mode} by more than there is": sample(lambda a, mode=mode: np.pad(a, (9, 8), mode=mode), V[:3])
       for mode in ("edge", "reflect", "symmetric", "wrap")},
    **{f"np.pad {mode} from one value": sample(lambda a, mode=mode: np.pad(a, (2, 1), mode=mode), V[:1])
       for mode in ("edge", "reflect", "symmetric", "wrap")},
    "F.pad": sample(lambda a: F.pad(a, (1, 2)), CUBE, reference=lambda a: np.pad(a, ((0, 0), (0, 0), (1, 2)))),
    "F.pad two dimensions": sample(lambda a: F.pad(a, (1, 2, 0, 3), value=7.0), CUBE,
                                   reference=lambda a: np.pad(a, ((0, 0), (0, 3), (1, 2)), constant_values=7)),
    "F.pad cutting off": sample(lambda a: F.pad(a, (-1, 1, 0, -2)), CUBE,
                                reference=lambda a: np.pad(a[:, :1, 1:], ((0, 0), (0, 0), (0, 1)))),
    "F.pad reflect": sample(lambda a: F.pad(a, (3, 1, 2, 0), "reflect"), CUBE,
                            reference=lambda a: np.pad(a, ((0, 0), (2, 0), (3, 1)), mode="reflect")),
    "F.pad replicate": sample(lambda a: F.pad(a, (5, 1), mode="replicate"), CUBE,
                              reference=lambda a: np.pad(a, ((0, 0), (0, 0), (5, 1)), mode="edge")),
    "F.pad circular": sample(lambda a: F.pad(a, (4, 1), mode="circular"), CUBE,
                             reference=lambda a: np.pad(a, ((0, 0), (0, 0), (4, 1)), mode="wrap")),
    "F.pad replicate cutting off": sample(lambda a: F.pad(a, (-1, 2), mode="replicate"), A, reference=lambda a: a[:, [1, 2, 2, 2]]),
}

CALLS = {**TURNED, **SPLIT, **JOINED, **SHAPED, **REPEATED, **PADDED}
