"""The summary at the end of a run: distances, each beside its references."""
import functools

import jax
import numpy as np

from msg_gan_jax.metrics import references, sliced, stability

COUNT = 2048
FEWEST = 4  # pictures; two halves of them have a spread
SMALLEST = 16  # px; a patch of 7x7 pixels wants a picture around it


def latents(gan, count, seed=1):
  """z [count, latent] of the summary; not those of the grids."""
  return np.asarray(gan.draw(jax.random.key(seed), count))


class Judge:
  """Measures a generator, beside references that are measured once.

  Args:
    splits: of data.open; where nothing is held out, training pictures are
      what is compared with, and 'against' says so.
    seed: of patches, directions and references.
  """

  def __init__(self, splits, seed=0):
    held_out = splits.held_out
    against = held_out if held_out is not None else splits.train
    self.against = ('held-out reals' if held_out is not None
                    else 'training reals: none are held out')
    self.count = min(COUNT, len(against))
    self._source, self._seed = against, seed

  @property
  def can(self):
    """Whether there are enough pictures, large enough, to be measured."""
    return (self.count >= FEWEST
            and min(self._source.shape[:2]) >= SMALLEST)

  @functools.cached_property
  def real(self):
    picked = np.linspace(0, len(self._source) - 1, self.count)
    return self._source.images(picked.astype(np.int64))

  @functools.cached_property
  def variety(self):
    return stability.pairwise(self.real)

  @functools.cached_property
  def references(self):
    """{name: distances of a set that is no generator's}."""
    real, seed = self.real, self._seed
    halves = references.halves(real, seed)
    noise = references.pixel_noise(real, self.count, seed)
    pca = references.pca_gaussian(real, self.count, seed=seed)
    return {'halves': self._swd(*halves)[0], 'noise': self._swd(real, noise)[0],
            'pca': self._swd(real, pca)[0]}

  def measure(self, fake):
    """Distances and variety of samples.

    Args:
      fake: uint8 [count, H, W, C].

    Returns:
      A dict for JSON: 'swd' {'samples', 'halves', 'noise', 'pca'}, each by
      pixel size of the Laplacian level, x 1e3; 'pairwise' of samples and of
      reals; 'protocol'.
    """
    samples, protocol = self._swd(self.real, fake)
    return {
        'swd': {'samples': samples, **self.references},
        'pairwise': {'samples': stability.pairwise(fake),
                     'reals': self.variety},
        'protocol': {
            'against': self.against, 'weights': 'ema', **protocol}}

  def _swd(self, a, b):
    found = sliced.swd(a, b, seed=self._seed)
    protocol = found.pop('protocol')
    return {str(k): float(v) for k, v in found.items()}, protocol


def values(found):
  """The measurement as metrics: swd_32, ..., pairwise_ratio."""
  pairwise = found['pairwise']
  return {**{f'swd_{level}': value
             for level, value in found['swd']['samples'].items()},
          'pairwise_ratio': pairwise['samples'] / max(pairwise['reals'], 1e-8)}


def table(found):
  """The summary as text for a person."""
  swd, pairwise = found['swd'], found['pairwise']
  levels = list(swd['samples'])
  protocol = found['protocol']
  names = {'samples': 'samples of this run',
           'halves': ('two halves of the reals, '
                      f'{protocol["n_real"] // 2:,} each'),
           'noise': 'noise, mean and spread of each pixel',
           'pca': 'Gaussian, 10 components of the reals'}
  lines = [
      'Sliced Wasserstein distance x1e3 of 7x7 patches, by Laplacian level',
      f'({protocol["n_fake"]:,} samples, EMA weights, against '
      f'{protocol["n_real"]:,} {protocol["against"]})',
      ' ' * 38 + ''.join(
          f'{level + " px" if level.isdigit() else level:>9}'
          for level in levels)]
  for name, title in names.items():
    lines.append(f'  {title:<36}' + ''.join(
        f'{swd[name][level]:9.2f}' for level in levels))
  lines.append(
      f'mean distance of two samples: {pairwise["samples"]:.3f}, of two reals: '
      f'{pairwise["reals"]:.3f} (ratio {values(found)["pairwise_ratio"]:.2f})')
  return '\n'.join(lines)
