"""Trains the small classifier of the labelled data at hand."""
from collections.abc import Callable, Mapping
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.metrics.features import random_conv
from msg_gan_jax.metrics.features.classifier import (
  SIZE,
  WIDTHS,
  Classifier,
  Pixels,
  Variables,
  chunks,
  pictures,
)

VERSION = 1  # Raised whenever equal data and recipe give other features.
_SAY = 20  # Steps between two reports.
_FEWEST = 16  # Pictures to learn from.


@dataclasses.dataclass(frozen=True)
class Recipe:
  """What decides the features beside the pictures and their labels.

  Attributes:
    epochs: how often a picture is shown, within the two limits below.
    least: pictures shown in all, at least.
    most: pictures shown in all, at most: it bounds the time of large sets.
    batch: pictures of a step; all there are, if they are fewer.
    rate: the largest of AdamW's; it rises for a fifth of the time.
    decay: of the kernels.
    smoothing: share of a label that is given to all classes alike.
    shift: pixels of SIZE by which a picture is moved at most.
    mirror: whether half of the pictures are mirrored; not if a label says
      left or right.
    widths: channels at SIZE / 2, SIZE / 4, ...; the last are the features.
    seed: of weights, order, shifts and mirrors.
  """
  epochs: float = 6.
  least: int = 50_000
  most: int = 300_000
  batch: int = 128
  rate: float = .004
  decay: float = .05
  smoothing: float = .1
  shift: int = 4
  mirror: bool = True
  widths: tuple[int, ...] = WIDTHS
  seed: int = 0

  def key(self) -> dict[str, Any]:
    """dict of everything that a cached classifier depends on."""
    return dict(dataclasses.asdict(self), version=VERSION)

  def shown(self, count: int) -> int:
    """How many pictures are shown in all, of a set of `count`."""
    return int(min(self.most, max(self.least, self.epochs * count)))


USUAL = Recipe()


