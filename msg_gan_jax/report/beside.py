"""Grids of several runs beside each other, as figures."""
from collections.abc import Mapping, Sequence
import contextlib
import math
import os
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from msg_gan_jax.report import grids
from msg_gan_jax.report.axis import told_apart
from msg_gan_jax.report.plots import TWO_COLUMNS

WIDEST = 900  # Pixels of a grid; a print has no more of it.
WORDS = 112  # Characters across two columns.
MOMENTS = 5  # Of a strip of grids.
TALLEST = 9.  # Inches of a page.
NAME, IMAGES = .24, .2  # Inches of a line above and of one below a strip.
STEP = TWO_COLUMNS / MOMENTS
SHARE = .96  # Of the room that a picture of a strip takes.
MOST_STRIPS = 10  # Of which a page has room.


def figure_of(paths: Mapping[str, str | os.PathLike]) -> Any:
  """A grid of grids, each with its name above it, as wide as two columns.

  Args:
    paths: {name: path of a PNG}; what cannot be read is left out.

  Returns:
    A figure for `plots.save`, or None where nothing can be read.
  """
  from matplotlib import figure
  pictures = {}
  for name, path in paths.items():
    with contextlib.suppress(OSError):
      pictures[name] = _read(path)
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
  names = told_apart([*pictures], WORDS // columns)
  for ax, name, picture in zip(axes, names, pictures.values(), strict=False):
    ax.imshow(picture, interpolation='nearest')
    ax.set_title(name, fontsize=8)
  return fig


class Strip(NamedTuple):
  """Grids of a run through time.

  Attributes:
    grids: (images, path of a PNG), the oldest first.
    shapes: (height, width) of the scales, coarse to fine, of which the finest
      is shown; none shows whole pictures.
  """
  grids: Sequence[tuple[int, str | os.PathLike]]
  shapes: Sequence[tuple[int, int]] = ()


def moments(strips: Mapping[str, Strip]) -> list[float]:
  """Images at which grids are shown: equally far apart, [] of a single one.

  Args:
    strips: {name: Strip}.
  """
  images = [x for strip in strips.values() for x, _ in strip.grids]
  count = min(MOMENTS, max(
      (len(strip.grids) for strip in strips.values()), default=0))
  return np.linspace(min(images), max(images), count).tolist() if (
      count > 1) else []


def over_time(strips: Mapping[str, Strip]) -> Any:
  """A row for each run, a column for each of `moments`.

  A run shows its grid that is nearest to a moment, with its own images below
  it, and nothing where that is another moment's. Of many runs there are fewer
  samples, for a page to hold all.

  Args:
    strips: {name: Strip}; what cannot be read is left out.

  Returns:
    A figure for `plots.save`, or None where there are not two moments.
  """
  columns = moments(strips)
  if not columns:
    return None
  tallest = _room(len(strips)) / (SHARE * STEP)
  rows = {name: _at(strip, columns, tallest) for name, strip in strips.items()}
  rows = {name: row for name, row in rows.items() if row}
  if not rows:
    return None
  return _strips(rows)


def _strips(rows):
  """Rows of pictures, with a name above each and the images below them.

  Places are told, since a layout of matplotlib's own would make pictures
  narrow for long names.
  """
  from matplotlib import figure
  shown = [picture for row in rows.values() for _, picture in row.values()]
  width = SHARE * STEP
  height = min(_room(len(rows)), width * max(
      x.height / x.width for x in shown))
  every = NAME + height + IMAGES
  tall = every * len(rows)
  fig = figure.Figure(figsize=(TWO_COLUMNS, tall))
  names = told_apart([*rows], WORDS)
  for i, (name, row) in enumerate(zip(names, rows.values(), strict=True)):
    top = tall - i * every
    fig.text(0, (top - .25 * NAME) / tall, name, fontsize=8, va='top')
    for j, (images, picture) in row.items():
      ax = fig.add_axes((j * STEP / TWO_COLUMNS, (top - NAME - height) / tall,
                         width / TWO_COLUMNS, height / tall))
      ax.axis('off')
      ax.imshow(picture, interpolation='nearest')
      fig.text((j * STEP + width / 2) / TWO_COLUMNS,
               (top - NAME - height - .03) / tall,
               f'{images:,} real images', fontsize=7, ha='center', va='top')
  return fig


def _room(count):
  """Inches that the pictures of each of so many strips have on a page."""
  return TALLEST / count - NAME - IMAGES


def _at(strip, columns, tallest):
  """{column: (images, picture)} of a run, each picture once."""
  found, last = {}, -1
  for j, moment in enumerate(columns):
    # Of two that are as near, the later one.
    for images, path in sorted(strip.grids, key=lambda grid: (
        abs(grid[0] - moment), -grid[0])):
      if images <= last or abs(images - moment) >= columns[1] - columns[0]:
        break
      with contextlib.suppress(OSError):
        found[j] = images, _read(path, strip.shapes, tallest)
        last = images
        break
  return found


def _read(path, shapes=(), tallest=1.):
  """A picture, no larger than a print needs it."""
  with Image.open(path) as image:
    shown = image.convert('RGB')
  if shapes:
    shown = grids.finest_part(shown, shapes, tallest)
  over = -(-shown.width // WIDEST)
  return shown.reduce(over) if over > 1 else shown
