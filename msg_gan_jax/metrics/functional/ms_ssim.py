"""Multi-scale structural similarity: how alike a generator's pictures are."""
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.metrics.functional.per_class import ByClass

_WEIGHTS = (.0448, .2856, .3001, .2363, .1333)  # Wang et al. 2003, sec. 3.3.
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (.01 * 255)**2, (.03 * 255)**2
_GREY = 127.5  # Taken off: squares are smaller, and float32 has more digits.
_VALUES = 2**16  # Of a batch of pictures, at most; more leave the cache.


class Form(NamedTuple):
  """Where the definitions of the peers differ.

  Attributes:
    narrow: whether the Gaussian narrows with a window that a small level cuts.
    pad: whether an odd side repeats its last row before halving.
    by_channel: whether channels are averaged after the product over levels,
      rather than at each level.
  """

  narrow: bool
  pad: bool
  by_channel: bool


class Similarity(NamedTuple):
  """A mean similarity of pairs of pictures.

  Attributes:
    value: 0 .. 1; it says something only beside the value of the reals.
    standard_error: over pairs (or batches), as if they were independent.
    pairs: how many.
    warnings: sentences; none where nothing is wrong.
  """

  value: float
  standard_error: float
  pairs: int
  warnings: tuple[str, ...] = ()


# Karras et al. 2018, metrics/ms_ssim.py; Kurach et al. 2019, compare_gan v2,
# image_similarity.py.
PROGAN = Form(narrow=True, pad=False, by_channel=False)
LANDSCAPE = Form(narrow=False, pad=True, by_channel=True)


def ms_ssim(a: np.ndarray, b: np.ndarray, form: Form = PROGAN) -> np.ndarray:
  """Multi-scale structural similarity of pairs of pictures.

  Args:
    a, b: uint8 [n, H, W, C] of one shape; in ProGAN's form the sides are
      multiples of 16, so that four halvings come out even (its code stops
      there too, or adds unlike rows together); in Landscape's any.
    form: PROGAN or LANDSCAPE.

  Returns:
    float32 [n] in 0 .. 1; 1 for equal pictures.

  Raises:
    ValueError: not uint8, two shapes, or a side that the form cannot halve.

  Source: Wang et al. 2003 (MS-SSIM), five levels, 11 x 11 Gaussian windows of
  1.5 px, no padding, negative contrasts as 0. The weights add up to 1.0001, as
  in the paper.
  """
  a, b = _checked('ms_ssim', form, a), _checked('ms_ssim', form, b)
  if a.shape != b.shape:
    raise ValueError(
        f'ms_ssim: wanted pairs of one shape, found {list(a.shape)} and '
        f'{list(b.shape)}.')
  rows = np.arange(len(a))
  return _of_pairs(a, b, rows, rows, form)


def pairs(images: np.ndarray, count: int = 10_000, seed: int = 0,
          form: Form = PROGAN) -> Similarity:
  """Mean similarity of random pairs of a set: 1 if it has one picture only.

  Args:
    images: uint8 [N, H, W, C], N at least 2.
    count: of pairs. 2 count pictures or more give disjoint pairs, as ProGAN's
      protocol has (20,000 pictures, even ones with odd ones); fewer are used
      again, with a warning, each pair being of two.
    seed: of the pairs.
    form: as in `ms_ssim`.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 5; Odena et al. 2017
  (arXiv:1610.09585), sec. 4.2.
  """
  images = _checked('pairs', form, images, 2)
  if count < 1:
    raise ValueError(f'pairs: wanted at least 1 pair, found {count}.')
  left, right = _draw(len(images), count, np.random.default_rng(seed))
  warnings = []
  if len(images) < 2 * count:
    warnings.append(
        f'{len(images)} pictures for {count} pairs: pictures are used more '
        'than once, and the error is larger than stated.')
  return _mean(_of_pairs(images, images, left, right, form))._replace(
      warnings=tuple(warnings))


def landscape(images: np.ndarray, batches: int = 5,
              batch: int = 64) -> Similarity:
  """Mean similarity of all pairs within batches, as compare_gan v2 has it.

  Args:
    images: uint8 [N, H, W, C], N at least batches * batch, in the order of
      sampling; the others are left out.
    batches, batch: 5 of 64 pictures in the peer, which has floats in 0..255,
      and measures CelebA and CelebA-HQ only.

  Returns:
    Similarity with the error over the batches; its pairs are unordered (the
    peer has both orders of each, which are equal).

  Source: Kurach et al. 2019 (arXiv:1807.04720); Fedus et al. 2018
  (arXiv:1710.08446), sec. 5.3.
  """
  if batches < 1 or batch < 2:
    raise ValueError(
        f'landscape: wanted a batch or more of at least 2 pictures, found '
        f'{batches} of {batch}.')
  images = _checked('landscape', LANDSCAPE, images, batches * batch)
  left, right = np.triu_indices(batch, 1)
  starts = batch * np.arange(batches)[:, None]
  values = _of_pairs(images, images, (starts + left).ravel(),
                     (starts + right).ravel(), LANDSCAPE)
  means = values.reshape(batches, -1).mean(axis=1, dtype=np.float64)
  return _mean(means)._replace(pairs=len(values))


