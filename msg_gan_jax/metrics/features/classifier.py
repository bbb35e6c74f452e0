"""A small classifier of the labelled data at hand: the network.

A Fréchet distance between its features means something without a download:
they tell the classes of this data set from one another. The numbers are
comparable only where the data, classifier_training.Recipe and its VERSION are
the same.
"""
from collections.abc import Callable, Mapping
from typing import Any

from flax import linen as nn
from flax import traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.metrics.features import random_conv

SIZE = 32  # Pixels a side, to which all pictures are resized.
WIDTHS = 48, 96, 192
CHUNK = 256  # Pictures in one call, where nothing is trained.
Variables = Any  # {'params': .., 'batch_stats': ..}
Pixels = np.ndarray | Callable[[np.ndarray], np.ndarray]


class Classifier(nn.Module):
  """A small residual network with batch norm.

  Every stage halves the sides before it convolves, which is what makes it
  cheap: .03 GFLOP a picture.

  Attributes:
    heads: {name: classes}: several say several things of the same features.
    widths: channels at SIZE / 2, SIZE / 4, ...; the last are the features.
  """
  heads: Mapping[str, int]
  widths: tuple[int, ...] = WIDTHS

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[
      jax.Array, dict[str, jax.Array]]:
    """float32 [B, S, S, C] in -1..1 -> ([B, d], {head: logits [B, K]}).

    The features are means over the last layer, so never negative. In training
    moments are the batch's, and `batch_stats` has to be mutable.
    """
    for i, width in enumerate(self.widths):
      side = 3 if i else 4
      x = _Unit(width, side, 2, name=f'down_{i}')(x, train)
      if i:  # The first one would cost as much as all that follow.
        x = x + _Unit(width, 3, 1, name=f'stay_{i}')(x, train)
    x = x.mean((1, 2))
    return x, {head: nn.Dense(classes, name=f'head_{head}')(x)
               for head, classes in self.heads.items()}


class _Unit(nn.Module):
  width: int
  side: int
  stride: int

  @nn.compact
  def __call__(self, x, train):
    x = nn.Conv(self.width, (self.side, self.side), self.stride,
                use_bias=False, name='conv')(x)
    return nn.relu(nn.BatchNorm(not train, momentum=.9, name='norm')(x))


def apply(variables: Variables, images: jax.Array) -> tuple[
    jax.Array, dict[str, jax.Array]]:
  """Features and logits of a batch; each picture's are its own. To be jitted.

  Args:
    variables: as classifier_training.train returns them.
    images: [B, H, W, C] in 0..255, any size and dtype, C as trained.

  Returns:
    (float32 [B, d], {head: float32 [B, K]}).

  Raises:
    ValueError: another number of channels.
  """
  wanted = variables['params']['down_0']['conv']['kernel'].shape[2]
  if images.shape[-1] != wanted:
    raise ValueError(
        f'classifier: it has learned from pictures of {wanted} channels, found '
        f'{images.shape[-1]}.')
  x = from_uint8(random_conv.to_square(images, SIZE))
  return _net(variables).apply(variables, x)


_apply = jit(apply)


def outputs(variables: Variables, pixels: Pixels,
            count: int | None = None) -> tuple[
                np.ndarray, dict[str, np.ndarray]]:
  """`apply` over a set, in chunks, as numpy arrays.

  Args:
    variables: as of `apply`.
    pixels: uint8 [n, H, W, C], or int [m] -> uint8 [m, H, W, C] with `count`.
  """
  if count is None:
    count = len(pixels)  # type: ignore[arg-type]
  parts = []
  for indices in chunks(count):
    images = pictures(pixels, indices)
    # One shape for all chunks is one program; a last one is filled up.
    filled = np.concatenate([images, np.zeros_like(
        images, shape=(CHUNK - len(images), *images.shape[1:]))])
    parts.append(jax.tree.map(np.asarray, _apply(variables, filled)))
  return jax.tree.map(
      lambda *leaves: np.concatenate(leaves)[:count], *parts)


def accuracy(variables: Variables, pixels: Pixels,
             labels: Mapping[str, np.ndarray]) -> dict[str, float]:
  """{head: share of pictures that it is right about}.

  Args:
    variables: as of `apply`.
    pixels, labels: as of classifier_training.train.
  """
  count = len(next(iter(labels.values())))
  _, logits = outputs(variables, pixels, count)
  return {head: float((logits[head].argmax(-1) == each).mean())
          for head, each in labels.items()}


def to_tensors(variables: Variables) -> dict[str, np.ndarray]:
  """{'params/down_0/conv/kernel': ndarray, ..}, such as np.savez takes."""
  flat = traverse_util.flatten_dict(variables, sep='/')
  return {name: np.asarray(x) for name, x in flat.items()}


def from_tensors(tensors: Mapping[str, np.ndarray]) -> Variables:
  """The variables again; tensors may be an open .npz."""
  return traverse_util.unflatten_dict(
      {name: jnp.asarray(tensors[name]) for name in tensors}, sep='/')


def pictures(pixels: Pixels, indices: np.ndarray) -> np.ndarray:
  """uint8 [n, H, W, C] of these indices, or a ValueError."""
  count = len(indices)
  images = np.asarray(pixels(indices) if callable(pixels) else pixels[indices])
  if (images.dtype != np.uint8 or images.ndim != 4 or len(images) != count
      or not 1 <= images.shape[-1] <= 4):
    raise ValueError(
        f'classifier: wanted {count} pictures as uint8 [n, H, W, 1 to 4], '
        f'found {images.dtype} {list(images.shape)}.')
  return images


def chunks(count: int) -> list[np.ndarray]:
  """Indices 0 .. count - 1 in parts of CHUNK."""
  return [np.arange(i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]


def _net(variables):
  """The Classifier that these variables belong to."""
  params = variables['params']
  widths = [params[f'down_{i}']['conv']['kernel'].shape[-1]
            for i in range(sum(name.startswith('down_') for name in params))]
  heads = {name.removeprefix('head_'): each['bias'].shape[0]
           for name, each in params.items() if name.startswith('head_')}
  return Classifier(heads, tuple(widths))
