"""Small plots of measured points beside a line of perfect scaling, as a PNG."""
import math
import textwrap
from typing import NamedTuple

from msg_gan_jax.files.atomic import replacing

COLUMNS = 2  # 1,000 pixels wide.
_MEASURED, _IDEAL, _ENDS = '#0072B2', '#7F7F7F', '#D55E00'


class Plot(NamedTuple):
  """One panel.

  Attributes:
    title, x_label, y_label: words, with units.
    x, y: [n], the measured points.
    ideal: [n], y where the work scales.
    ends: numbers of the points where y leaves the ideal.
    text: what the panel says, a sentence or two.
  """
  title: str
  x_label: str
  y_label: str
  x: tuple[float, ...]
  y: tuple[float, ...]
  ideal: list[float]
  ends: list[int]
  text: str


def draw(plots, title, path):
  """Writes a PNG of Plots, 1,000 pixels wide."""
  # Not pyplot, which has one current figure for the whole process.
  from matplotlib import figure
  rows = math.ceil(len(plots) / COLUMNS)
  fig = figure.Figure(figsize=(10, 3.4 * rows + .5), layout='constrained')
  fig.get_layout_engine().set(hspace=.06, wspace=.06)
  fig.suptitle(title, fontsize=11)
  for i, plot in enumerate(plots, 1):
    _panel(fig.add_subplot(rows, COLUMNS, i), plot)
  with replacing(path) as temporary:
    fig.savefig(temporary, format='png', dpi=100)


def _panel(ax, plot):
  ax.set_xscale('log')
  ax.set_yscale('log')
  ax.plot(plot.x, plot.ideal, color=_IDEAL, linestyle='--', linewidth=1,
          label='perfect scaling')
  ax.plot(plot.x, plot.y, color=_MEASURED, marker='o', markersize=4,
          label='measured')
  if plot.ends:
    ax.plot([plot.x[i] for i in plot.ends], [plot.y[i] for i in plot.ends],
            color=_ENDS, marker='o', markersize=10, linestyle='',
            fillstyle='none', label='where it leaves the line')
  _ticks(ax, plot)
  ax.set_title(plot.title, fontsize=11, loc='left')
  ax.set_ylabel(plot.y_label, fontsize=10)
  ax.set_xlabel('\n'.join([plot.x_label, *textwrap.wrap(plot.text, 60)]),
                fontsize=9, linespacing=1.3, loc='left')
  ax.grid(alpha=.25)
  ax.spines[['top', 'right']].set_visible(False)
  ax.legend(fontsize=8, frameon=False)


def _ticks(ax, plot):
  """The measured x, and round y with words in between where decades are few."""
  from matplotlib import ticker
  ax.set_xticks(plot.x, [f'{x:,}' for x in plot.x])
  ax.xaxis.set_minor_locator(ticker.NullLocator())
  low, high = min(*plot.y, *plot.ideal), max(*plot.y, *plot.ideal)
  if high < 1.5 * low:  # A flat line would fill the panel with its noise.
    middle = math.sqrt(low * high)
    ax.set_ylim(middle / 2, middle * 2)
  decades = math.log10(high / low)
  ax.yaxis.set_major_locator(ticker.LogLocator(
      subs=(1, 2, 5) if decades < 2.5 else (1,)))
  ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _: f'{y:,.9g}'))
  ax.yaxis.set_minor_locator(ticker.NullLocator())
  ax.tick_params(labelsize=9)
