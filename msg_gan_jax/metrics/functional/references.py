"""Fake sets made from reals without a GAN: what a generator should beat."""
import numpy as np

_BLOCK = 2**14  # Pixel columns at a time: a set of large images fits nowhere.


def halves(reals: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
  """Two disjoint random halves of a set; their distance is a metric's floor.

  Args:
    reals: [N, ...], N at least 2; an odd one is left out.

  Returns:
    Two arrays [N // 2, ...].
  """
  _check('halves', reals)
  order = np.random.default_rng(seed).permutation(len(reals))
  half = len(reals) // 2
  return reals[np.sort(order[:half])], reals[np.sort(order[half:2 * half])]


def pixel_noise(reals: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
  """Images of independent Gaussian pixels with the reals' mean and spread.

  Args:
    reals: uint8 [N, H, W, C], N at least 2.
    n: how many to make.

  Returns:
    uint8 [n, H, W, C]: mean and standard deviation are those of each pixel
    and channel, but for rounding and clipping to 0..255.
  """
  _check('pixel_noise', reals, np.uint8)
  rng = np.random.default_rng(seed)
  flat = reals.reshape(len(reals), -1)
  noise = np.empty((n, flat.shape[1]), np.uint8)
  for columns in _blocks(flat):
    mean, spread = flat[:, columns].mean(axis=0), flat[:, columns].std(axis=0)
    drawn = rng.standard_normal((n, len(mean)), dtype=np.float32)
    noise[:, columns] = _to_uint8(mean + spread * drawn)
  return noise.reshape(n, *reals.shape[1:])


def pca_gaussian(reals: np.ndarray, n: int, components: int = 10,
                 seed: int = 0) -> np.ndarray:
  """Samples of the Gaussian that spans the reals' first principal components.

  Args:
    reals: uint8 [N, H, W, C], N at least 2; the cost is that of the
      eigenvectors of a square of side min(N, H * W * C): seconds at 2048.
    n: how many to make.
    components: 1 .. min(N - 1, H * W * C), in order of variance.

  Returns:
    uint8 [n, H, W, C]: the reals' mean plus, along each component, their
    variance; exact but for rounding and clipping to 0..255.
  """
  _check('pca_gaussian', reals, np.uint8)
  flat = reals.reshape(len(reals), -1)
  most = min(len(flat) - 1, flat.shape[1])
  if not 1 <= components <= most:
    raise ValueError(
        f'pca_gaussian: wanted 1 to {most} components of {len(flat)} images '
        f'with {flat.shape[1]} values each, found {components}.')
  # Samples are z @ basis + mean. The Gram matrix has the nonzero eigenvalues
  # of the covariance, and its eigenvectors mix the reals into components.
  wide = flat.shape[1] >= len(flat)
  if wide:
    square = sum(x @ x.T for x in map(_centered, _columns(flat)))
  else:
    x = _centered(flat)
    square = x.T @ x
  values, vectors = np.linalg.eigh(square.astype(np.float64))
  vectors = vectors[:, ::-1][:, :components].T  # [K, N] or [K, D]
  values = np.maximum(values[::-1][:components, None], 0.)
  z = np.random.default_rng(seed).standard_normal((n, components))
  z /= np.sqrt(len(flat))
  if not wide:
    samples = _to_uint8(z @ (np.sqrt(values) * vectors) + flat.mean(axis=0))
    return samples.reshape(n, *reals.shape[1:])
  mix = (z @ vectors).astype(np.float32)  # [n, N]
  samples = np.empty((n, flat.shape[1]), np.uint8)
  for columns in _blocks(flat):
    x = flat[:, columns]
    samples[:, columns] = _to_uint8(mix @ _centered(x) + x.mean(axis=0))
  return samples.reshape(n, *reals.shape[1:])


def _check(name, reals, dtype=None):
  if len(reals) < 2 or dtype not in (None, reals.dtype):
    raise ValueError(
        f'{name}: wanted at least 2 {"uint8 " if dtype else ""}images, found '
        f'{reals.dtype} {list(reals.shape)}.')


def _blocks(flat):
  return [slice(i, i + _BLOCK) for i in range(0, flat.shape[1], _BLOCK)]


def _columns(flat):
  return (flat[:, columns] for columns in _blocks(flat))


def _centered(x):
  return (x - x.mean(axis=0)).astype(np.float32)


def _to_uint8(x):
  return np.clip(np.rint(x), 0, 255).astype(np.uint8)
