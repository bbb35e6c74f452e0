"""A data set as one picture: values, classes, sizes, mean and deviation."""
from collections.abc import Mapping
import os
from typing import Any

import numpy as np

from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import text

_COLORS = {'red': '#D55E00', 'green': '#009E73', 'blue': '#0072B2',
           'grey': '#444444', 'alpha': '#CC79A7'}
_BAR = '#56789A'
_MOST_BARS = 20


def plot(facts: Mapping[str, Any], mean: np.ndarray, std: np.ndarray,
         path: str | os.PathLike, title: str = '') -> None:
  """Writes a PNG.

  Args:
    facts: {'channels': {name: {'histogram': [256], 'mean', 'std', 'at_0',
      'at_255'}}, 'classes': {name: count}, 'notes': {'sizes': {size: count}}}.
    mean, std: float [H, W, C] over the pictures, in 0 .. 255.
    path: of the file.
    title: over the whole.
  """
  from matplotlib import figure, font_manager
  channels, lists = facts['channels'], _lists(facts)
  fig = figure.Figure(
      figsize=(8 + 4.5 * bool(lists), 5.4), layout='constrained')
  can_write = _can_write(font_manager)
  if title:
    fig.suptitle(
        text.legible(title, can_write), fontsize=12, parse_math=False)
  columns = fig.add_gridspec(
      1, 3 if lists else 2, width_ratios=[4.6, 2.6, 4][:3 if lists else 2])
  rows = columns[0].subgridspec(len(channels), 1)
  for i, (name, channel) in enumerate(channels.items()):
    _values(fig.add_subplot(rows[i]), name, channel,
            last=i == len(channels) - 1)
  pictures = columns[1].subgridspec(2, 1)
  _mean(fig.add_subplot(pictures[0]), mean)
  _deviation(fig.add_subplot(pictures[1]), std)
  if lists:
    shares = [min(len(counts), _MOST_BARS) + 2 for counts in lists.values()]
    rows = columns[2].subgridspec(len(lists), 1, height_ratios=shares)
    for i, (name, counts) in enumerate(lists.items()):
      _bars(fig.add_subplot(rows[i]), name, counts, can_write)
  with replacing(path) as temporary:
    fig.savefig(temporary, format='png', dpi=110)


def _can_write(font_manager):
  """A function: text -> whether the usual font has its characters."""
  font = font_manager.get_font(
      font_manager.findfont(font_manager.FontProperties()))
  return lambda text: all(font.get_char_index(ord(c)) for c in text)


def _lists(facts):
  """{title: {name: count}} of what is drawn as bars."""
  notes = facts.get('notes', {})
  sizes = dict(notes.get('sizes', {}))
  others = notes.get('out_of', facts['train']) - sum(sizes.values())
  if others > 0 and sizes:
    sizes['other sizes'] = others
  return {title: counts for title, counts in (
      ('pictures of a class', facts.get('classes', {})),
      ('sizes of the originals', sizes if len(sizes) > 1 else {})) if counts}


def _values(ax, name, channel, last):
  share = 100 * np.array(channel['histogram']) / sum(channel['histogram'])
  ax.stairs(share, np.arange(257) - .5, color=_COLORS.get(name, '#444444'),
            fill=True)
  # Pure black and white, and the few colours of a drawing, would flatten the
  # rest; what is cut off at 0 and 255 stands in the title.
  top = np.sort(share)[-16]
  ax.set_ylim(0, 1.15 * (top or share.max()))
  ax.set_xlim(-1.5, 256.5)
  ax.set_xticks((0, 64, 128, 192, 255), labels=None if last else [''] * 5)
  ends = ''.join(
      f', {text.percent(channel[key])} at {value}'
      for key, value in (('at_0', 0), ('at_255', 255)) if channel[key])
  _plain(ax, f"{name}: {channel['mean']:.0f} ± {channel['std']:.0f}{ends}")
  if last:
    ax.set_xlabel('value', fontsize=9)
  ax.set_ylabel('% of pixels', fontsize=8)


def _mean(ax, mean):
  pixels = np.rint(mean).astype(np.uint8)
  pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else (
      pixels[..., :1].repeat(3, -1))
  ax.imshow(pixels, interpolation='nearest')
  ax.set_title('mean picture', fontsize=10, loc='left')
  ax.set_axis_off()


def _deviation(ax, std):
  # Of the colours together: where the pictures differ, not in which channel.
  level = np.sqrt((std[..., :3]**2).mean(-1))
  ax.imshow(level, cmap='magma', interpolation='nearest')
  ax.set_title(f'deviation: {level.min():.0f} (dark) to {level.max():.0f}',
               fontsize=10, loc='left')
  ax.set_axis_off()


def _bars(ax, title, counts, can_write):
  more = len(counts) - _MOST_BARS
  shown = list(counts.items())[:_MOST_BARS]
  names = [text.class_name(name, i, len(counts), can_write)
           for i, (name, _) in enumerate(shown)]
  values = [count for _, count in shown]
  ax.barh(range(len(shown)), values, height=.72, color=_BAR)
  ax.set_yticks(range(len(shown)), names, parse_math=False)
  ax.set_ylim(max(len(shown), 4) - .5, -.5)  # The first on top.
  ax.set_xlim(0, 1.18 * max(values))
  for i, value in enumerate(values):
    ax.text(value, i, f' {value:,}', va='center', fontsize=8)
  ax.set_xticks([])
  ax.spines['bottom'].set_visible(False)
  _plain(ax, title + (f'; {more:,} more' if more > 0 else ''))


def _plain(ax, title):
  ax.set_title(title, fontsize=10, loc='left')
  ax.spines[['top', 'right']].set_visible(False)
  ax.tick_params(labelsize=8)
