"""Curves as inline SVG for a page: of its letters, light or dark as it is.

Matplotlib draws them, as it draws those of papers: the page then needs no
library of another language, prints sharply, and has curves without scripts.
"""
from collections.abc import Mapping
import io
import re
from typing import Any
import warnings

import numpy as np

from msg_gan_jax.report import axis, plots
from msg_gan_jax.report.plots import Curve

SIZE = (3.7, 1.95)  # Inches; the page makes them as wide as there is room.
MOST_POINTS = 250  # Of a line; more would not be seen.
# What follows the page: matplotlib's black, and its choice of letters.
_INK = re.compile('#000000')
_LETTERS = re.compile(r" font-family: [^;\"]*;|font-family: [^;\"]*;?")
_LONG = re.compile(r'(\d+\.\d)\d+')
_PLACES = re.compile(r' (?:d|x|y|transform)="[^"]*"')  # Where things are.


def chart(lines: Mapping[str, Curve], xlabel: str, label: str,
          log: bool = False, marks: Mapping[str, float] | None = None,
          places: Mapping[str, int] | None = None) -> str:
  """One small chart.

  Args:
    lines: {name: Curve}.
    xlabel: what is on the x axis.
    label: what readers who hear the page are told of it.
    log: whether y is logarithmic, where it has two values above 0.
    marks: {a row of curves.REFERENCES: y}: dashed lines to compare with.
    places: {name: place}, which gives a line its colour and dashes, see `key`;
      None goes by the order.

  Returns:
    An <svg> element. Each has ids of its own, by `label` and `xlabel`.
  """
  from matplotlib import figure
  log = log and any((np.asarray(x.y) > 0).sum() > 1 for x in lines.values())
  fig = figure.Figure(figsize=SIZE, facecolor='none')
  ax = fig.add_axes((.145, .215, .84, .755), facecolor='none')
  for i, (name, curve) in enumerate(lines.items()):
    plots.draw(ax, name, places[name] if places else i, thinned(curve))
  for i, y in enumerate((marks or {}).values()):
    plots.mark(ax, i, y)
  if log:
    ax.set_yscale('log')
  axis.make_room(ax, [
      *(x.y for x in lines.values()), [*(marks or {}).values()]], log)
  axis.finish(ax, xlabel, '')
  axis.short_values(ax.yaxis, log)
  axis.short_numbers(ax)
  return _svg(fig, f'{label}|{xlabel}', f'{label}, over {xlabel}. '
              + told(lines))


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
  """At most so many points: each the median of as many neighbours."""
  count = len(curve.x)
  if count <= most:
    return curve
  width = -(-count // most)

  def medians(values):
    padded = np.full(-(-count // width) * width, np.nan)
    padded[:count] = values
    with warnings.catch_warnings():
      warnings.simplefilter('ignore', RuntimeWarning)  # Gaps stay gaps.
      return np.nanmedian(padded.reshape(-1, width), axis=1)

  return Curve(medians(curve.x), medians(curve.y), *(
      None if x is None else medians(x) for x in (curve.low, curve.high)))


def told(lines: Mapping[str, Curve]) -> str:
  """Where each line begins and ends, in words."""
  words = []
  for name, curve in lines.items():
    y = np.asarray(curve.y, np.float64)
    y = y[np.isfinite(y)]
    if len(y):
      words.append(f'{name}: from {y[0]:.4g} to {y[-1]:.4g}')
  return '; '.join(words) + '.'


def key(place: int) -> tuple[str, str]:
  """(colour, dashes as SVG has them) of the line at a place in a chart."""
  dashes = ('', '6 3', '6 2 1 2', '1 2')
  color = plots.COLORS[place % len(plots.COLORS)]
  return _colour(color), dashes[place // len(plots.COLORS) % len(dashes)]


def _colour(color):
  return _INK.sub('currentColor', color)


def _svg(fig: Any, salt: str, label: str) -> str:
  """A figure as an element of a page."""
  from xml.sax import saxutils

  import matplotlib
  file = io.StringIO()
  with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': salt}):
    fig.savefig(file, format='svg', metadata={
        'Date': None, 'Creator': None, 'Format': None, 'Type': None})
  text = file.getvalue()
  text = text[text.index('<svg'):]
  head, body = text.split('>', 1)
  size = re.search(r'viewBox="([^"]*)"', head)
  body = re.sub(r'<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->', '',
                body, flags=re.DOTALL)
  body = _PLACES.sub(lambda found: _LONG.sub(r'\1', found[0]),
                     _LETTERS.sub('', _colour(body)))
  attributes = {'viewBox': size[1] if size else '', 'role': 'img',
                'aria-label': label,
                'xmlns:xlink': 'http://www.w3.org/1999/xlink'}
  head = ''.join(f' {name}={saxutils.quoteattr(value)}'
                 for name, value in attributes.items())
  return f'<svg{head}>{body}'.replace('\n', ' ')
