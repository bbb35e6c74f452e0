"""Figures of a comparison: curves with bands, intervals, boxes, heat maps.

Each is written as a PNG to look at and as a PDF for a paper, at the width of
one column or of two, in the letters of the paper's size.
"""
from collections.abc import Mapping, Sequence
import os
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.files.atomic import replacing

# Okabe & Ito 2008, without the yellow: the colour-blind tell them apart too.
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00',
          '#000000')
DASHES = ('-', '--', '-.', ':')  # The next ones, where colours are used up.
COLUMN, TWO_COLUMNS = 3.4, 7.0  # Inches, as in most conferences.


class Curve(NamedTuple):
  """A line, and the band around it.

  Attributes:
    x, y: [n]; nan is a gap.
    low, high: [n], the ends of the band; None draws none.
  """
  x: Sequence[float] | np.ndarray
  y: Sequence[float] | np.ndarray
  low: Sequence[float] | np.ndarray | None = None
  high: Sequence[float] | np.ndarray | None = None


def curves(panels: Mapping[str, Mapping[str, Curve]], ylabel: str,
           log: bool = False, steps: bool = False) -> Any:
  """Panels side by side with the same curves over different things.

  Args:
    panels: {what is on its x axis: {name: Curve}}; all have the same y axis.
    ylabel: what y is.
    log: whether y is logarithmic.
    steps: whether a value holds until the next one.

  Returns:
    A figure for `save`.
  """
  fig = _figure(len(panels))
  axes = fig.subplots(1, len(panels), sharey=True, squeeze=False)[0]
  names = list(dict.fromkeys(k for panel in panels.values() for k in panel))
  for ax, (xlabel, panel) in zip(axes, panels.items(), strict=True):
    for name, curve in panel.items():
      _draw(ax, name, names.index(name), curve, steps)
    if log:
      ax.set_yscale('log')
    _finish(ax, xlabel, ylabel if ax is axes[0] else '')
    _short_numbers(ax)
  _legend(fig, axes[0], names)
  return fig


