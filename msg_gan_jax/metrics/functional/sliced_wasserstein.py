"""Sliced Wasserstein distance of patches, at every scale of two image sets."""
from concurrent import futures
from typing import Any

import numpy as np

_PATCH = 7  # Pixels; Karras et al. 2018, sec. 5.
SMALLEST = _PATCH + 1  # Pixels: the shorter side of a picture.
_COARSEST = 16  # The last level of the paper: most of it is a patch's size.
_BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def swd(real: np.ndarray, fake: np.ndarray, seed: int = 0, *,
        per_image: int = 128, directions: int = 512) -> dict[int | str, Any]:
  """Distance of two sets of images at each level of a Laplacian pyramid.

  The patches of the two sets, and so swd(x, x), are drawn independently: the
  distance of two halves of the reals is the floor to compare with.

  Args:
    real, fake: uint8 [N, S, W, C], any C; of the larger set, a random subset
      as large as the smaller one is used, because sorted lists of one length
      are compared, and because the floor depends on N.
    seed: of the subset, the patches and the directions.
    per_image: patches of an image and level; 128 is ProGAN's protocol.
    directions: how many; 512 is ProGAN's protocol (4 times 128).

  Returns:
    {S: .., S/2: .., 'mean': .., 'protocol': {..}}: distances times 1000,
    keyed by the height of the level, down to 16 for the shorter side, and
    their mean; 0 is best. Sets under 32 pixels, or with an odd side, have one
    level, their own. The protocol holds
    n_real and n_fake as used, per_image, directions, seed.

  Raises:
    ValueError: not uint8, a side under 8 pixels, or two shapes.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 5.
  """
  real, fake = np.asarray(real), np.asarray(fake)
  for name, images in (('real', real), ('fake', fake)):
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images):
      raise ValueError(
          f'swd: wanted {name} as uint8 [N, H, W, C], found {images.dtype} '
          f'{list(images.shape)}.')
  if real.shape[1:] != fake.shape[1:]:
    raise ValueError(
        f'swd: real images are {real.shape[1:]}, fake ones {fake.shape[1:]}.')
  height, width, channels = real.shape[1:]
  if min(height, width) < SMALLEST:
    raise ValueError(
        f'swd: wanted images of at least {SMALLEST} pixels a side (a patch '
        f'has {_PATCH}), found {height} x {width}.')
  rng = np.random.default_rng(seed)
  n = min(len(real), len(fake))
  real_levels = _descriptors(_subset(real, n, rng), per_image, rng)
  fake_levels = _descriptors(_subset(fake, n, rng), per_image, rng)
  unit = unit_directions(_PATCH * _PATCH * channels, directions, rng)
  distances: dict[int | str, Any] = {}
  for size in sorted(real_levels, reverse=True):
    # Popped and in place, for a level may have gigabytes.
    a, b = real_levels.pop(size), fake_levels.pop(size)
    distances[size] = 1e3 * sliced_wasserstein(
        normalize(a, out=a), normalize(b, out=b), unit)
  distances['mean'] = sum(distances.values()) / len(distances)
  distances['protocol'] = dict(
      n_real=n, n_fake=n, per_image=per_image, directions=directions,
      seed=seed)
  return distances


def laplacian_pyramid(images: np.ndarray, levels: int) -> list[np.ndarray]:
  """Bands of detail, then the rest: finest first, as the paper lists them.

  Args:
    images: [N, H, W, C] of any range; sides divisible by 2**(levels - 1), at
      least 3 pixels each after the last halving.
    levels: how many, at least 1.

  Returns:
    List of float32 (float64 for float64) [N, H / 2**i, W / 2**i, C]: each is
    the image less what its half, blurred up again, predicts; the last one is
    the smallest image itself.

  Source: Burt & Adelson 1983; edges mirrored without repeating the edge.
  """
  images = np.asarray(images)
  rest = images.astype(np.result_type(images.dtype, np.float32), copy=False)
  bands = []
  for _ in range(levels - 1):
    smaller = _blur(rest)[:, ::2, ::2]
    raised = np.zeros_like(rest)
    raised[:, ::2, ::2] = smaller
    bands.append(rest - 4 * _blur(raised))  # 3 of 4 pixels were zeros.
    rest = smaller
  return bands + [rest]


