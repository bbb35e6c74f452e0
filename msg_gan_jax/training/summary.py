"""The summary of a run: distances, each beside its references."""
import functools
import hashlib
from typing import Any, Protocol

import numpy as np

from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.gan import pyramid
from msg_gan_jax.metrics.functional import (
  mixture_modes,
  references,
  sliced_wasserstein,
  training_stability,
)

COUNT = 2048
POINTS = 2500  # samples of a toy, as in VEEGAN and PacGAN
COMPONENTS = 10  # of the Gaussian reference; fewer if there are few reals
FEWEST = 4  # pictures: two halves of 2 still have a spread
SMALLEST = 16  # px: patches of 7x7 pixels need a picture around them
# Of DistanceSummary.values. `best='swd'` goes by it and not by a row's score:
# it is in every measurement, whatever config.evaluate.metrics asks for.
SWD_MEAN = 'swd_mean'
# What `values` of the two kinds are called, besides the distances by level.
SCORES = ('pairwise_ratio', 'modes', 'high_quality', 'kl')

_LAST_REFERENCES: dict[tuple, dict[str, dict[str, float]]] = {}


class Summary(Protocol):
  """Measures a generator for summary.json.

  Attributes:
    count: how many samples it wants.
  """
  count: int

  @property
  def lacks(self) -> str:
    """Why it cannot measure these real pictures; '' where it can."""

  @property
  def scorable(self) -> bool:
    """Whether rows of METRICS can measure the same samples too."""

  @property
  def labels(self) -> np.ndarray:
    """int32 [n], those of reals: samples should have them as often."""

  def measure(self, fake: np.ndarray) -> dict[str, Any]:
    """Samples [count, H, W, C] -> what summary.json says of them."""

  @staticmethod
  def values(measured: dict[str, Any]) -> dict[str, float]:
    """The numbers among them that go into metrics.jsonl, by their names."""

  @staticmethod
  def references_of(measured: dict[str, Any]) -> dict[str, dict[str, float]]:
    """{what a number is compared with: {its name in `values`: number}}."""

  @staticmethod
  def table(measured: dict[str, Any]) -> str:
    """The same as text for a person."""


def choose(splits: Splits, weights: str = 'ema') -> Summary:
  """The summary that suits a data set: of pictures, or of points.

  Args:
    splits: see data.sources.open_source.
    weights: whose samples it measures: 'ema', or 'raw' of a run that keeps no
      average.
  """
  points = pyramid.are_points(splits.train.shape)
  return (ModeSummary(splits, weights) if points else
          DistanceSummary(splits, weights=weights))


