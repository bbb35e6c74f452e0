"""Numbers as lines of text: notes, bars and small histograms."""
import re

import numpy as np

_LEVELS = ' ▁▂▃▄▅▆▇█'
_PARTS = ' ▏▎▍▌▋▊▉'  # Eighths of a character, from the left.


def plain(note, most=10):
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


def bars(counts, width=30, most=20):
  """One line a count, with a bar as long as its share of the largest.

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
  names = {name: short(str(name)) for name in shown}
  left = max(map(len, names.values()))
  right = max(len(f'{count:,}') for count in shown.values())
  return [
      f'{names[name]:<{left}}  {bar(count / longest, width):<{width}}  '
      f'{count:>{right},}  {percent(count / whole):>6}'
      for name, count in shown.items()] + _more(len(counts) - most)


def bar(share, width):
  """A bar of `share` (0 .. 1) of `width` characters, to an eighth of one."""
  whole, part = divmod(round(share * width * 8), 8)
  return '█' * whole + (_PARTS[part] if part else '')


def spark(counts, width=64):
  """A histogram in one line.

  Its middle heights fill the line: a spike, as pure white often is, is cut.

  Args:
    counts: [n], n a multiple of `width`.
  """
  heights = np.asarray(counts, float).reshape(width, -1).sum(1)
  top = max(heights.min(), min(heights.max(), 4 * np.median(heights)))
  top = top or heights.max() or 1.
  levels = np.ceil(np.clip(heights / top, 0, 1) * 8).astype(int)
  return ''.join(_LEVELS[level] for level in levels)


def percent(share):
  """0 .. 1 -> '12.3 %', and never 0 for what is there."""
  if 0 < share < .001:
    return '<0.1 %'
  return f'{share:.1%}'.replace('%', ' %')


def several(count, thing, things=''):
  """1 -> '1 picture', 2000 -> '2,000 pictures'."""
  return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def reason(text):
  """What a library said, without the address of an object in memory."""
  return re.sub(r' <[\w.]+ object at 0x\w+>', '', text)


def short(name, longest=24):
  """A name cut to `longest` characters."""
  return name if len(name) <= longest else name[:longest - 1] + '…'


def class_name(name, place, count, writes):
  """A class as a picture shows it: short, or its number of `count`, from 1.

  Args:
    writes: text -> whether the font of the picture has its characters.
  """
  name = short(str(name))
  return name if writes(name) else f'class {place + 1:,} of {count:,}'


def legible(text, writes):
  """The text with a question mark for each character that a font lacks."""
  return ''.join(c if writes(c) else '?' for c in text)


def _number(value):
  return f'{value:,}' if isinstance(value, int) else str(value)


def _more(count):
  return [f'... {count:,} more'] if count > 0 else []
