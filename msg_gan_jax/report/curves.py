"""A run's records as one picture: small curves, grouped by what they show."""
from collections.abc import Iterable, Mapping, Sequence
import fnmatch
import math
import os
from typing import Any

import numpy as np

from msg_gan_jax.files.atomic import replacing

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
)
# Okabe & Ito 2008, without the yellow: the colour-blind tell them apart too.
_COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00',
           '#000000')


def plot(records: Sequence[Mapping[str, Any]], path: str | os.PathLike,
         keys: Iterable[str] | None = None, title: str = '') -> None:
  """Writes a PNG of curves against the real images shown.

  Each curve is a running median over a fiftieth of its values, above the pale
  raw line; with fewer than 20 values it is the raw line. Values that are not
  finite are gaps, and a red line marks the first.

  Args:
    records: dicts as `runs.records.read` returns them; a name may be missing
      from any of them.
    path: of the file.
    keys: names to draw; None draws all but clock and epoch.
    title: over the whole.

  Raises:
    ValueError: matplotlib is not installed, or there is nothing to draw.
  """
  try:
    # Not pyplot, which has one current figure for the whole process.
    from matplotlib import figure, ticker
  except ImportError as error:
    raise ValueError(
        "curves: matplotlib is missing; pip install 'msg_gan_jax[plot]'."
    ) from error
  panels = _panels(keys if keys is not None else _names(records))
  panels = {
      about: curves for about, names in panels.items()
      if (curves := {k: c for k in names if len((c := _curve(records, k))[0])})}
  if not panels:
    raise ValueError('keys: no record has any of the values to draw.')
  shown = [record['images'] for record in records]
  margin = .02 * max(1, max(shown) - min(shown))
  left, right = min(shown) - margin, max(shown) + margin
  columns = min(3, len(panels))
  rows = math.ceil(len(panels) / columns)
  fig = figure.Figure(
      figsize=(4.6 * columns, 2.9 * rows + .3), layout='constrained')
  if title:
    fig.suptitle(title)
  for i, ((name, log), curves) in enumerate(panels.items()):
    ax = fig.add_subplot(rows, columns, i + 1)
    _panel(ax, name, log, curves)
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
    ax.xaxis.set_major_locator(ticker.MaxNLocator(5))
    ax.set_xlim(left, right)
    if i + columns >= len(panels):
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
  return [k for k in names if k not in ('images', 'epoch', 'clock')]


def _panels(names):
  # {(title, log): names}, the named panels first.
  panels: dict[tuple[str, bool], list[str]] = {
      (title, log): [] for title, _, log in PANELS}
  for name in names:
    about = next(
        ((title, log) for title, patterns, log in PANELS
         if any(fnmatch.fnmatchcase(name, p) for p in patterns)),
        (name.split('_')[0], False))
    panels.setdefault(about, []).append(name)
  return panels


def _curve(records, name):
  points = [(r['images'], r[name]) for r in records if name in r]
  return np.array(points, float).reshape(-1, 2).T


def _panel(ax, name, log, curves):
  broken = []
  for i, (key, (x, y)) in enumerate(curves.items()):
    color = _COLORS[i % len(_COLORS)]
    finite = np.isfinite(y)
    if not finite.all():
      broken.append(x[~finite].min())
    if log:
      finite &= y > 0
    line = np.where(finite, y, np.nan)
    if len(y) < 20:  # A median of so few would hide most of them.
      ax.plot(x, line, color=color, marker='.', label=_label(key, name))
      continue
    ax.plot(x, line, color=color, linewidth=.8, alpha=.25)
    if finite.any():
      line[finite] = smooth(y[finite], len(y) // 50)
    ax.plot(x, line, color=color, linewidth=1.6, label=_label(key, name))
  if broken:
    ax.axvline(min(broken), color='red', linewidth=1, linestyle=':')
  if log and any((y > 0).any() for _, y in curves.values()):
    ax.set_yscale('log')
  ax.set_title(name, fontsize=10, loc='left')
  ax.grid(alpha=.25)
  ax.spines[['top', 'right']].set_visible(False)
  ax.tick_params(labelsize=8)
  if len(curves) > 1:
    ax.legend(fontsize=7, frameon=False, ncols=2 if len(curves) > 3 else 1)


def _label(key, panel):
  kind, _, size = key.partition('_')
  if kind in ('stability', 'consistency', 'share'):
    return f'{size} px'
  return key.removeprefix(panel + '_')