class DistanceSummary:
  """Distances of samples, beside references that are measured once.

  Args:
    splits: see data.sources.open_source. If nothing is held out, samples are
      compared with the training pictures, and 'against' says so.
    seed: of patches, directions and references.
    weights: see `choose`.
  """

  def __init__(self, splits: Splits, seed: int = 0, weights: str = 'ema'):
    held_out = splits.held_out
    against = held_out if held_out is not None else splits.train
    self.against = ('held-out reals' if held_out is not None
                    else 'training reals: none are held out')
    self.count = min(COUNT, len(against))
    self._source, self._seed, self._weights = against, seed, weights

  @property
  def lacks(self) -> str:
    height, width, _ = self._source.shape
    if min(height, width) < SMALLEST:
      return (f'the sliced distance needs {SMALLEST} px, and the pictures are '
              f'{width} x {height}')
    return '' if self.count >= FEWEST else (
        f'the sliced distance needs {FEWEST} real pictures, and there '
        f'{"is" if self.count == 1 else "are"} {self.count}')

  @property
  def scorable(self) -> bool:
    return True

  @property
  def _indices(self):
    return evenly(len(self._source), self.count)

  @functools.cached_property
  def real(self) -> np.ndarray:
    """The reals that samples are compared with, uint8 [count, H, W, C]."""
    return self._source.images(self._indices)

  @property
  def labels(self) -> np.ndarray:
    """Those of `real`, int32 [count]."""
    return self._source.labels(self._indices)

  @property
  def components(self) -> int:
    """How many the Gaussian reference has."""
    return min(COMPONENTS, self.count - 1)

  @functools.cached_property
  def variety(self) -> float:
    """The mean distance of two reals."""
    return training_stability.pairwise(self.real)

  @functools.cached_property
  def references(self) -> dict[str, dict[str, float]]:
    """{name: distances of a set that no generator has drawn}.

    They take longer than a short run. The last ones are kept for a process'
    next run, which may have the same reals.
    """
    content = hashlib.sha256(self.real.tobytes()).hexdigest()
    key = content, self.real.shape, self._seed
    if key not in _LAST_REFERENCES:
      found = self._references()
      _LAST_REFERENCES.clear()
      _LAST_REFERENCES[key] = found
    return _LAST_REFERENCES[key]

  def _references(self):
    real, seed = self.real, self._seed
    halves = references.halves(real, seed)
    noise = references.pixel_noise(real, self.count, seed)
    pca = references.pca_gaussian(
        real, self.count, self.components, seed=seed)
    return {'halves': self._swd(*halves)[0], 'noise': self._swd(real, noise)[0],
            'pca': self._swd(real, pca)[0]}

  def measure(self, fake: np.ndarray) -> dict[str, Any]:
    """Distances and variety of samples.

    Args:
      fake: uint8 [count, H, W, C].

    Returns:
      A dict for JSON: 'swd' has 'samples', 'halves', 'noise' and 'pca', each
      {height in pixels of a Laplacian level: distance x 1e3}; 'pairwise' has
      'samples' and 'reals'; 'protocol' says how all of it was measured.
    """
    samples, protocol = self._swd(self.real, fake)
    return {
        'swd': {'samples': samples, **self.references},
        'pairwise': {'samples': training_stability.pairwise(fake),
                     'reals': self.variety},
        'protocol': {
            'against': self.against, 'weights': self._weights,
            'pca_components': self.components, **protocol}}

  def _swd(self, a, b):
    distances = sliced_wasserstein.swd(a, b, seed=self._seed)
    protocol = distances.pop('protocol')
    return {str(k): float(v) for k, v in distances.items()}, protocol

  @staticmethod
  def values(measured: dict[str, Any]) -> dict[str, float]:
    """{'swd_32': ..., ..., 'swd_mean': ..., 'pairwise_ratio': ...}."""
    pairwise = measured['pairwise']
    ratio = pairwise['samples'] / max(pairwise['reals'], 1e-8)
    return {**{f'swd_{level}': value
               for level, value in measured['swd']['samples'].items()},
            'pairwise_ratio': ratio}

  @staticmethod
  def references_of(measured: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Of 'reals', by which two halves are meant, for each number.

    Of 'noise' and 'pca' for SWD_MEAN alone: curves of each level would have no
    room for all of them.
    """
    swd = measured['swd']
    halves = {f'swd_{level}': value for level, value in swd['halves'].items()}
    return {'reals': {**halves, 'pairwise_ratio': 1.},
            'noise': {SWD_MEAN: swd['noise']['mean']},
            'pca': {SWD_MEAN: swd['pca']['mean']}}

  @staticmethod
  def table(measured: dict[str, Any]) -> str:
    swd, pairwise = measured['swd'], measured['pairwise']
    levels = list(swd['samples'])
    protocol = measured['protocol']
    names = {'samples': 'samples of this run',
             'halves': ('two halves of the reals, '
                        f'{protocol["n_real"] // 2:,} each'),
             'noise': 'noise, mean and spread of each pixel',
             'pca': f'Gaussian, {protocol["pca_components"]} components of '
                    'the reals'}
    lines = [
        'Sliced Wasserstein distance x1e3 of 7x7 patches, by Laplacian level',
        f'({protocol["n_fake"]:,} samples, {_weights(protocol)}, against '
        f'{protocol["n_real"]:,} {protocol["against"]})',
        ' ' * 38 + ''.join(
            f'{level + " px" if level.isdigit() else level:>9}'
            for level in levels)]
    for name, title in names.items():
      lines.append(f'  {title:<36}' + ''.join(
          f'{swd[name][level]:9.2f}' for level in levels))
    ratio = DistanceSummary.values(measured)['pairwise_ratio']
    lines.append(
        f'mean distance of two samples: {pairwise["samples"]:.3f}, of two '
        f'reals: {pairwise["reals"]:.3f} (ratio {ratio:.2f})')
    return '\n'.join(lines)


class ModeSummary:
  """Counts the Gaussians of a toy that a generator has found.

  Args:
    splits: see data.sources.open_source; the sources have `centres` and `std`.
      If nothing is held out, the 'reals' of the summary are training points.
    weights: see `choose`.
  """
  count = POINTS

  def __init__(self, splits: Splits, weights: str = 'ema'):
    self._weights = weights
    self._source: Any = splits.held_out or splits.train

  @property
  def lacks(self) -> str:
    return ''

  @property
  def scorable(self) -> bool:
    return False  # METRICS compare pictures.

  @property
  def labels(self) -> np.ndarray:
    """Those of as many real points, int32 [count]."""
    return np.resize(self._source.labels(np.arange(min(
        len(self._source), self.count))), self.count)

  def measure(self, fake: np.ndarray) -> dict[str, Any]:
    """Modes of samples, and of as many reals.

    Args:
      fake: float [count, 1, 1, 2].

    Returns:
      A dict for JSON: 'samples' and 'reals' are those of
      metrics.functional.mixture_modes; 'protocol' says how they were counted.
    """
    source = self._source
    real = source.images(np.arange(min(len(source), self.count)))
    samples, reals = (
        mixture_modes.modes(x.reshape(len(x), -1), source.centres,
                            source.std)._asdict()
        for x in (fake, real))
    return {'samples': samples, 'reals': reals, 'protocol': {
        'n_real': len(real), 'n_fake': len(fake), 'weights': self._weights,
        'gaussians': len(source.centres), 'within_std': mixture_modes.WITHIN}}

  @staticmethod
  def values(measured: dict[str, Any]) -> dict[str, float]:
    """{'modes': ..., 'high_quality': ..., 'kl': ...}."""
    return measured['samples']

  @staticmethod
  def references_of(measured: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {'reals': measured['reals']}

  @staticmethod
  def table(measured: dict[str, Any]) -> str:
    protocol = measured['protocol']
    lines = [f'Gaussians found, of {protocol["gaussians"]} '
             f'({protocol["n_fake"]:,} samples, {_weights(protocol)})',
             ' ' * 14 + f'found{"within 3 std":>16}{"KL from even":>16}']
    for name in ('samples', 'reals'):
      row = measured[name]
      lines.append(f'  {name:<12}{row["modes"]:5}{row["high_quality"]:16.1%}'
                   f'{row["kl"]:16.4f}')
    return '\n'.join(lines)


def _weights(protocol):
  return 'EMA weights' if protocol['weights'] == 'ema' else 'raw weights'
