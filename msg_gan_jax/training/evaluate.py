"""The summary at the end of a run: distances, each beside its references."""
import jax
import numpy as np

from msg_gan_jax.metrics import references, sliced, stability

COUNT = 2048
SMALLEST = 16  # px; a patch of 7x7 pixels wants a picture around it


def latents(gan, count, seed=1):
  """z [count, latent] of the summary; not those of the grids."""
  return np.asarray(gan.draw(jax.random.key(seed), count))


def summary(config, splits, generate, seed=0):
  """Sliced Wasserstein distances and variety of a generator.

  Args:
    config: Config.
    splits: of data.open; where nothing is held out, training pictures are
      what is compared with, and 'against' says so.
    generate: n -> uint8 [n, H, W, C].
    seed: of patches, directions and references.

  Returns:
    A dict for JSON: 'swd' {'samples', 'halves', 'noise', 'pca'}, each by
    pixel size of the Laplacian level, x 1e3; 'pairwise' of samples and of
    reals; 'protocol'.
  """
  held_out = splits.held_out
  against = held_out if held_out is not None else splits.train
  n = min(COUNT, len(against))
  picked = np.linspace(0, len(against) - 1, n).astype(np.int64)
  real = against.images(picked)
  fake = generate(n)
  a, b = references.halves(real, seed)
  sets = {
      'samples': (real, fake),
      'halves': (a, b),
      'noise': (real, references.pixel_noise(real, n, seed)),
      'pca': (real, references.pca_gaussian(real, n, seed=seed))}
  swd = {name: sliced.swd(*pair, seed=seed) for name, pair in sets.items()}
  protocol = swd['samples'].pop('protocol')
  for name in ('halves', 'noise', 'pca'):
    swd[name].pop('protocol')
  return {
      'swd': {name: {str(k): float(v) for k, v in row.items()}
              for name, row in swd.items()},
      'pairwise': {'samples': float(stability.pairwise(fake)),
                   'reals': float(stability.pairwise(real))},
      'protocol': {
          'against': ('held-out reals' if held_out is not None
                      else 'training reals: none are held out'),
          'weights': 'ema', **protocol}}


def table(found):
  """The summary as text for a person."""
  swd, pairwise = found['swd'], found['pairwise']
  levels = list(swd['samples'])
  names = {'samples': 'samples of this run',
           'halves': 'two halves of the reals',
           'noise': 'noise, mean and spread of each pixel',
           'pca': 'Gaussian, 10 components of the reals'}
  protocol = found['protocol']
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
  ratio = pairwise['samples'] / max(pairwise['reals'], 1e-8)
  lines.append(
      f'mean distance of two samples: {pairwise["samples"]:.3f}, of two reals: '
      f'{pairwise["reals"]:.3f} (ratio {ratio:.2f})')
  return '\n'.join(lines)
