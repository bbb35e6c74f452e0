"""Figures of a study over time: the value, and how still the samples are."""
import itertools

import numpy as np

from msg_gan_jax.report import plots
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.study.legible import (
  MOST_BANDS,
  Figure,
  are_numbered,
  is_log,
  label,
  only,
  ordered,
)
from msg_gan_jax.study.outcome import STABILITY, STABILITY_IMAGES
from msg_gan_jax.study.results import Results

MOST_CURVES = len(plots.COLORS)
MOST_NUMBERED = 5  # Curves that are called by rows, which say nothing.
UNITS = {'images': 'real images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}


def curves(results: Results) -> Figure:
  """The value over images, steps and seconds, for the best points."""
  points = ordered(results)
  most = MOST_NUMBERED if are_numbered(points) else MOST_CURVES
  panels: dict[str, dict[str, Curve]] = {}
  for unit, words in UNITS.items():
    found = {name: _over(results.where(point), unit, results.metric)
             for point, name, _ in points[:most]}
    panels[words] = {k: curve for k, curve in found.items() if curve}
  panels = {words: panel for words, panel in panels.items() if panel}
  if all(len(x.x) < 2 for panel in panels.values() for x in panel.values()):
    return Figure('curves', None, 'Curves are left out: no run was measured '
                                  'more than once.')
  of_d, of_g = UNITS['d_steps'], UNITS['g_steps']
  if alike := _are_alike(panels.get(of_d), panels.get(of_g)):
    panels = {f'{of_d}, and of G' if words == of_d else words: panel
              for words, panel in panels.items() if words != of_g}
  bands = len(points) <= MOST_BANDS
  if not bands:
    panels = {words: {k: v._replace(low=None, high=None)
                      for k, v in panel.items()}
              for words, panel in panels.items()}
  values = [y for panel in panels.values() for x in panel.values() for y in x.y]
  return Figure(
      'curves', plots.curves(panels, label(results),
                             log=is_log(results, values)),
      'Median over seeds' + (', and the range of all of them' if bands else '')
      + ', against each cost'
      + ('; there are as many updates of G as of D' if alike else '')
      + only(points, most)
      + ('. From where a run diverged, it counts as the worst of all.'
         if np.isnan(results.values).any() else '.'))


def _are_alike(one, other):
  """Whether two panels have the same curves."""
  return bool(one and other) and one.keys() == other.keys() and all(
      np.array_equal(one[name].x, other[name].x) for name in one)


def stability(results: Results) -> list[Figure]:
  """How far fixed samples move in an epoch, at each height, of the best."""
  panels: dict[str, dict[str, Curve]] = {}
  for point, name, _ in ordered(results)[:3]:
    group = results.where(point)
    sizes = dict.fromkeys(k for row in group.rows for k in row.curve
                          if k.startswith(STABILITY) and k != STABILITY_IMAGES)
    found = {k.removeprefix(STABILITY) + ' px': curve for k in sizes
             if (curve := _over(group, 'images', k)) is not None}
    if found:
      panels[f'real images, {name}'] = found
  return [Figure(
      'stability', plots.curves(panels, 'change of fixed samples', log=True),
      'How far the pictures of fixed latents moved in an epoch, by height '
      '(figure 6 of MSG-GAN); the median and the range over seeds.')] if (
          panels) else []


def _over(results, unit, name):
  """Curve of the median over runs, and their range, at each measurement.

  After its last one, a run that diverged has what it counts as. One that is
  still in progress is not there then.
  """
  of_runs = [_measured(row.curve, unit, name) for row in results.rows]
  images = sorted({*itertools.chain(*of_runs)})
  if not images:
    return None
  worst = np.where(np.isnan(results.values) & (name == results.metric),
                   results.counted, np.nan)
  x, y = np.full((2, len(of_runs), len(images)), np.nan)
  for i, run in enumerate(of_runs):
    for j, place in enumerate(images):
      if place in run:
        x[i, j], y[i, j] = run[place]
      elif place > max(run, default=0):
        y[i, j] = worst[i]
  middle = np.nanmedian(x, 0)
  if np.isfinite(worst).all():  # Nobody was measured any more.
    middle, y = np.append(middle, middle[-1]), np.column_stack([y, worst])
  return Curve(middle, np.nanmedian(y, 0),
               *((np.nanmin(y, 0), np.nanmax(y, 0)) if len(y) > 1 else ()))


def _measured(curve, unit, name):
  """{images: (cost, value)} of a run, wherever it was measured."""
  images = curve.get('images', ())
  if name.startswith(STABILITY):
    images = curve.get(STABILITY_IMAGES, images)
  columns = [np.array(column, np.float64) for column in (
      images, images if unit == 'images' else curve.get(unit, ()),
      curve.get(name, ()))]
  if not all(map(len, columns)):
    return {}
  return {place: (x, y) for place, x, y in zip(*columns, strict=True)
          if np.isfinite(x) and np.isfinite(y)}
