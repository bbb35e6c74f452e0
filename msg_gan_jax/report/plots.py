"""Figures of a comparison: curves with bands, intervals, boxes, heat maps.

Each is written as a PNG to look at and as a PDF for a paper, at the width of
one column or of two, in the letters of the paper's size.
"""
from collections.abc import Mapping, Sequence
import os
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import axis
from msg_gan_jax.report.tables import number

# Okabe & Ito 2008, without the yellow: the colour-blind tell them apart too.
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00',
          '#000000')
DASHES = ('-', '--', '-.', ':')  # The next ones, where colours are used up.
MARKERS = 'osD^v'
COLUMN, TWO_COLUMNS = 3.4, 7.0  # Inches, as in most conferences.
MOST_IN_A_ROW = 4  # Panels of curves.


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
           log: bool = False, steps: bool = False, by_lines: bool = False,
           marks: Mapping[str, float] | None = None) -> Any:
  """Panels, four in a row, with the same curves over different things.

  Args:
    panels: {what is on its x axis: {name: Curve}}; all have the same y axis.
    ylabel: what y is.
    log: whether y is logarithmic, where any of it is above 0.
    steps: whether x counts something from 1 on, so that a value holds until
      the next one.
    by_lines: whether y has the room that lines need, and a band may leave it.
    marks: {name: y}: grey dashed lines to compare with.

  Returns:
    A figure for `save`.
  """
  marks = marks or {}
  lines = [x.y for panel in panels.values() for x in panel.values()]
  log = log and any((np.asarray(y, float) > 0).any() for y in lines)
  names = list(dict.fromkeys(k for panel in panels.values() for k in panel))
  columns = min(MOST_IN_A_ROW, len(panels))
  rows = -(-len(panels) // columns)
  fig = _figure(columns, height=.4 + 2.1 * rows, names=[*names, *marks])
  places = fig.subplots(rows, columns, sharey=True, squeeze=False)
  for ax in places.flat[len(panels):]:
    ax.set_visible(False)
  for i, (ax, (xlabel, panel)) in enumerate(zip(
      places.flat, panels.items(), strict=False)):
    for name, curve in panel.items():
      draw(ax, name, names.index(name), curve, steps)
    for row, (name, y) in enumerate(marks.items()):
      mark(ax, row, y, name)
    if log:
      ax.set_yscale('log')
    axis.finish(ax, xlabel, '' if i % columns else ylabel)
    if steps:
      axis.from_one(ax, max(np.max(x.x) for x in panel.values()))
    else:
      axis.short_numbers(ax)
  first = places[0, 0]
  if by_lines:
    axis.make_room(first, [*lines, [*marks.values()]], log)
  axis.short_values(first.yaxis, log)
  _legend(fig, places.flat[:len(panels)])
  return fig


def mark(ax: Any, place: int, y: float, name: str = '') -> None:
  """Draws a grey dashed line to compare with, across the whole panel."""
  ax.axhline(y, color='.5', linewidth=1, linestyle=DASHES[1 + place % 3],
             label=_label(name))


def draw(ax: Any, name: str, place: int, curve: Curve,
         steps: bool = False) -> None:
  """Draws a line, with its band; its colour and dashes go by its place."""
  color, dash = COLORS[place % len(COLORS)], DASHES[
      place // len(COLORS) % len(DASHES)]
  x, y = (np.asarray(v, float) for v in (curve.x, curve.y))
  more = {'drawstyle': 'steps-post'} if steps else {}
  if len(x) < 20 and not steps:
    more['marker'] = '.'
  ax.plot(x, y, dash, color=color, label=_label(name), linewidth=1.4, **more)
  if curve.low is not None:
    ax.fill_between(x, np.asarray(curve.low, float),
                    np.asarray(curve.high, float), color=color, alpha=.15,
                    linewidth=0, step='post' if steps else None)


def intervals(rows: Mapping[str, tuple[float, float, float]], xlabel: str,
              dots: Mapping[str, Sequence[float]] | None = None,
              log: bool = False) -> Any:
  """A dot with its interval for each name, the first one on top.

  What is shown is the room that the values take. An interval that leaves it,
  as of two seeds, ends in an arrow.

  Args:
    rows: {name: (value, low, high)}; nan for ends that are not there.
    xlabel: what the values are.
    dots: {name: [n] values} beside the interval, such as of each seed.
    log: whether equal ratios have equal room.
  """
  names = dict(zip(rows, axis.told_apart([*rows]), strict=True))
  width = COLUMN + .055 * max(0, max(map(len, names.values())) - 18)
  fig = _figure(1, width=width, height=.9 + .24 * len(rows))
  ax = fig.subplots()
  ends = [x for row in rows.values() for x in row]
  shown = [row[0] for row in rows.values()] + [
      x for values in (dots or {}).values() for x in values]
  left, right = _room(shown, log)
  left, right = max(left, np.nanmin(ends)), min(right, np.nanmax(ends))
  for i, (name, (value, low, high)) in enumerate(rows.items()):
    ax.plot([max(low, left), min(high, right)], [i, i], color=COLORS[0],
            linewidth=1.6)
    for end, beyond, marker in ((left, low < left, '<'),
                                (right, high > right, '>')):
      if beyond:
        ax.plot([end], [i], marker, color=COLORS[0], markersize=5)
    if dots and name in dots:
      ax.plot(dots[name], [i + .22] * len(dots[name]), '.', color='.45',
              markersize=3.5)
    ax.plot([value], [i], 'o', color=COLORS[0], markersize=4)
  ax.set_yticks(range(len(rows)), [*names.values()])
  ax.set_ylim(len(rows) - .5, -.5)
  if log:
    ax.set_xscale('log')
    axis.short_values(ax.xaxis, log)
  axis.finish(ax, xlabel, '')
  return fig


def _room(values, log):
  """The ends of an axis that shows these values with some room beside."""
  if log:
    return tuple(np.exp(_room(np.log(values), False)))
  room = .35 * (np.ptp(values) or abs(values[0]) or 1.)
  return min(values) - room, max(values) + room


def boxes(groups: Mapping[str, Sequence[float] | np.ndarray], ylabel: str,
          log: bool = False, xlabel: str = '') -> Any:
  """A box for each group, with each of its values as a dot.

  Args:
    groups: {name: [n] values}.
    ylabel: what they are.
    xlabel: what the groups are.
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
  axis.name_columns(ax, range(1, len(groups) + 1), [*groups], 36)
  if log:
    ax.set_yscale('log')
  axis.short_values(ax.yaxis, log)
  axis.finish(ax, xlabel, ylabel)
  return fig


def heats(panels: Mapping[str, np.ndarray], down: Sequence[str],
          across: Sequence[str], label: str, lower: bool = True,
          log: bool = False, xlabel: str = '', ylabel: str = '') -> Any:
  """Maps of numbers side by side, dark where they are good.

  Each number is written in its cell.

  Args:
    panels: {title: [rows, columns]}; nan stays empty.
    down, across: names of the rows and of the columns.
    label: what the numbers are.
    lower: whether less is better.
    log: whether equal ratios have equally different colours.
    xlabel, ylabel: what goes across and down.
  """
  from matplotlib import colors
  every = np.stack([*panels.values()])
  _, rows, columns = every.shape
  norm = (colors.LogNorm if log else colors.Normalize)(
      np.nanmin(every), np.nanmax(every))
  fig = _figure(1, width=max(COLUMN, 1.4 + .62 * columns * len(panels)),
                height=1.1 + .34 * rows + .2 * bool(xlabel))
  axes = fig.subplots(1, len(panels), sharey=True, squeeze=False)[0]
  for ax, (title, values) in zip(axes, panels.items(), strict=True):
    shown = ax.imshow(values, cmap='viridis' if lower else 'viridis_r',
                      aspect='auto', norm=norm)
    for i, j in np.ndindex(rows, columns):
      if np.isfinite(values[i, j]):
        dark = (norm(values[i, j]) < .5) == lower
        ax.text(j, i, number(float(values[i, j]), 3), ha='center', va='center',
                fontsize=7, color='white' if dark else 'black')
    axis.name_columns(ax, range(columns), across, 10 * columns)
    ax.set_xlabel(axis.plain(xlabel), fontsize=8)
    ax.set_title(axis.plain(title), fontsize=8)
    ax.tick_params(labelsize=8, length=0)
  axes[0].set_yticks(range(rows), [*map(axis.plain, down)])
  axes[0].set_ylabel(axis.plain(ylabel), fontsize=8)
  bar = fig.colorbar(shown, ax=axes)
  bar.set_label(axis.plain(label), fontsize=8)
  bar.ax.tick_params(labelsize=7, which='both')
  axis.short_values(bar.ax.yaxis, log)
  return fig


class Dots(NamedTuple):
  """Points of a scatter plot: x and y, [n] each."""
  x: Sequence[float] | np.ndarray
  y: Sequence[float] | np.ndarray


def scatters(panels: Mapping[str, Mapping[str, Dots]], ylabel: str,
             log: bool = False, log_x: Sequence[str] = ()) -> Any:
  """Panels of dots with the same y axis, three in a row.

  Args:
    panels: {what is on its x axis: {name: Dots}}.
    ylabel: what y is.
    log: whether y is logarithmic.
    log_x: panels whose x axis is.
  """
  columns = min(3, len(panels))
  rows = -(-len(panels) // columns)
  fig = _figure(columns, height=.4 + 2.1 * rows)
  places = fig.subplots(rows, columns, sharey=True, squeeze=False)
  for ax in places.flat[len(panels):]:
    ax.set_visible(False)
  names = list(dict.fromkeys(k for panel in panels.values() for k in panel))
  for i, (ax, (xlabel, panel)) in enumerate(zip(
      places.flat, panels.items(), strict=False)):
    for name, dots in panel.items():
      ax.plot(dots.x, dots.y, MARKERS[names.index(name) % len(MARKERS)],
              color=COLORS[names.index(name) % len(COLORS)], markersize=3,
              alpha=.7, markeredgewidth=0, label=_label(name))
    if xlabel in log_x:
      ax.set_xscale('log')
    if log:
      ax.set_yscale('log')
    axis.finish(ax, xlabel, '' if i % columns else ylabel)
  axis.short_values(places[0, 0].yaxis, log)
  _legend(fig, places.flat[:len(panels)])
  return fig


def save(figure: Any, path: str | os.PathLike) -> list[str]:
  """Writes path.png and path.pdf; returns both names."""
  import matplotlib
  names = []
  for ending, settings in (('png', {'dpi': 200}), ('pdf', {})):
    names.append(f'{os.fspath(path)}.{ending}')
    # Venues refuse fonts of type 3, which are matplotlib's own choice.
    with replacing(names[-1]) as temporary, matplotlib.rc_context(
        {'pdf.fonttype': 42}):
      # Without a date, the same values give the same bytes.
      figure.savefig(temporary, format=ending, metadata=(
          {'CreationDate': None} if ending == 'pdf' else None), **settings)
  return names


def _figure(panels, width=None, height=2.5, names=()):
  from matplotlib import figure  # Not pyplot, which has one current figure.
  width = width or (COLUMN if panels == 1 else TWO_COLUMNS)
  lines = -(-len(names) // _in_a_row(names, width)) if names else 1
  return figure.Figure(figsize=(width, height + .16 * (lines - 1)),
                       layout='constrained')


def _in_a_row(names, width):
  """How many names of a legend fit into the width of a figure, in inches."""
  return max(1, min(len(names), int(
      width / (.47 + .052 * max(map(len, axis.told_apart([*names])))))))


def _label(name):
  """A name for a legend: matplotlib leaves out those that begin with '_'."""
  return f' {name}' if name.startswith('_') else name


def _legend(fig, axes):
  """Names what any of the panels has, above them all."""
  found = {name: handle for ax in axes for handle, name in zip(
      *ax.get_legend_handles_labels(), strict=True)}
  if len(found) > 1:
    fig.legend([*found.values()], axis.told_apart([*found]),
               fontsize=7, ncols=_in_a_row(found, fig.get_figwidth()),
               loc='outside upper center', frameon=False)
