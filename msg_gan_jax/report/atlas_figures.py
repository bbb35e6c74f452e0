"""Figures of what a D looks for: maps of a layer, their past, and evidence."""
from collections.abc import Mapping, Sequence

import numpy as np

from msg_gan_jax.report import figure, lettering, text
from msg_gan_jax.report.blocks import about_grey, block, heat, square

CELLS = range(60, 81)  # Pixels that a small picture may have,
LARGE = 128  # and one by itself.
_NARROW = 3  # Columns; maps with so few stand in two halves, side by side.
_FULL = 99  # Percentile of absolute values that has full colour.
Words = Sequence[tuple[str, str]]


def layer(patches: Mapping[str, np.ndarray],
          projections: Mapping[str, np.ndarray], beside: Words,
          title: tuple[str, str]) -> np.ndarray:
  """A row for each map: its pictures as a block, and a block for each scale.

  Args:
    patches: {what stands above: uint8 [maps, n, h, w, C]}.
    projections: {what stands above: float [maps, n, h, w, C]}, signed.
    beside: (name, remark) of each map.
    title: of the whole.

  Returns:
    uint8 [H, W, 3].
  """
  columns = {**patches, **{
      name: about_grey(x) for name, x in projections.items()}}
  cell = _cell(columns.values())
  rows = [[block(x[i], cell) for x in columns.values()]
          for i in range(len(beside))]
  half = -(-len(rows) // 2) if len(columns) <= _NARROW else len(rows)
  parts = []
  for start in range(0, len(rows), half):
    some = slice(start, start + half)
    parts.append(figure.draw(
        [figure.Band(None, rows[some])], title if not start else ('', ''),
        [*columns], _legible(beside[some]), aside=len(patches), gap=8))
  height = max(map(len, parts))
  return np.concatenate([np.pad(
      x, ((0, height - len(x)), (0, 0), (0, 0)), constant_values=255)
      for x in parts], 1)


def strip(patches: Sequence[np.ndarray], projections: Sequence[np.ndarray],
          above: Sequence[str], beside: Words,
          title: tuple[str, str]) -> np.ndarray:
  """Columns are moments, rows maps: a patch, and its projection below it.

  Args:
    patches: of each moment, uint8 [maps, h, w, C].
    projections: of each moment, float [maps, h, w, C], signed.
    above: a text for each moment.
    beside: (name, remark) of each map.
    title: of the whole.

  Returns:
    uint8 [H, W, 3].
  """
  cell = _cell(patches)
  rows = [[np.concatenate([square(seen[i], cell), square(down[i], cell)])
           for seen, down in zip(
               patches, map(about_grey, projections), strict=True)]
          for i in range(len(beside))]
  return figure.draw([figure.Band(None, rows)], title, above,
                     _legible(beside), gap=6)


def evidence(levels: Sequence[np.ndarray], shares: Sequence[np.ndarray],
             bands: Mapping[str, Words]) -> np.ndarray:
  """Pictures, and beside each what speaks for real or fake at every scale.

  The colours of a scale mean the same in all pictures.

  Args:
    levels: uint8 [n, h, w, C] of each scale, coarse to fine.
    shares: of each scale float [n, h, w].
    bands: {heading: (name, remark) of each of its pictures}, n in all.

  Returns:
    uint8 [H, W, 3].
  """
  full = [float(np.percentile(np.abs(x), _FULL)) or 1. for x in shares]
  rows = [[square(picture, LARGE), *(
      square(heat(level[i], share[i], most), LARGE)
      for level, share, most in zip(levels, shares, full, strict=True))]
      for i, picture in enumerate(levels[-1])]
  beside = [words for band in bands.values() for words in band]
  ends = np.cumsum([len(band) for band in bands.values()])
  return figure.draw(
      [figure.Band((name, ''), rows[end - len(band):end])
       for (name, band), end in zip(bands.items(), ends, strict=True)],
      ('why', 'blue speaks for real, vermilion for fake'),
      ['picture', *(f'{x.shape[1]} px' for x in levels)], _legible(beside),
      aside=1)


def _cell(columns):
  """The size at which pixels of pictures, enlarged by whole factors, fill most.

  Args:
    columns: [..., h, w, C] each.
  """
  sides = [max(x.shape[-3:-1]) for x in columns]
  return min(CELLS, key=lambda size: sum(
      size % side for side in sides if side <= size))


def _legible(pairs):
  return [tuple(text.legible(word, lettering.can_write) for word in pair)
          for pair in pairs]
