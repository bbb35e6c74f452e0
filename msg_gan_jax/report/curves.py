"""A run's records as one picture: small curves, grouped by what they show."""
from collections.abc import Iterable, Mapping, Sequence
import fnmatch
import math
import os
import textwrap
from typing import Any

import numpy as np

from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report.plots import COLORS

# Panels of training.dynamics, which is off by default; see PANELS.
DYNAMICS = (
    ('largest spectral norm of a layer', ('spectral_norm_?',), False),
    ('relative error of a spectral norm, at most', ('spectral_error_?',),
     False),
    ('smallest stable rank of a layer, of its most', ('stable_rank_?',), False),
    ("D's slope between reals and fakes, by pixels", ('slope_*',), True),
    ('degrees between successive gradients', ('angle_?',), False),
    ('change of the weights in a step, of their norm', ('update_?',), True),
    ('largest modulus of an eigenvalue', ('eigenvalue_modulus',), True),
    ('largest real part of an eigenvalue', ('eigenvalue_real',), False),
    ('residuals of these eigenvalues', ('residual_*',), True),
    ("mean log-condition number of G's Jacobian, by pixels",
     ('condition_log_*',), False),
    ('D of training, held-out reals, fakes', ('overfitting_d_*',), False),
    ("D's overfitting r_v, 0 to 1", ('overfitting_ratio',), False),
)
# Panels: title, patterns of names, whether y is logarithmic. A name goes to
# the first that fits; all others share a panel with those of their prefix.
# gan.objective and training write these names; a test of training's loop finds
# every pattern in the records of a run.
PANELS = (
    ('losses', ('d_loss', 'g_loss'), False),
    ('D of real and fake', ('d_real*', 'd_fake*'), False),
    ('gradient norms', ('*grad_norm',), True),
    ('penalty', ('penalty', 'drift'), False),
    ('change of fixed latents, by pixels', ('stability_*',), True),
    ('disagreement of scales, by pixels', ('consistency_*',), True),
    ("share of D's input gradient, by pixels", ('share_*',), False),
    ('diversity', ('diversity*',), False),
    ('sliced Wasserstein distance x1e3', ('swd_*',), True),
    ('distance of two samples, of that of two reals', ('pairwise_ratio',),
     False),
    *DYNAMICS,
)
# What records compare numbers with: how it is dashed, and called.
REFERENCES = {
    'reals': ('--', 'reals'), 'pca': ('-.', 'Gaussian of their components'),
    'noise': (':', 'noise, pixel by pixel')}


def plot(records: Sequence[Mapping[str, Any]], path: str | os.PathLike,
         keys: Iterable[str] | None = None, title: str = '') -> None:
  """Writes a PNG of curves against the real images shown.

  Each curve is a running median over a fiftieth of its values, above the pale
  raw line; with fewer than 20 values it is the raw line. A pale band is the
  spread of the steps whose mean a value is, and dashed lines are references.
  Values that are not finite are gaps, and a red line marks the first. What has
  a single value has no panel: it stands in a line below them.

  Args:
    records: dicts as `runs.records.read` returns them; a name may be missing
      from any of them.
    path: of the file.
    keys: names to draw; None draws all but clock, epoch and steps.
    title: over the whole.

  Raises:
    ValueError: there is nothing to draw.
  """
  # Not pyplot, which has one current figure for the whole process.
  from matplotlib import figure, ticker
  names = [*keys] if keys is not None else _names(records)
  curves = {k: c for k in names if (c := _curve(records, k)).size}
  if not curves:
    raise ValueError('keys: no record has any of the values to draw.')
  lines = {k: c for k, c in curves.items() if np.isfinite(c[1]).sum() > 1}
  references = _references(records)
  of_panels = panels(lines)
  columns = min(3, max(1, len(of_panels)))
  rows = math.ceil(len(of_panels) / columns)
  notes = [
      *_once({k: c[1] for k, c in curves.items() if k not in lines},
             references.get('reals', {})),
      *_explained(lines, references)]
  notes = [x for note in notes for x in textwrap.wrap(note, 68 * columns)]
  fig = figure.Figure(
      figsize=(4.6 * columns, 2.9 * rows + .3 + .17 * len(notes)),
      layout='constrained')
  if title:
    fig.suptitle(title)
  if notes:
    fig.supxlabel('\n'.join(notes), fontsize=8, x=.01, ha='left', color='.3')
  shown = [record['images'] for record in records]
  margin = .02 * max(1, max(shown) - min(shown))
  for i, ((name, log), of_panel) in enumerate(of_panels.items()):
    ax = fig.add_subplot(rows, columns, i + 1)
    _panel(ax, name, log, {k: lines[k] for k in of_panel}, references)
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
    ax.xaxis.set_major_locator(ticker.MaxNLocator(5))
    ax.set_xlim(min(shown) - margin, max(shown) + margin)
    if i + columns >= len(of_panels):
      ax.set_xlabel('real images shown')
  with replacing(path) as temporary:
    fig.savefig(temporary, format='png', dpi=110)