def within(images: np.ndarray, labels: np.ndarray, count: int = 100,
           seed: int = 0, form: Form = PROGAN) -> ByClass:
  """Mean similarity of random pairs of each class.

  Args:
    images: uint8 [N, H, W, C].
    labels: int [N].
    count: pairs of a class; 100 in the source.
    seed, form: as in `pairs`.

  Returns:
    ByClass; nan for a class with one picture, which the mean leaves out.

  Source: Odena et al. 2017 (arXiv:1610.09585), sec. 4.2.
  """
  images, labels = _checked('within', form, images), np.asarray(labels)
  if labels.shape != images.shape[:1]:
    raise ValueError(
        f'within: wanted a label for each of {len(images)} pictures, found '
        f'{list(labels.shape)}.')
  rng = np.random.default_rng(seed)
  members = {int(c): np.flatnonzero(labels == c) for c in np.unique(labels)}
  drawn = {c: [x[side] for side in _draw(len(x), count, rng)]
           for c, x in members.items() if len(x) > 1}
  if not drawn:
    raise ValueError('within: wanted a class of 2 pictures or more.')
  left, right = (np.concatenate([x[side] for x in drawn.values()])
                 for side in (0, 1))
  means = _of_pairs(images, images, left, right, form).reshape(
      len(drawn), count).mean(axis=1, dtype=np.float64)
  by_class = dict(zip(drawn, means.tolist(), strict=True))
  return ByClass(float(means.mean()), {
      c: by_class.get(c, float('nan')) for c in members})


def _checked(place, form, images, least=1):
  images = np.asarray(images)
  if images.dtype != np.uint8 or images.ndim != 4 or len(images) < least:
    raise ValueError(
        f'{place}: wanted uint8 [n, H, W, C] with n of at least {least}, found '
        f'{images.dtype} {list(images.shape)}.')
  height, width = images.shape[1:3]
  halvings = 2**(len(_WEIGHTS) - 1)
  if not form.pad and (height % halvings or width % halvings):
    raise ValueError(
        f'{place}: wanted sides that are multiples of {halvings}, for '
        f'{len(_WEIGHTS)} levels, found {height} x {width}; the form LANDSCAPE '
        'takes any.')
  return images


def _draw(n, count, rng):
  """Two int [count]: of pairs of two, disjoint where n allows."""
  if n >= 2 * count:
    drawn = rng.permutation(n)[:2 * count]
    return drawn[0::2], drawn[1::2]
  left = rng.integers(n, size=count)
  return left, (left + rng.integers(1, n, count)) % n


def _mean(values):
  n = len(values)
  error = values.std(ddof=1, dtype=np.float64) / np.sqrt(n) if n > 1 else (
      float('nan'))
  return Similarity(float(values.mean(dtype=np.float64)), float(error), n)


def _of_pairs(a, b, left, right, form):
  """float32 [pairs]; in batches of one size, the last one filled up."""
  most = max(1, _VALUES // int(np.prod(a.shape[1:])))
  # Powers of 2, so that sets of many sizes share a compiled program.
  size = 2**min((len(left) - 1).bit_length(), most.bit_length() - 1)
  batches = []
  for start in range(0, len(left), size):
    pairs = np.arange(start, start + size) % len(left)
    batches.append(_batch(a[left[pairs]], b[right[pairs]], form))
  return np.concatenate([np.asarray(x) for x in batches])[:len(left)]


@functools.partial(jit, static_argnums=2)
def _batch(a, b, form):
  """[B] of uint8 [B, H, W, C]; each level is [2 B, H, W C], a and then b."""
  channels = a.shape[-1]
  x = jnp.concatenate([a, b]).astype(jnp.float32) - _GREY
  x = x.reshape(*x.shape[:2], -1)
  product: Any = 1.
  for level, weight in enumerate(_WEIGHTS):
    if level:
      x = _halve(x, channels, form.pad)
    ssim, contrast = _level(x, channels, form.narrow)
    last = level == len(_WEIGHTS) - 1
    factor = ssim if last else contrast  # [B, C]
    if not form.by_channel:
      factor = factor.mean(axis=1)
    product *= jnp.maximum(factor, 0)**weight
  return product.mean(axis=1) if form.by_channel else product


def _level(x, channels, narrow):
  """Means over pixels of similarity and of contrast with structure, [B, C]."""
  height, width = x.shape[1], x.shape[2] // channels
  size = min(_WINDOW, height, width)
  sigma = _SIGMA * size / _WINDOW if narrow else _SIGMA
  places = np.arange(size) - (size - 1) / 2
  window = np.exp(-np.square(places) / (2 * sigma**2))
  window /= window.sum()
  a, b = jnp.split(x, 2)
  # The window is a product of rows and columns; shifted copies run at the
  # memory's speed, which a convolution with one channel does not.
  a, b, aa, bb, ab = (
      _blur(_blur(z, window, 1, 1), window, 2, channels)
      for z in (a, b, a * a, b * b, a * b))
  structure = 2 * (ab - a * b) + _C2
  contrast = structure / (aa - a * a + (bb - b * b) + _C2)
  a, b = a + _GREY, b + _GREY
  light = (2 * a * b + _C1) / (a * a + b * b + _C1)
  return tuple(z.reshape(len(z), -1, channels).mean(axis=1)
               for z in (light * contrast, contrast))


def _blur(x, window, axis, step):
  """Weighted sums of what lies 0, step, 2 step .. further along the axis."""
  length = x.shape[axis] - (len(window) - 1) * step
  return sum(
      float(w) * jax.lax.slice_in_dim(x, i * step, i * step + length, axis=axis)
      for i, w in enumerate(window))


def _halve(x, channels, pad):
  n, height, width = x.shape
  x = x.reshape(n, height, width // channels, channels)
  if pad:
    x = jnp.pad(x, ((0, 0), (0, height % 2), (0, x.shape[2] % 2), (0, 0)),
                'symmetric')
  x = x.reshape(n, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels)
  return x.mean(axis=(2, 4)).reshape(n, x.shape[1], -1)
