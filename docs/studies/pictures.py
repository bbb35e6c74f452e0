"""What programs of pages share: pictures of many samples, in few bytes."""
from collections.abc import Iterator, Mapping, Sequence
import os
import pathlib
from typing import Any


def save(fig: Any, path: pathlib.Path, dpi: int) -> None:
  """Writes a matplotlib figure as a PNG of 256 colours.

  To the eye it is the same, in a third of the bytes.
  """
  from PIL import Image
  fig.savefig(path, dpi=dpi)
  with Image.open(path) as picture:
    small = picture.convert('RGB').quantize(256)
  small.save(path, optimize=True)


def newest_samples(
    folder: str | os.PathLike) -> Iterator[tuple[dict[str, Any], pathlib.Path]]:
  """(point, path of the grid) of each run of seed 0 that is done, and there."""
  from msg_gan_jax.runs.read import read
  from msg_gan_jax.study.stored import read_stored
  from msg_gan_jax.study.worker import RUNS
  for trial in read_stored(folder).trials:
    about, run = trial.work.about, pathlib.Path(folder, RUNS, trial.work.digest)
    if trial.state == 'done' and about['seed'] == 0 and run.is_dir():
      for _, path in read(run).grids[-1:]:
        yield about['point'], path


def panels(named: Mapping[str, pathlib.Path | None], columns: int,
           size: tuple[float, float], path: pathlib.Path, dpi: int,
           widths: Sequence[float] | None = None) -> None:
  """Writes a picture of pictures, each with its name above it.

  Args:
    named: {name: PNG, or None where there is none}.
    columns: in a row.
    size: (width, height) of a panel, in inches.
    path: where to write the PNG.
    dpi: of it.
    widths: of the columns, as shares of each other; None makes them equal.
  """
  from matplotlib import figure
  import numpy as np
  from PIL import Image
  rows = -(-len(named) // columns)
  fig = figure.Figure(figsize=(size[0] * columns, size[1] * rows),
                      layout='constrained')
  axes = np.atleast_1d(fig.subplots(rows, columns, width_ratios=widths)).ravel()
  for ax in axes:
    ax.axis('off')
  for ax, (name, file) in zip(axes, named.items(), strict=False):
    ax.set_title(name, fontsize=9)
    if file:
      with Image.open(file) as picture:
        ax.imshow(picture.convert('RGB'), interpolation='nearest')
  save(fig, path, dpi)
