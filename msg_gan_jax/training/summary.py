"""The summary of a run: distances, each beside its references."""
import functools

import numpy as np

from msg_gan_jax.gan import pyramid
from msg_gan_jax.metrics.functional import (
  mixture_modes,
  references,
  sliced_wasserstein,
  training_stability,
)

COUNT = 2048
POINTS = 2500  # of a toy, as in VEEGAN and PacGAN
COMPONENTS = 10  # of the Gaussian reference; fewer where there are few reals
FEWEST = 4  # pictures; two halves of them have a spread
SMALLEST = 16  # px; a patch of 7x7 pixels wants a picture around it


def judge(splits):
  """What measures a generator of such pictures, or of points."""
  points = pyramid.are_points(splits.train.shape)
  return PointJudge(splits) if points else Judge(splits)


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

  @property
  def _picked(self):
    return np.linspace(
        0, len(self._source) - 1, self.count).astype(np.int64)

  @functools.cached_property
  def real(self):
    return self._source.images(self._picked)

  @property
  def labels(self):
    """Those of `real`: what samples of a conditional generator should have."""
    return self._source.labels(self._picked)

  @property
  def components(self):
    """Of the Gaussian reference."""
    return min(COMPONENTS, self.count - 1)

  @functools.cached_property
  def variety(self):
    return training_stability.pairwise(self.real)

  @functools.cached_property
  def references(self):
    """{name: distances of a set that is no generator's}."""
    real, seed = self.real, self._seed
    halves = references.halves(real, seed)
    noise = references.pixel_noise(real, self.count, seed)
    pca = references.pca_gaussian(
        real, self.count, self.components, seed=seed)
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
        'pairwise': {'samples': training_stability.pairwise(fake),
                     'reals': self.variety},
        'protocol': {
            'against': self.against, 'weights': 'ema',
            'pca_components': self.components, **protocol}}

  def _swd(self, a, b):
    found = sliced_wasserstein.swd(a, b, seed=self._seed)
    protocol = found.pop('protocol')
    return {str(k): float(v) for k, v in found.items()}, protocol

  @staticmethod
  def values(found):
    """The measurement as metrics: swd_32, ..., pairwise_ratio."""
    pairwise = found['pairwise']
    ratio = pairwise['samples'] / max(pairwise['reals'], 1e-8)
    return {**{f'swd_{level}': value
               for level, value in found['swd']['samples'].items()},
            'pairwise_ratio': ratio}

  @staticmethod
  def table(found):
    """The summary as text for a person."""
    swd, pairwise = found['swd'], found['pairwise']
    levels = list(swd['samples'])
    protocol = found['protocol']
    names = {'samples': 'samples of this run',
             'halves': ('two halves of the reals, '
                        f'{protocol["n_real"] // 2:,} each'),
             'noise': 'noise, mean and spread of each pixel',
             'pca': f'Gaussian, {protocol["pca_components"]} components of '
                    'the reals'}
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
    ratio = Judge.values(found)['pairwise_ratio']
    lines.append(
        f'mean distance of two samples: {pairwise["samples"]:.3f}, of two '
        f'reals: {pairwise["reals"]:.3f} (ratio {ratio:.2f})')
    return '\n'.join(lines)


class PointJudge:
  """Counts the Gaussians of a toy that a generator has found.

  Args:
    splits: of data.open, of a source with `centres` and `std`. Where nothing
      is held out, the `reals` of the summary are training points.
  """
  can, count = True, POINTS

  def __init__(self, splits):
    self._source = splits.held_out or splits.train

  @property
  def labels(self):
    """Of as many real points: what samples should have."""
    return np.resize(self._source.labels(np.arange(min(
        len(self._source), self.count))), self.count)

  def measure(self, fake):
    """fake: float [count, 1, 1, 2] -> {'samples', 'reals', 'protocol'}.

    Both first are those of metrics.modes.
    """
    source = self._source
    real = source.images(np.arange(min(len(source), self.count)))
    samples, reals = (
        mixture_modes.modes(x.reshape(len(x), -1), source.centres, source.std)
        for x in (fake, real))
    return {'samples': samples, 'reals': reals, 'protocol': {
        'n_real': len(real), 'n_fake': len(fake), 'weights': 'ema',
        'gaussians': len(source.centres), 'within_std': mixture_modes.WITHIN}}

  @staticmethod
  def values(found):
    """The measurement as metrics: modes, high_quality, kl."""
    return found['samples']

  @staticmethod
  def table(found):
    """The summary as text for a person."""
    protocol = found['protocol']
    lines = [f'Gaussians found, of {protocol["gaussians"]} '
             f'({protocol["n_fake"]:,} samples, EMA weights)',
             ' ' * 14 + f'found{"within 3 std":>16}{"KL from even":>16}']
    for name in ('samples', 'reals'):
      row = found[name]
      lines.append(f'  {name:<12}{row["modes"]:5}{row["high_quality"]:16.1%}'
                   f'{row["kl"]:16.4f}')
    return '\n'.join(lines)
