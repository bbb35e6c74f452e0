"""Numbers as lines of text: notes, bars and small histograms."""
from collections.abc import Callable, Mapping, Sequence
import re
from typing import Any

import numpy as np

from msg_gan_jax.files.console import visible
from msg_gan_jax.files.disk import size as size

_LEVELS = ' ▁▂▃▄▅▆▇█'
_PARTS = ' ▏▎▍▌▋▊▉'  # Eighths of a character, from the left.


def plain(note: Any, most: int = 10) -> str:
  """A note of a source as one line.

  Args:
    note: what JSON holds: a dict, a list, pairs of a name and a reason, ...
    most: entries of a list that are shown.
  """
  if isinstance(note, dict):
    return ', '.join(f'{k} {_number(v)}' for k, v in note.items()) or 'none'
  if isinstance(note, list | tuple):
    shown = [': '.join(map(_number, x)) if isinstance(x, list | tuple)
             else _number(x) for x in note[:most]]
    return ', '.join(shown + _more(len(note) - most)) or 'none'
  return _number(note)


def bars(counts: Mapping[str, int], width: int = 30,
         most: int = 20) -> list[str]:
  """A line for each count, with a bar as long as its share of the largest.

  Args:
    counts: {name: how many}.
    width: characters of the longest bar.
    most: lines before '... n more'.
  """
  shown = dict(list(counts.items())[:most])
  if not shown:
    return []
  longest = max(1, *counts.values())
  whole = max(1, sum(counts.values()))
  names = {name: short(visible(str(name))) for name in shown}
  left = max(map(len, names.values()))
  right = max(len(f'{count:,}') for count in shown.values())
  return [
      f'{names[name]:<{left}}  {bar(count / longest, width):<{width}}  '
      f'{count:>{right},}  {percent(count / whole):>6}'
      for name, count in shown.items()] + _more(len(counts) - most)


def bar(share: float, width: int) -> str:
  """A bar over a share (0 .. 1) of `width` characters, to an eighth of one."""
  whole, part = divmod(round(share * width * 8), 8)
  return '█' * whole + (_PARTS[part] if part else '')


def spark(counts: Sequence[float] | np.ndarray, width: int = 64) -> str:
  """A histogram in one line.

  Its middle heights fill the line. A spike is cut, such as that of pure white.

  Args:
    counts: [n], n a multiple of `width`.
  """
  heights = np.asarray(counts, float).reshape(width, -1).sum(1)
  top = max(heights.min(), min(heights.max(), 4 * np.median(heights)))
  top = top or heights.max() or 1.
  levels = np.ceil(np.clip(heights / top, 0, 1) * 8).astype(int)
  return ''.join(_LEVELS[level] for level in levels)


def percent(share: float) -> str:
  """0 .. 1 -> '12.3 %'; '<0.1 %' for little, '>99.9 %' for nearly all."""
  if 0 < share < .001:
    return '<0.1 %'
  if .9995 <= share < 1:  # What would be rounded to all.
    return '>99.9 %'
  return f'{share:.1%}'.replace('%', ' %')


def plural(count: int, thing: str, things: str = '') -> str:
  """1 -> '1 picture', 2000 -> '2,000 pictures'."""
  return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def duration(seconds: float) -> str:
  """62.4 -> '1:02', and 3600 -> '1:00:00'."""
  minutes, rest = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f'{hours}:{minutes:02}:{rest:02}' if hours else f'{minutes}:{rest:02}'


def reason(text: str) -> str:
  """What a library said, without the address of an object in memory."""
  return re.sub(r' <[\w.]+ object at 0x\w+>', '', text)


def short(name: str, longest: int = 24) -> str:
  """A name cut to `longest` characters."""
  return name if len(name) <= longest else name[:longest - 1] + '…'


def class_name(name: object, place: int, count: int,
               can_write: Callable[[str], bool]) -> str:
  """The name of a class in a picture: short, or its number among `count`.

  Args:
    name: of the class.
    place: its index, from 0.
    count: of all classes.
    can_write: whether the font of the picture has all characters of a text.
  """
  words = short(str(name))
  return words if can_write(words) else f'class {place + 1:,} of {count:,}'


def legible(text: str, can_write: Callable[[str], bool]) -> str:
  """The text with a question mark for each character that a font lacks."""
  return ''.join(c if can_write(c) else '?' for c in text)


def columns(rows: Sequence[Sequence[str]], align: str = '<>',
            least: Sequence[int] = (0,)) -> list[str]:
  """Rows of cells as lines in which the columns stand below each other.

  Args:
    rows: cells, as many in each row; a heading is a row like the others.
    align: '<' (left) or '>' (right) for each column.
    least: characters of each column at least; it is wider where a cell wants
      it, by two blanks.

  The last of `align` and of `least` stands for all columns that follow.
  """
  places = range(len(rows[0]))
  least = [least[min(i, len(least) - 1)] for i in places]
  align = align.ljust(len(places), align[-1])
  widths = [max(least[i], 2 + max(len(row[i]) for row in rows)) for i in places]
  return [''.join(f'{row[i]:{align[i]}{widths[i]}}' for i in places).rstrip()
          for row in rows]


def _number(value):
  return f'{value:,}' if isinstance(value, int) else str(value)


def _more(count):
  return [f'... {count:,} more'] if count > 0 else []