def _draw(ax, name, place, curve, steps):
  color, dash = COLORS[place % len(COLORS)], DASHES[
      place // len(COLORS) % len(DASHES)]
  x, y = (np.asarray(v, float) for v in (curve.x, curve.y))
  more = {'drawstyle': 'steps-post'} if steps else {}
  if len(x) < 20 and not steps:
    more['marker'] = '.'
  ax.plot(x, y, dash, color=color, label=name, linewidth=1.4, **more)
  if curve.low is not None:
    ax.fill_between(x, np.asarray(curve.low, float),
                    np.asarray(curve.high, float), color=color, alpha=.15,
                    linewidth=0, step='post' if steps else None)


def intervals(rows: Mapping[str, tuple[float, float, float]], xlabel: str,
              references: Mapping[str, float] | None = None) -> Any:
  """A dot with its interval for each name, the first one on top.

  Args:
    rows: {name: (value, low, high)}; nan for ends that are not there.
    xlabel: what the values are.
    references: {name: value} of dashed lines.
  """
  fig = _figure(1, height=.9 + .24 * len(rows))
  ax = fig.subplots()
  for i, (value, low, high) in enumerate(rows.values()):
    ax.plot([low, high], [i, i], color=COLORS[0], linewidth=1.6)
    ax.plot([value], [i], 'o', color=COLORS[0], markersize=4)
  for j, (name, value) in enumerate((references or {}).items()):
    ax.axvline(value, linestyle=DASHES[1 + j % 3], color='.4', linewidth=1,
               label=name)
  ax.set_yticks(range(len(rows)), [*map(_plain, rows)])
  ax.set_ylim(len(rows) - .5, -.5)
  _finish(ax, xlabel, '')
  if references:
    ax.legend(fontsize=7, edgecolor='none')
  return fig


def boxes(groups: Mapping[str, Sequence[float] | np.ndarray], ylabel: str,
          log: bool = False) -> Any:
  """A box for each group, with each of its values as a dot.

  Args:
    groups: {name: [n] values}.
    ylabel: what they are.
    log: whether the axis is logarithmic.
  """
  fig = _figure(1)
  ax = fig.subplots()
  rng = np.random.default_rng(0)
  values = [np.asarray(group, float) for group in groups.values()]
  ax.boxplot(values, widths=.55, showfliers=False,
             medianprops={'color': COLORS[1], 'linewidth': 1.6})
  for i, group in enumerate(values, 1):
    ax.plot(i + rng.uniform(-.16, .16, len(group)), group, '.',
            color=COLORS[0], alpha=.6, markersize=4)
  _name_columns(ax, range(1, len(groups) + 1), [*groups], 36)
  if log:
    ax.set_yscale('log')
  _finish(ax, '', ylabel)
  return fig


def heat(values: np.ndarray, down: Sequence[str], across: Sequence[str],
         label: str, lower: bool = True) -> Any:
  """A map of numbers, dark where they are good; each is written in its cell.

  Args:
    values: [rows, columns]; nan stays empty.
    down, across: names of the rows and of the columns.
    label: what the numbers are.
    lower: whether less is better.
  """
  rows, columns = values.shape
  fig = _figure(1, width=max(COLUMN, 1.4 + .62 * columns),
                height=1. + .34 * rows)
  ax = fig.subplots()
  shown = ax.imshow(values, cmap='viridis' if lower else 'viridis_r',
                    aspect='auto')
  middle = np.nanmean([np.nanmin(values), np.nanmax(values)])
  for i, j in np.ndindex(rows, columns):
    if np.isfinite(values[i, j]):
      dark = (values[i, j] < middle) == lower
      ax.text(j, i, f'{values[i, j]:.3g}', ha='center', va='center', fontsize=7,
              color='white' if dark else 'black')
  _name_columns(ax, range(columns), across, 10 * columns)
  ax.set_yticks(range(rows), [*map(_plain, down)])
  ax.tick_params(labelsize=8, length=0)
  bar = fig.colorbar(shown, ax=ax)
  bar.set_label(_plain(label), fontsize=8)
  bar.ax.tick_params(labelsize=7)
  return fig


def save(figure: Any, path: str | os.PathLike) -> list[str]:
  """Writes path.png and path.pdf; returns both names."""
  names = []
  for ending, settings in (('png', {'dpi': 200}), ('pdf', {})):
    names.append(f'{os.fspath(path)}.{ending}')
    with replacing(names[-1]) as temporary:
      # Without a date, the same values give the same bytes.
      figure.savefig(temporary, format=ending, metadata=(
          {'CreationDate': None} if ending == 'pdf' else None), **settings)
  return names


def _figure(panels, width=None, height=2.5):
  from matplotlib import figure  # Not pyplot, which has one current figure.
  usual = COLUMN if panels == 1 else TWO_COLUMNS
  return figure.Figure(figsize=(width or usual, height), layout='constrained')


def _name_columns(ax, places, names, room):
  """Names below the axis, turned where they need more characters than fit."""
  turned = max(map(len, names)) * len(names) > room
  ax.set_xticks(places, [*map(_plain, names)], rotation=30 if turned else 0,
                ha='right' if turned else 'center')


def _finish(ax, xlabel, ylabel):
  ax.set_xlabel(_plain(xlabel), fontsize=8)
  ax.set_ylabel(_plain(ylabel), fontsize=8)
  ax.tick_params(labelsize=7)
  ax.grid(alpha=.25)
  ax.spines[['top', 'right']].set_visible(False)


def _short_numbers(ax):
  from matplotlib import ticker
  ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  ax.xaxis.set_major_locator(ticker.MaxNLocator(4))


def _legend(fig, ax, names):
  if len(names) > 1:
    handles = ax.get_legend_handles_labels()
    fig.legend(handles[0], [*map(_plain, handles[1])], fontsize=7, ncols=min(
        4, len(names)), loc='outside upper center', frameon=False)


def _plain(text):
  r"""A text that matplotlib writes as it is, and does not read as a formula."""
  return str(text).replace('$', r'\$')
