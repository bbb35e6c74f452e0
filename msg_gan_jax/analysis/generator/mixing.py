"""Figures of styles: two latents mixed by layers, and truncation by steps."""
import numpy as np

from msg_gan_jax.analysis.generator import walk
from msg_gan_jax.report import figure

# From which layers on styles are middle and fine where there are more than
# eight of them: Karras et al. 2019, sec. 3.1, 4 to 8, 16 to 32 and 64 px on.
_PAPER = 4, 8
# Karras et al. 2019, fig. 8.
SWEEP = 1., .7, .5, 0., -.5, -1.
_NAMES = 'coarse', 'middle', 'fine'


def bands(layers, crossovers=()):
  """((first, end), ...): the layers that are taken together, coarse to fine.

  Args:
    layers: how many there are.
    crossovers: with which layers (from 0) the second band and the others
      begin; () is the paper's 4 and 8 where there are more than eight, and
      thirds of the levels, two layers each, where there are fewer.

  Raises:
    ValueError: crossovers that do not rise from 1 to layers - 1.
  """
  if not crossovers:
    levels = layers // 2
    crossovers = _PAPER if layers > 8 else sorted(
        {2 * max(1, round(levels / 3)), 2 * round(2 * levels / 3)} - {layers})
  edges = 0, *crossovers, layers
  if any(a >= b for a, b in zip(edges, edges[1:], strict=False)):
    raise ValueError(
        f'--crossovers: wanted layers that rise, 1 .. {layers - 1}, found '
        f'{",".join(map(str, crossovers))}.')
  return tuple(zip(edges, edges[1:], strict=False))


def mixed(top, left, first, end):
  """Every left style with the layers first .. end - 1 of every top one.

  Args:
    top: [columns, layers, width].
    left: [rows, layers, width].

  Returns:
    [rows, columns, layers, width].
  """
  found = np.repeat(left[:, None], len(top), 1)
  found[:, :, first:end] = top[:, first:end]
  return found


def mix(trained, rows, *, z=None, w=None, labels=None, psi=1., cutoff=None,
        crossovers=()):
  """The figure of mixed styles, uint8 [H, W, 3].

  Sources are on top, destinations at the left. In each band a picture has the
  styles of its source in the layers of the band, and its destination's in all
  others.

  Args:
    trained: Trained.
    rows: how many of the latents are at the left: the first ones. The rest are
      on top.
    z, w, labels, psi, cutoff: see walk.walk.
    crossovers: see `bands`.

  Raises:
    ValueError: no mapping network, too few latents, or what `bands` raises.

  Source: Karras et al. 2019 (arXiv:1812.04948), fig. 3.
  """
  _check(trained, 'mix')
  n = len(z if w is None else w)
  if n <= rows:
    raise ValueError(
        f'--rows: {rows} at the left, and there are {n} latents; wanted at '
        'least one more, for the top.')
  parts = bands(trained.layers, crossovers)
  labels = trained.turns(n) if labels is None else labels
  styles = trained.truncate(
      walk.stops_in_w(trained, z, w, labels), psi, cutoff)
  left, top = styles[:rows], styles[rows:]
  grids = np.stack([mixed(top, left, *part) for part in parts])
  # All that stand in the figure are drawn by one program.
  every = np.concatenate([styles, grids.reshape(-1, *styles.shape[1:])])
  # w knows the class, and what follows it is not told.
  zeros = None if labels is None else np.zeros(len(every), np.int32)
  tiles = [figure.tile(x) for x in trained.finest(every, zeros)]
  alone, drawn = tiles[:n], iter(tiles[n:])
  found = [figure.Band(None, [[None, *alone[rows:]]])]
  for i, (first, end) in enumerate(parts):
    name = _NAMES[i] if len(parts) == 3 else f'part {i + 1}'
    found.append(figure.Band(
        (f'{name} styles of the source',
         f'layers {first + 1} to {end} of {trained.layers}'),
        [[alone[row], *(next(drawn) for _ in top)] for row in range(rows)]))
  return figure.draw(
      found, ('style mixing', 'sources on top, destinations at the left'),
      aside=1)


def sweep(trained, psis=SWEEP, *, z=None, w=None, labels=None, cutoff=None):
  """The figure of truncation, uint8 [H, W, 3]: a row a latent, a column a psi.

  Args:
    trained: Trained.
    psis: 1 is what `gan.sample` draws, 0 the mean style, -1 its opposite.
    z, w, labels, cutoff: see walk.walk.

  Raises:
    ValueError: no mapping network.

  Source: Karras et al. 2019 (arXiv:1812.04948), appendix B and fig. 8.
  """
  _check(trained, 'truncate')
  n = len(z if w is None else w)
  labels = trained.turns(n) if labels is None else labels
  styles = walk.stops_in_w(trained, z, w, labels)
  every = np.stack(
      [trained.truncate(styles, psi, cutoff) for psi in psis], 1)
  tiles = [figure.tile(x) for x in trained.finest(
      every.reshape(-1, *styles.shape[1:]),
      None if labels is None else np.repeat(labels, len(psis)))]
  how = 'all layers' if cutoff is None else (
      f'the first {cutoff} of {trained.layers} layers')
  return figure.draw(
      [figure.Band(None, [tiles[i:i + len(psis)]
                          for i in range(0, len(tiles), len(psis))])],
      ('truncation', f'styles drawn to their mean in {how}'),
      above=[f'psi {psi:g}' for psi in psis])


def _check(trained, mode):
  if not trained.layers:
    raise ValueError(
        f'--mode={mode}: this run has no mapping network, and no styles; '
        'wanted a run of stylegan, msg_stylegan or stylegan2.')
