"""Figures of styles: two latents mixed by layers, and truncation by steps."""
from collections.abc import Sequence

import numpy as np

from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.report import figure

# From which layers on styles are middle and fine where there are more than
# eight of them: Karras et al. 2019, sec. 3.1, 4 to 8, 16 to 32 and 64 px on.
_PAPER = 4, 8
PSIS = 1., .7, .5, 0., -.5, -1.  # Those of Karras et al. 2019, fig. 8.
_NAMES = 'coarse', 'middle', 'fine'


def layer_bands(layers: int, crossovers: Sequence[int] = (),
                ) -> tuple[tuple[int, int], ...]:
  """((first, end), ...): the layers that are taken together, coarse to fine.

  Args:
    layers: how many there are.
    crossovers: with which layers (from 0) the second band and the others
      begin; () is the paper's 4 and 8 if there are more than eight layers, and
      thirds of the levels, two layers each, if there are fewer.

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
        f'crossovers: wanted layers that rise, 1 .. {layers - 1}, found '
        f'{",".join(map(str, crossovers))}.')
  return tuple(zip(edges, edges[1:], strict=False))


def mix_layers(top: np.ndarray, left: np.ndarray, first: int,
               end: int) -> np.ndarray:
  """Every left style with the layers first .. end - 1 of every top one.

  Args:
    top: [columns, layers, width].
    left: [rows, layers, width].
    first, end: of the layers.

  Returns:
    [rows, columns, layers, width].
  """
  mixed = np.repeat(left[:, None], len(top), 1)
  mixed[:, :, first:end] = top[:, first:end]
  return mixed


def mixing_figure(trained: Trained, rows: int, latents: Latents,
                  crossovers: Sequence[int] = ()) -> np.ndarray:
  """The figure of mixed styles, uint8 [H, W, 3].

  Sources are on top, destinations at the left. In each band a picture has the
  styles of its source in the layers of the band, and its destination's in all
  others.

  Args:
    trained: that draws it.
    rows: how many of the latents are at the left: the first ones. The rest are
      on top.
    latents: of all of them.
    crossovers: see `layer_bands`.

  Raises:
    ValueError: no mapping network, too few latents, or what `layer_bands`
      raises.

  Source: Karras et al. 2019 (arXiv:1812.04948), fig. 3.
  """
  _check_mapping(trained)
  n = len(latents)
  if n <= rows:
    raise ValueError(
        f'rows: {rows} at the left, and there are {n} latents; wanted at '
        'least one more, for the top.')
  parts = layer_bands(trained.layers, crossovers)
  styles = trained.truncate(
      trained.styles_of(latents), latents.psi, latents.cutoff)
  left, top = styles[:rows], styles[rows:]
  mixed = np.stack([mix_layers(top, left, *part) for part in parts])
  # All that stand in the figure are drawn by one program.
  every = np.concatenate([styles, mixed.reshape(-1, *styles.shape[1:])])
  # w knows the class, and what follows it is not told.
  zeros = np.zeros(len(every), np.int32) if trained.gan.classes else None
  tiles = [figure.tile(image) for image in trained.finest(every, zeros)]
  alone, drawn = tiles[:n], iter(tiles[n:])
  bands = [figure.Band(None, [[None, *alone[rows:]]])]
  for i, (first, end) in enumerate(parts):
    name = _NAMES[i] if len(parts) == 3 else f'part {i + 1}'
    bands.append(figure.Band(
        (f'{name} styles of the source',
         f'layers {first + 1} to {end} of {trained.layers}'),
        [[alone[row], *(next(drawn) for _ in top)] for row in range(rows)]))
  return figure.draw(
      bands, ('style mixing', 'sources on top, destinations at the left'),
      aside=1)


def truncation_figure(trained: Trained, latents: Latents,
                      psis: Sequence[float] = PSIS) -> np.ndarray:
  """The figure of truncation, uint8 [H, W, 3]: a row a latent, a column a psi.

  Args:
    trained: that draws it.
    latents: of the rows; `psis` take the place of their psi.
    psis: 1 is what `gan.sample` draws, 0 the mean style, -1 its opposite.

  Raises:
    ValueError: no mapping network.

  Source: Karras et al. 2019 (arXiv:1812.04948), appendix B and fig. 8.
  """
  _check_mapping(trained)
  labels, cutoff = trained.labels_of(latents), latents.cutoff
  styles = trained.styles_of(latents)
  every = np.stack(
      [trained.truncate(styles, psi, cutoff) for psi in psis], 1)
  tiles = [figure.tile(image) for image in trained.finest(
      every.reshape(-1, *styles.shape[1:]),
      None if labels is None else np.repeat(labels, len(psis)))]
  where = 'all layers' if cutoff is None else (
      f'the first {cutoff} of {trained.layers} layers')
  return figure.draw(
      [figure.Band(None, [tiles[i:i + len(psis)]
                          for i in range(0, len(tiles), len(psis))])],
      ('truncation', f'styles drawn to their mean in {where}'),
      above=[f'psi {psi:g}' for psi in psis])


def _check_mapping(trained):
  if not trained.layers:
    raise ValueError(
        'trained: its GAN has no mapping network, and so no styles; wanted one '
        'such as stylegan, msg_stylegan or stylegan2.')
