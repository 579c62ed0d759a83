"""Training as a film: the same picture at every snapshot."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.animation import FuncAnimation, writers
from matplotlib.axes import Axes

from ..inspect.snapshots import named_parameters
from ..nn.module import Module
from ..utils.files import atomic_write, given_path
from .directions import path_points
from .evaluation import other_values
from .figures import axes_or_new


class TrainingAnimation(FuncAnimation):
    """What `animate` returns: matplotlib's animation, whose files are written whole or not at all.

    In a notebook, ``IPython.display.HTML(animation.to_jshtml())`` shows it with a slider.
    """

    def __del__(self) -> None:
        """Matplotlib warns here of animations that nobody has drawn; the first frame of this one is always drawn."""

    def save(self, filename: str | os.PathLike, writer: Any = None, fps: int | None = None,     # type: ignore[override]
             **options: Any) -> None:
        """Write it as a GIF or as an MP4, as the ending of the file's name says.

        Parameters
        ----------
        filename : str or os.PathLike
            With the ending .gif, or .mp4, which needs the program ffmpeg.
        writer : optional
            One of matplotlib's, instead of those.
        fps : int, optional
            Frames per second; by default as the `interval` of the animation says.
        options
            Passed on to ``matplotlib.animation.Animation.save``.

        Raises
        ------
        ValueError
            If the ending is another one.
        RuntimeError
            If ffmpeg is needed, and is not there.
        OSError
            If the file cannot be written. In all cases, what was there before stays as it was.
        """
        path = given_path(filename, "TrainingAnimation.save")
        ending = Path(path).suffix.lower()
        if writer is None:
            if ending not in (".gif", ".mp4"):
                raise ValueError(f"TrainingAnimation.save: the name must end in .gif or .mp4, not {ending!r}")
            if ending == ".mp4" and not writers.is_available("ffmpeg"):
                raise RuntimeError("TrainingAnimation.save: an MP4 needs the program ffmpeg, which is not to be found "
                                   "here; install it, or save a .gif")
            writer = "pillow" if ending == ".gif" else "ffmpeg"
        with atomic_write(path) as file, tempfile.TemporaryDirectory() as folder:
            whole = Path(folder, f"film{ending}")
            super().save(str(whole), writer=writer, fps=fps, **options)
            file.write(whole.read_bytes())


def animate(draw: Callable, model: Any, snapshots: Sequence[Mapping[str, Any]], *, interval: float = 200,
            ax: Axes | None = None) -> TrainingAnimation:
    """A picture of a model while it learns: one frame for each snapshot.

    For every frame the model has the values of a snapshot, and afterwards its own again, to the last bit. The title
    has when the snapshot was taken added to it.

    Parameters
    ----------
    draw : function
        Called as ``draw(model, ax=ax)`` on empty axes, such as ``functools.partial(plots.fitted_curve, x=x, y=y)``, or
        ``functools.partial(plots.decision_boundary, x=x, y=y, output="logit", colorbar=False)``. What it draws should
        have the same limits at every snapshot.
    model : Module, Tensor, or list of Tensor
    snapshots : Snapshots, or sequence of state dicts
        See `tinygrad_nuc.inspect.Snapshots`.
    interval : float
        Time between frames, in milliseconds.
    ax : Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    TrainingAnimation
        A ``matplotlib.animation.FuncAnimation``; keep it, and call its ``save("training.gif")``.

    Raises
    ------
    ValueError
        If there are no snapshots, or they do not fit the model. If `draw` adds axes to the figure, such as a colour
        bar, since there would be one more in each frame.

    Examples
    --------
    >>> import functools, tempfile, tinygrad_nuc as tn
    >>> from tinygrad_nuc import plots
    >>> model, snapshots = tn.nn.Linear(1, 1), tn.inspect.Snapshots()
    >>> snapshots.take(model)
    >>> picture = functools.partial(plots.fitted_curve, x=[0.0, 1.0], y=[1.0, 2.0])
    >>> film = plots.animate(picture, model, snapshots)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film.save(f"{folder}/training.gif", dpi=20)
    """
    who = "animate"
    if not callable(draw):
        raise TypeError(f"{who}: draw is a function of a model and axes, not a {type(draw).__name__}")
    if not len(snapshots):
        raise ValueError(f"{who}: there are no snapshots")
    if not interval > 0:
        raise ValueError(f"{who}: interval must be above 0 milliseconds, not {interval}")
    tensors = model.state_dict() if isinstance(model, Module) else named_parameters(who, model)
    shapes = {name: t.shape for name, t in tensors.items()}
    path_points(who, snapshots, shapes)                     # for its checks
    moments = getattr(snapshots, "moments", [f"snapshot {i}" for i in range(len(snapshots))])
    axes = axes_or_new(ax, 7.6, 5.6, owner=who)
    others = len(axes.figure.axes)
    figure: Any = axes.figure.figure                        # of a subfigure, the whole

    def frame(i: int) -> list:
        axes.clear()
        with other_values(tensors) as put:
            put(snapshots[i])
            draw(model, ax=axes)
        if len(axes.figure.axes) != others:
            raise ValueError(f"{who}: draw adds axes to the figure, which would be more in each frame; draw without a "
                             "colour bar, colorbar=False")
        axes.title.set_text(", ".join(filter(None, [axes.get_title(), moments[i]])))
        return []

    frame(0)                                                # what cannot be drawn shall fail now
    return TrainingAnimation(figure, frame, frames=len(snapshots), interval=interval, cache_frame_data=False)