def train(pixels: Pixels, labels: Mapping[str, np.ndarray],
          heads: Mapping[str, int], recipe: Recipe = USUAL,
          say: Callable[[int, int, float], Any] | None = None) -> Variables:
  """Learns all heads at once; their losses are added.

  Args:
    pixels: uint8 [n, H, W, C], C of 1 to 4, or int [m] -> uint8 [m, H, W, C];
      asked for each picture once, and n * SIZE**2 * C bytes are kept.
    labels: {head: int [n]}.
    heads: {head: classes}, the same names.
    recipe: Recipe.
    say: None, or called every few steps and at the end with (pictures shown,
      of how many, loss).

  Returns:
    variables of a Classifier; the same bits for the same arguments on the
    same device.

  Raises:
    ValueError: labels that do not fit the heads or teach nothing, something
      other than pictures, or a loss that is not finite.
  """
  labels = _checked(labels, heads)
  count = len(next(iter(labels.values())))
  images = _read(pixels, count)
  net = Classifier(heads, recipe.widths)
  variables = _drawn(net, images[:1], recipe.seed)
  batch, total = min(recipe.batch, count), recipe.shown(count)
  steps = -(-total // batch)
  optimizer = optax.adamw(
      optax.cosine_onecycle_schedule(
          max(steps, 5), recipe.rate, pct_start=.2, div_factor=10,
          final_div_factor=1000),
      b2=.99, weight_decay=recipe.decay,
      mask=lambda params: jax.tree.map(lambda x: x.ndim > 1, params))
  step = _update(net, optimizer, recipe.smoothing)
  moments = optimizer.init(variables['params'])
  rng = np.random.Generator(np.random.PCG64(recipe.seed))
  for i, who in enumerate(_batches(count, batch, steps, rng), 1):
    variables, moments, value = step(
        variables, moments, _moved(images, who, recipe, rng),
        {head: each[who] for head, each in labels.items()})
    if i % _SAY == 0 or i == steps:
      if not np.isfinite(value):
        raise ValueError(
            f'classifier: its loss is {value} after {i * batch} pictures; '
            f'wanted a smaller rate than {recipe.rate}.')
      if say:
        say(min(i * batch, total), total, float(value))
  return variables


def _update(net, optimizer, smoothing):
  """(variables, moments, images, labels) -> (variables, moments, loss).

  One call a step: in lax.scan, the gradient of a convolution is many times
  slower on CPUs.
  """
  @jit
  def step(variables, moments, images, labels):
    def loss(params):
      (_, logits), stats = net.apply(
          dict(variables, params=params), from_uint8(images), train=True,
          mutable=['batch_stats'])
      return sum(_loss(logits[head], labels[head], smoothing)
                 for head in net.heads), stats

    (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(
        variables['params'])
    updates, moments = optimizer.update(grads, moments, variables['params'])
    params = optax.apply_updates(variables['params'], updates)
    return dict(stats, params=params), moments, value

  return step


def _loss(logits, labels, smoothing):
  classes = logits.shape[-1]
  wanted = optax.smooth_labels(jax.nn.one_hot(labels, classes), smoothing)
  return optax.softmax_cross_entropy(logits, wanted).mean()


def _checked(labels, heads):
  """{head: int32 [n]}, or a ValueError that says what is wrong with them."""
  if not heads or set(heads) != set(labels):
    raise ValueError(
        f'classifier: wanted labels of the heads {sorted(heads)}, at least '
        f'one, found {sorted(labels)}.')
  labels = {head: np.asarray(labels[head]) for head in heads}
  count = len(next(iter(labels.values())))
  for head, each in labels.items():
    if '/' in head:
      raise ValueError(
          f"classifier: wanted a head without '/', found {head!r}.")
    if each.shape != (count,) or each.dtype.kind not in 'iu':
      raise ValueError(
          f'classifier: wanted labels of head {head!r} as int [{count}], found '
          f'{each.dtype} {list(each.shape)}.')
    if count < _FEWEST:
      raise ValueError(
          f'classifier: wanted at least {_FEWEST} labelled pictures to learn '
          f'from, found {count}.')
    low, high = each.min(), each.max()
    if low < 0 or high >= heads[head]:
      raise ValueError(
          f'classifier: labels of head {head!r} are {low} .. {high}; wanted '
          f'0 .. {heads[head] - 1}, for it has {heads[head]} classes.')
    if low == high:
      raise ValueError(
          f'classifier: every label of head {head!r} is {low}, which teaches '
          'nothing; wanted at least two classes among them.')
  return {head: each.astype(np.int32) for head, each in labels.items()}


def _read(pixels, count):
  """uint8 [n, SIZE, SIZE, C]: what is shown every epoch, resized once."""
  if not callable(pixels) and len(pixels) != count:
    raise ValueError(
        f'classifier: {len(pixels)} pictures, but {count} labels.')
  resized = jit(lambda x: jnp.round(
      random_conv.to_square(x, SIZE)).astype(jnp.uint8))
  parts = []
  for indices in chunks(count):
    images = pictures(pixels, indices)
    if images.shape[1:3] != (SIZE, SIZE):
      images = np.asarray(resized(images))
    parts.append(images)
  return np.concatenate(parts)


def _drawn(net, images, seed):
  """Variables at the start: He's law in every kernel, heads of zeros."""
  shapes = jax.eval_shape(
      lambda: net.init(jax.random.key(0), from_uint8(images), train=True))
  bits = np.random.PCG64(seed)

  def draw(path, leaf):
    name = path[-1].key
    if name == 'kernel' and len(leaf.shape) == 4:
      return jnp.asarray(random_conv.kernel(bits, leaf.shape))
    return jnp.full(leaf.shape, name in ('scale', 'var'), jnp.float32)
  return jax.tree_util.tree_map_with_path(draw, shapes)


def _batches(count, batch, steps, rng):
  """Indices [batch] for each step: every picture once, then all again."""
  left = np.empty(0, np.int64)
  for _ in range(steps):
    while len(left) < batch:
      left = np.concatenate([left, rng.permutation(count)])
    yield left[:batch]
    left = left[batch:]


def _moved(images, who, recipe, rng):
  """uint8 [B, S, S, C]: shifted, edges mirrored; perhaps mirrored whole."""
  last = SIZE - 1

  def places():
    shifts = rng.integers(-recipe.shift, recipe.shift + 1, (len(who), 1))
    return last - np.abs(last - np.abs(np.arange(SIZE) + shifts))

  rows, columns = places(), places()
  if recipe.mirror:
    flips = rng.random((len(who), 1)) < .5
    columns = np.where(flips, columns[:, ::-1], columns)
  return images[who[:, None, None], rows[:, :, None], columns[:, None]]