def smooth(y: np.ndarray | Sequence[float], window: int) -> np.ndarray:
  """Running median over `window` values, fewer at the ends; [N] -> [N]."""
  half = window // 2
  padded = np.pad(np.asarray(y, float), half, constant_values=np.nan)
  return np.nanmedian(
      np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)


def _names(records):
  names = dict.fromkeys(k for record in records for k in record)
  return [k for k in names if k not in ('images', 'epoch', 'steps')]


def panels(names: Iterable[str]) -> dict[tuple[str, bool], list[str]]:
  """{(title, log): names} of panels that have any, the named ones first."""
  found: dict[tuple[str, bool], list[str]] = {
      (title, log): [] for title, _, log in PANELS}
  for name in names:
    about = next(
        ((title, log) for title, patterns, log in PANELS
         if any(fnmatch.fnmatchcase(name, p) for p in patterns)),
        (name.split('_')[0], False))
    found.setdefault(about, []).append(name)
  return {about: some for about, some in found.items() if some}


def _curve(records, name):
  """[3, n] of those that have the number: images, it, its spread or nan."""
  return np.array([
      (r['images'], r[name], r.get('spread', {}).get(name, math.nan))
      for r in records if not isinstance(r.get(name, {}), Mapping)
  ], float).reshape(-1, 3).T


def _references(records):
  """{a row of REFERENCES: {name: number}}, the newest of each name."""
  found: dict[str, dict[str, float]] = {}
  for record in records:
    for row, values in record.get('references', {}).items():
      found.setdefault(row, {}).update(
          (k, v) for k, v in values.items() if math.isfinite(v))
  return found


def _once(values, reals):
  """A line of what has no curve, with that of the reals beside it."""
  words = [f'{name} {y[-1]:.4g}' + (
      f' (reals {reals[name]:.4g})' if name in reals else '')
      for name, y in values.items()]
  return ['One value only: ' + ', '.join(words) + '.'] if words else []


def _explained(lines, references):
  """What bands and lines without a name of their own are."""
  if any(np.isfinite(spread).any() for _, _, spread in lines.values()):
    yield 'Bands: standard deviation between the steps whose mean is drawn.'
  if any(name in lines for of_row in references.values() for name in of_row):
    yield ('Reals: one half of them against the other, or what they have '
           'themselves; in the colour of the curve.')


def _panel(ax, name, log, curves, references):
  log = log and any((y > 0).sum() > 1 for _, y, _ in curves.values())
  if log:
    ax.set_yscale('log')
  broken = []
  drawn: dict[str, None] = {}  # Rows of REFERENCES.
  for i, (key, (x, y, spread)) in enumerate(curves.items()):
    color = COLORS[i % len(COLORS)]
    finite = np.isfinite(y)
    if not finite.all():
      broken.append(x[~finite].min())
    if log:
      finite &= y > 0
    line = np.where(finite, y, np.nan)
    style = dict(color=color, label=label(key, name))
    if len(y) < 20:  # A median of so few would hide most of them.
      ax.plot(x, line, marker='.', **style)
    else:
      ax.plot(x, line, color=color, linewidth=.8, alpha=.25)
      if finite.any():
        line[finite] = smooth(y[finite], len(y) // 50)
      ax.plot(x, line, linewidth=1.6, **style)
    for row, (dashes, _) in REFERENCES.items():
      if key in references.get(row, {}):
        ax.axhline(references[row][key], color=color, linewidth=1, alpha=.7,
                   linestyle=dashes)
        drawn[row] = None
    # Where y is logarithmic, as far below the mean as above it there too.
    below = y * y / (y + spread) if log else y - spread
    ax.fill_between(x, below, y + spread, where=finite, color=color, alpha=.12,
                    linewidth=0)
  if broken:
    ax.axvline(min(broken), color='red', linewidth=1, linestyle=':')
  for row in drawn:
    dashes, words = REFERENCES[row]
    ax.plot([], [], color='.4', linewidth=1, linestyle=dashes, label=words)
  ax.set_title(name, fontsize=10, loc='left')
  ax.grid(alpha=.25)
  ax.spines[['top', 'right']].set_visible(False)
  ax.tick_params(labelsize=8)
  if len(curves) > 1 or drawn:
    # It lies over lines of references, which matplotlib does not avoid.
    ax.legend(fontsize=7, framealpha=.85, edgecolor='none',
              ncols=2 if len(curves) + len(drawn) > 3 else 1)


def label(key: str, panel: str) -> str:
  """A value's name in its panel, such as '16 px'."""
  kind, _, size = key.partition('_')
  if kind in ('stability', 'consistency', 'share', 'swd'):
    return f'{size} px' if size.isdigit() else size
  if kind == 'condition':
    return f'{size.rpartition("_")[2]} px'
  if kind == 'slope':
    what, _, size = size.partition('_')
    return f'{what}, {size} px'
  if kind in ('spectral', 'stable', 'angle', 'update') and (
      key[-2:] in ('_d', '_g')):
    return key[-1].upper()
  for start in ('overfitting_', 'residual_'):
    key = key.removeprefix(start)
  return key.removeprefix(panel + '_')
