"""Axes of figures: their names, their numbers, and the room that they have."""
from collections.abc import Sequence
import functools
import os
import textwrap
from typing import Any

import numpy as np

from msg_gan_jax.files.console import visible

LONGEST = 120  # Characters of a text in a figure.
IN_A_LINE = 36  # Of a name beside an axis, which is as high as a panel.
LARGEST = 1e150  # Of a number in a figure; matplotlib multiplies two of them.


def finish(ax: Any, xlabel: str, ylabel: str) -> None:
  """Names the axes, in the letters of all figures."""
  ax.set_xlabel(plain(xlabel), fontsize=8)
  ax.set_ylabel('\n'.join(textwrap.wrap(
      plain(ylabel), IN_A_LINE, break_long_words=False)), fontsize=8)
  ax.tick_params(labelsize=7)
  ax.grid(alpha=.25)
  ax.spines[['top', 'right']].set_visible(False)


def drawable(values: Any) -> np.ndarray:
  """Numbers that a figure can have: the largest of floats break an axis.

  Args:
    values: of any shape.

  Returns:
    The same as float64, those beyond ±LARGEST at it; what is not finite is nan.
  """
  values = np.asarray(values, np.float64)
  return np.clip(np.where(np.isfinite(values), values, np.nan),
                 -LARGEST, LARGEST)


def make_room(ax: Any, values: Sequence[Any], log: bool) -> None:
  """Gives y as much as lines need: a much wider band leaves the picture."""
  every = np.concatenate([drawable(x) for x in values])
  every = every[np.isfinite(every) & ((every > 0) | (not log))]
  if not len(every):
    return
  low, high = every.min(), every.max()
  if log:
    low = max(low, 1 / LARGEST)
    ratio = max(high / low, 1.2)**.12
    ax.set_ylim(low / ratio, high * ratio)
  else:
    room = .15 * (high - low) or .1 * abs(high) or 1.
    ax.set_ylim(low - room, high + room)


def short_values(axis: Any, log: bool) -> None:
  """Plain numbers on a logarithmic axis, and few of them."""
  if log:
    from matplotlib import ticker
    low, high = axis.get_view_interval()
    axis.set_major_locator(
        ticker.MaxNLocator(4) if high < 2 * low else ticker.LogLocator(
            subs=(1, 2, 5) if high > 8 * low else (1, 1.5, 2, 3, 4, 6, 8)))
    axis.set_major_formatter(ticker.FuncFormatter(
        lambda value, place: f'{value:g}'))
    axis.set_minor_formatter(ticker.NullFormatter())
  else:  # A sum or a factor that stands above the axis would be missed.
    formatter = axis.get_major_formatter()
    formatter.set_useOffset(False)
    formatter.set_scientific(max(map(abs, axis.get_view_interval())) > 1e6)


def short_numbers(ax: Any) -> None:
  """Few numbers on the x axis, such as 20k."""
  from matplotlib import ticker
  ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  ax.xaxis.set_major_locator(ticker.MaxNLocator(4))


def from_one(ax: Any, most: float) -> None:
  """An axis of 1, 2, 3, ...; of many, equal ratios have equal room."""
  if many := most > 10:
    ax.set_xscale('log')
  else:
    ax.set_xticks(range(1, int(most) + 1))
  short_values(ax.xaxis, many)
  ax.set_xlim(1, max(most, 2))


def name_columns(ax: Any, places: Sequence[float], names: Sequence[str],
                 room: float) -> None:
  """Names below the axis, turned where they need more characters than fit."""
  turned = max(map(len, names)) * len(names) > room
  ax.set_xticks(places, [*map(plain, names)], rotation=30 if turned else 0,
                ha='right' if turned else 'center')


def short(text: object, longest: int = 48) -> str:
  """A name that leaves room for the picture."""
  text = str(text)
  return text if len(text) <= longest else text[:longest - 1] + '…'


def told_apart(names: Sequence[object], longest: int = 48) -> list[str]:
  """Short names as `plain` writes them, which differ where the names do.

  Args:
    names: of lines or pictures of one figure.
    longest: characters of each. Where the first so many are the same for two
      names, names begin where they begin to differ.
  """
  texts = [*map(_written, names)]
  found = [short(x, longest) for x in texts]
  if len({*found}) < len({*texts}):
    same = len(os.path.commonprefix(texts))
    found = [x if len(x) <= longest else '…' + short(
        x[min(same, len(x) - longest + 1):], longest - 1) for x in texts]
  return [*map(_no_formula, found)]


def plain(text: object, longest: int = LONGEST) -> str:
  r"""A text that matplotlib writes as it is, and does not read as a formula.

  A letter that its font lacks is written as its code, [U+732B].

  Args:
    text: any.
    longest: characters; what is longer is cut.
  """
  return _no_formula(short(_written(text), longest))


def _no_formula(text):
  return text.replace('$', r'\$')


def _written(text):
  has = _font().get_char_index
  return ''.join(c if has(ord(c)) else f'[U+{ord(c):04X}]'
                 for c in visible(str(text)))


@functools.cache
def _font():
  """The font that matplotlib comes with, and writes with on every machine."""
  from matplotlib import font_manager
  return font_manager.get_font(font_manager.findfont('DejaVu Sans'))
