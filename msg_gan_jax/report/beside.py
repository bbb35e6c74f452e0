"""Grids of several runs beside each other, as one figure."""
from collections.abc import Mapping
import contextlib
import math
import os
from typing import Any

from PIL import Image

from msg_gan_jax.report.axis import plain, short
from msg_gan_jax.report.plots import TWO_COLUMNS

WIDEST = 900  # Pixels of a grid; a print has no more of it.


def figure_of(grids: Mapping[str, str | os.PathLike]) -> Any:
  """A grid of grids, each with its name above it, as wide as two columns.

  Args:
    grids: {name: path of a PNG}; what cannot be read is left out.

  Returns:
    A figure for `plots.save`, or None where nothing can be read.
  """
  from matplotlib import figure
  pictures = {}
  for name, path in grids.items():
    with contextlib.suppress(OSError), Image.open(path) as image:
      shown = image.convert('RGB')
      over = -(-shown.width // WIDEST)
      pictures[name] = shown.reduce(over) if over > 1 else shown
  if not pictures:
    return None
  columns = min(len(pictures), 4 if len(pictures) > 4 else 3)
  rows = math.ceil(len(pictures) / columns)
  tallest = max(x.height / x.width for x in pictures.values())
  width = TWO_COLUMNS / columns
  fig = figure.Figure(figsize=(
      TWO_COLUMNS, rows * (width * tallest + .25)), layout='constrained')
  axes = fig.subplots(rows, columns, squeeze=False).ravel()
  for ax in axes:
    ax.axis('off')
  for ax, (name, picture) in zip(axes, pictures.items(), strict=False):
    ax.imshow(picture, interpolation='nearest')
    ax.set_title(plain(short(name, 32)), fontsize=8)
  return fig
