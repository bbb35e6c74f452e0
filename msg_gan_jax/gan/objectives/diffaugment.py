"""DiffAugment: colour, translation and cutout of reals and fakes.

Source: Zhao et al. 2020 (arXiv:2006.10738), sec. 3 and 4.1, and its authors'
code, mit-han-lab/data-efficient-gans, DiffAugment_pytorch.py. There a picture
has one scale and every one is changed; here a sample is changed alike at all
scales, and with probability `strength`: 1 is the paper's.

Arguments of all: pyramid, levels [B, H, W, C] in [-1, 1], coarse to fine; a
jax key; strength, the probability 0 .. 1 that a sample is changed. A sample
that is not is returned bit for bit. Nothing is clipped.
"""
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.pyramid import Pyramid

Strength = float | jax.Array  # It may be traced.


def colours(images: jax.Array) -> int:
  """How many channels [..., C] are colours: 3 or 1; the others are alpha."""
  return 3 if images.shape[-1] > 2 else 1


def color(pyramid: Pyramid, key: jax.Array, strength: Strength) -> Pyramid:
  """Brightness, then saturation, then contrast; alpha stays.

  x + U(-.5, .5); a pixel's distance to its mean over colours times U(0, 2);
  the distance to the mean of the level times U(.5, 1.5).

  Source: Zhao et al. 2020 (arXiv:2006.10738), and its code.
  """
  n = pyramid[0].shape[0]
  brightness, saturation, contrast = jax.random.uniform(
      jax.random.fold_in(key, 0), (3, n, 1, 1, 1))
  done = _done(jax.random.fold_in(key, 1), n, strength)[:, None, None, None]

  def change(images):
    count = colours(images)
    old, alpha = images[..., :count], images[..., count:]
    new = old + (brightness - .5)
    new = _stretched(new, new.mean(-1, keepdims=True), 2 * saturation)
    new = _stretched(new, new.mean((1, 2, 3), keepdims=True), contrast + .5)
    return jnp.concatenate([jnp.where(done, new, old), alpha], -1)

  return tuple(map(change, pyramid))


def _stretched(x, mean, factor):
  return mean + (x - mean) * factor


def translation(pyramid: Pyramid, key: jax.Array,
                strength: Strength) -> Pyramid:
  """Shifts by whole pixels of the finest level; zeros enter.

  A shift is at most an eighth of a side. Where it is not a multiple of a
  coarser level's pixel, that level is interpolated linearly. That is what
  pooling gives where the finer picture is flat within a coarse pixel, so that
  all levels stay those of one picture.

  Source: Zhao et al. 2020 (arXiv:2006.10738), and its code.
  """
  n, height, width = pyramid[-1].shape[:3]
  shift = jnp.stack([
      jax.random.randint(jax.random.fold_in(key, i), (n,), -most, most + 1)
      for i, most in enumerate((height // 8, width // 8))], -1)
  done = _done(jax.random.fold_in(key, 2), n, strength)
  shift = jnp.where(done[:, None], shift, 0)
  return tuple(_shifted(x, shift, height // x.shape[1]) for x in pyramid)


def _shifted(images, shift, factor):
  """A level moved by shift / factor of its pixels; shift int32 [B, (y, x)]."""
  _, height, width, channels = images.shape
  room = tuple(side // 8 + 1 for side in (height, width))
  padded = jnp.pad(images, ((0, 0), *((r, r) for r in room), (0, 0)))
  whole, rest = jnp.divmod(-shift, factor)
  window = jax.vmap(lambda x, start: jax.lax.dynamic_slice(
      x, (*start, 0), (height + 1, width + 1, channels)))(
          padded, whole + jnp.array(room))
  y, x = (rest / factor).T[..., None, None, None]
  window = window[:, :-1] * (1 - y) + window[:, 1:] * y
  return window[:, :, :-1] * (1 - x) + window[:, :, 1:] * x


def cutout(pyramid: Pyramid, key: jax.Array, strength: Strength) -> Pyramid:
  """Zeros in a box of half the sides, whose centre is any pixel.

  Source: Zhao et al. 2020 (arXiv:2006.10738), and its code.
  """
  n, height, width = pyramid[-1].shape[:3]
  done = _done(jax.random.fold_in(key, 2), n, strength)
  boxes = []
  for i, side in enumerate((height, width)):
    half = side // 2
    # The authors' range: an even box has a centre more, between two pixels.
    centre = jax.random.randint(
        jax.random.fold_in(key, i), (n,), 0, side + 1 - half % 2)
    start = centre - half // 2
    boxes.append((start, jnp.where(done, start + half, start)))
  return cut_out(pyramid, *boxes)


def cut_out(pyramid: Pyramid, rows: tuple[jax.Array, jax.Array],
            columns: tuple[jax.Array, jax.Array]) -> Pyramid:
  """Zeros in a box, given in pixels of the finest level.

  A pixel of a coarser level keeps the share of it that is outside.

  Args:
    pyramid: tuple of [B, H, W, C], coarse to fine.
    rows, columns: (start, stop), each int32 [B]; they may lie outside. Nothing
      is cut where start = stop.
  """
  finest = pyramid[-1].shape[1]

  def cut(images):
    factor = finest // images.shape[1]
    y, x = (_inside(side, box, factor) for side, box in zip(
        images.shape[1:3], (rows, columns), strict=True))
    return images * (1 - y[:, :, None, None] * x[:, None, :, None])

  return tuple(map(cut, pyramid))


def _inside(side, box, factor):
  """The share of each of `side` pixels that is inside: [B, side]."""
  start, stop = (edge[:, None] / factor for edge in box)
  pixel = jnp.arange(side)
  return jnp.clip(
      jnp.minimum(pixel + 1, stop) - jnp.maximum(pixel, start), 0, 1)


def diffaugment(pyramid: Pyramid, key: jax.Array,
                strength: Strength) -> Pyramid:
  """Colour, translation and cutout, in this order, each drawn for itself.

  Source: Zhao et al. 2020 (arXiv:2006.10738), sec. 4.1.
  """
  for i, row in enumerate((color, translation, cutout)):
    pyramid = row(pyramid, jax.random.fold_in(key, i), strength)
  return pyramid


def _done(key, n, strength):
  """Which of n samples are changed: bool [n]."""
  return jax.random.uniform(key, (n,)) < strength