def centres(images: int, height: int, width: int, per_image: int,
            rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
  """Where patches lie: int (rows, columns), each [images, per_image].

  Uniform over the centres whose patch lies within `height` x `width` pixels.
  """
  margin = _PATCH // 2
  shape = (images, per_image)
  return (rng.integers(margin, height - margin, shape),
          rng.integers(margin, width - margin, shape))


def patches(level: np.ndarray, rows: np.ndarray,
            columns: np.ndarray) -> np.ndarray:
  """The 7x7 neighbourhoods of given centres.

  Args:
    level: [N, H, W, C].
    rows, columns: int [N, P], centres at least 3 pixels from any edge.

  Returns:
    [N * P, 7, 7, C]; patch i belongs to image i // P.
  """
  margin = _PATCH // 2
  windows = np.lib.stride_tricks.sliding_window_view(
      level, (_PATCH, _PATCH), (1, 2))  # [N, H - 6, W - 6, C, 7, 7]
  taken = np.moveaxis(windows, 3, -1)[
      np.arange(len(level))[:, None], rows - margin, columns - margin]
  return taken.reshape(-1, *taken.shape[2:])


def normalize(descriptors: np.ndarray,
              out: np.ndarray | None = None) -> np.ndarray:
  """Mean 0 and deviation 1 for each colour channel, over the whole set.

  Args:
    descriptors: float [M, ..., C].
    out: where to write, as numpy's: None, or contiguous [M, ..., C], which
      may be `descriptors` itself.

  Returns:
    [M, D], flat; a channel without any variation becomes 0, so that the
    distance to a collapsed set is a number.
  """
  flat = descriptors.reshape(len(descriptors), -1)
  channels = descriptors.shape[-1]
  blocks = [slice(i, i + 2048) for i in range(0, len(flat), 2048)]

  def mean(columns):  # Over a channel's columns, then given to each of them.
    by_channel = (columns / len(flat)).reshape(-1, channels).mean(axis=0)
    return np.tile(by_channel, len(columns) // channels)

  # In float64, for M may be millions; in blocks that stay in the cache.
  shift = mean(flat.sum(axis=0, dtype=np.float64)).astype(flat.dtype)
  flat = np.subtract(
      flat, shift, out=None if out is None else out.reshape(flat.shape))
  squares = sum(
      np.square(flat[block]).sum(axis=0, dtype=np.float64) for block in blocks)
  deviation = np.sqrt(mean(squares))
  flat /= np.where(deviation > 0, deviation, 1).astype(flat.dtype)
  return flat


def unit_directions(size: int, count: int,
                    rng: np.random.Generator) -> np.ndarray:
  """float32 [size, count]: columns uniform on the unit sphere."""
  drawn = rng.standard_normal((size, count))
  return (drawn / np.linalg.norm(drawn, axis=0)).astype(np.float32)


def sliced_wasserstein(a: np.ndarray, b: np.ndarray,
                       directions: np.ndarray) -> float:
  """Mean 1-Wasserstein distance of two point sets over given directions.

  Args:
    a, b: float [M, D], as many points each.
    directions: [D, K], columns of length 1.

  Returns:
    Python float: mean |difference| of sorted projections.

  Source: Rabin et al. 2011; absolute differences as in Karras et al. 2018.
  """
  if a.shape != b.shape:
    raise ValueError(
        f'sliced_wasserstein: wanted sets of one shape, found {a.shape} and '
        f'{b.shape}.')
  total, block = 0., min(max(64, 2**24 // len(a)), directions.shape[1])
  # One buffer, for fresh memory costs more than the sort itself; threads, for
  # numpy multiplies on all cores but sorts on one. A task takes milliseconds.
  both = np.empty((2, block, len(a)), a.dtype)
  step = max(1, 2**19 // len(a))
  with futures.ThreadPoolExecutor() as pool:
    for start in range(0, directions.shape[1], block):
      lines = directions[:, start:start + block].T.astype(a.dtype)
      x, y = both[:, :len(lines)]
      np.matmul(lines, a.T, out=x)
      np.matmul(lines, b.T, out=y)
      rows = [z[i:i + step] for z in (x, y) for i in range(0, len(z), step)]
      list(pool.map(np.ndarray.sort, rows))
      np.subtract(x, y, out=x)
      total += np.abs(x, out=x).sum(dtype=np.float64)
  return float(total / (len(a) * directions.shape[1]))


def _blur(x):
  for axis in (1, 2):
    pad = [(0, 0)] * x.ndim
    pad[axis] = (2, 2)
    x = np.pad(x, pad, mode='reflect')
    n = x.shape[axis] - 4
    cut = [slice(None)] * x.ndim
    out = 0
    for shift, weight in enumerate(_BINOMIAL):
      cut[axis] = slice(shift, shift + n)
      out = out + x[tuple(cut)] * x.dtype.type(weight)
    x = out
  return x


def _sizes(height, width):
  sizes = [(height, width)]
  while (height % 2 == width % 2 == 0
         and min(height, width) // 2 >= _COARSEST):
    height, width = height // 2, width // 2
    sizes.append((height, width))
  return sizes


def _subset(images, n, rng):
  if len(images) == n:
    return images
  return images[np.sort(rng.permutation(len(images))[:n])]


def _descriptors(images, per_image, rng):
  # {size: float32 [N * per_image, 7, 7, C]}. Chunks: the float pyramid of a
  # set of large images is larger than its patches, and caches are small.
  sizes = _sizes(*images.shape[1:3])
  taken = {
      height: np.empty(
          (len(images) * per_image, _PATCH, _PATCH, images.shape[3]),
          np.float32) for height, _ in sizes}
  where = {
      height: centres(len(images), height, width, per_image, rng)
      for height, width in sizes}
  chunk = max(1, 2**15 // images[0].size)
  for start in range(0, len(images), chunk):
    part = slice(start, start + chunk)
    levels = laplacian_pyramid(images[part], len(sizes))
    for (height, _), level in zip(sizes, levels, strict=True):
      rows, columns = where[height]
      taken[height][start * per_image:(start + len(level)) * per_image] = (
          patches(level, rows[part], columns[part]))
  return taken
