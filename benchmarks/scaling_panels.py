"""How scaling.py reads its figures: panels, and where each of them scales."""
import math
import statistics
from typing import NamedTuple

# These lie beside this file.
from scaling_picture import Plot
from scaling_rows import Evaluation, Start, Step

TOLERANCE = .2  # Of a slope of 1: a factor of 1.15 where the work doubles.


class Panel(NamedTuple):
  """A small plot of one quantity.

  Attributes:
    title: what it shows.
    axis: what is varied, a row of AXES.
    kind: which rows it has: Step, Start or Evaluation.
    quantity: its name in a record.
    unit: of the quantity.
    more_is_better: whether it is a speed, and not a cost.
    ideal: y is proportional to x to this power where the work scales.
    meaning: what that says.
    less, more: why it may cost less than that, and more.
  """
  title: str
  axis: str
  kind: type
  quantity: str
  unit: str
  more_is_better: bool
  ideal: float
  meaning: str
  less: str
  more: str


_FIXED = 'much of it is the same for any amount'
_PARAMETERS = 'parameters and moments outweigh the rest'
_CACHES = 'arrays no longer fit into the caches'
_SPEED = 'images_per_second', 'images / s', True
_MEMORY = 'memory_mb', 'MB', False
_SECONDS = 'seconds', 's', False
PANELS = (
    Panel('Speed by resolution', 'resolution', Step, *_SPEED, -2,
          'seconds grow as the pixels',
          'starting an operation takes the same time for any amount', _CACHES),
    Panel('Memory by resolution', 'resolution', Step, *_MEMORY, 2,
          'bytes grow as the pixels', _PARAMETERS,
          'more arrays of the finest level live at once'),
    Panel('Speed by batch', 'batch', Step, *_SPEED, 1,
          'a larger batch takes no longer', 'small batches leave cores idle',
          'a smaller batch keeps all cores busy already'),
    Panel('Memory by batch', 'batch', Step, *_MEMORY, 1,
          'bytes grow as the batch', _PARAMETERS,
          'more arrays live at once'),
    Panel('Speed by width', 'width', Step, *_SPEED, -2,
          'seconds grow as the products',
          'work on single values, which grows as the width, outweighs products',
          _CACHES),
    Panel('Memory by width', 'width', Step, *_MEMORY, 1,
          'bytes grow as the activations', _FIXED,
          'parameters and moments grow as the square of the width'),
    Panel('Speed by simulated devices', 'devices', Step, *_SPEED, 0,
          'sharing a batch costs nothing', 'they keep the cores busier',
          'the same cores do smaller products, and update the parameters once '
          'for each device'),
    Panel('Memory of each simulated device', 'devices', Step, *_MEMORY, -1,
          'devices share all bytes', 'fewer arrays live at once',
          'each device holds all parameters and moments'),
    Panel('Start: from settings to the first batch', 'pictures', Start,
          *_SECONDS, 1, 'seconds grow as the pictures',
          'compiling takes the same time for any number', _CACHES),
    Panel('Evaluation: features and distance', 'pictures', Evaluation,
          *_SECONDS, 1, 'seconds grow as the pictures', 'compiling and '
          'eigenvalues take the same time for any number', _CACHES),
)


class Fit(NamedTuple):
  """Where measured points follow a power of x.

  Attributes:
    first, last: the first and the last point that do, counted from 0; they are
      equal where no two neighbours do.
    factor: y = factor * x**ideal there.
  """
  first: int
  last: int
  factor: float


def fit(x, y, ideal, tolerance=TOLERANCE):
  """The longest stretch of points that scale, by the slopes between them.

  Args:
    x, y: [n] above 0, x ascending.
    ideal: the power of x that y should be proportional to.
    tolerance: by how much a slope in log x and log y may leave the ideal, as a
      share of it; of 1/2 where the ideal is flatter.

  Returns:
    Fit; of the first point alone where no slope is so.
  """
  most = tolerance * max(.5, abs(ideal))
  stretches, first = [(0, 0)], 0
  for i, slope in enumerate(slopes(x, y), 1):
    if abs(slope - ideal) > most:
      first = i
    stretches.append((first, i))
  first, last = max(stretches, key=lambda ends: x[ends[1]] / x[ends[0]])
  return Fit(first, last, statistics.geometric_mean(
      y[i] / x[i]**ideal for i in range(first, last + 1)))


def slopes(x, y):
  """[n - 1]: the power of x by which y grows, from each point to the next."""
  return [math.log(d / c) / math.log(b / a) for a, b, c, d in zip(
      x, x[1:], y, y[1:], strict=False)]


def explanation(panel, x, y):
  """Where a panel's points, at least two, scale, and why not elsewhere."""
  first, last, _ = fit(x, y, panel.ideal)
  end = len(x) - 1

  def since(i, j):
    slope, = slopes((x[i], x[j]), (y[i], y[j]))
    better = (slope > panel.ideal) == panel.more_is_better
    return f'since {panel.less if better else panel.more}.'

  if first == last:
    return f'Scales nowhere ({panel.meaning}), {since(0, end)}'
  words = [f'Scales ({panel.meaning}) from {x[first]:,} to {x[last]:,}.']
  words += [f'Not below, {since(0, first)}'] if first else []
  words += [f'Not beyond, {since(last, end)}'] if last < end else []
  return ' '.join(words)


def plot(panel, x_label, x, y):
  """A panel with its points as a scaling_picture.Plot."""
  first, last, factor = fit(x, y, panel.ideal)
  inner = range(1, len(x) - 1)
  return Plot(
      panel.title, x_label, panel.unit, x, y,
      [factor * value**panel.ideal for value in x],
      [first] if first == last else [i for i in (first, last) if i in inner],
      explanation(panel, x, y))
