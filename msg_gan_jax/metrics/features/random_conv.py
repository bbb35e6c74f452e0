"""Features of a small convolutional network that was never trained.

They need neither labels nor a download, and cost little enough to be looked
at while a GAN learns. Naeem et al. 2020 (arXiv:2002.09797), sec. 4, take the
last hidden layer of a VGG16 with random weights where pictures are unlike
ImageNet's; Lee et al. 2022 (arXiv:2208.09218) compare such networks. This one
is neither of theirs: its scores are comparable only with themselves.
"""
import functools
from typing import NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.metrics.features import resizes

VERSION = 1  # Raised whenever a picture gets other features.
SIZES = 32, 64  # Pixels a side; what has more than the first gets the second.
_SEED = 2020


class _Layer(NamedTuple):
  width: int
  stride: int
  spread: bool  # Whether deviations over the picture are features, like means.


# Chosen by eye among a dozen on CIFAR-10, by how many times the Fréchet
# distance of two halves that of a half blurred, noisy, cut into tiles,
# recoloured, or with classes missing is: deviations tell blur and noise, means
# tell colours.
_LAYERS = (_Layer(16, 1, True), _Layer(32, 2, True), _Layer(64, 2, False),
           _Layer(96, 2, False))
FEATURES = sum(each.width * (1 + each.spread) for each in _LAYERS)


def features(images: jax.Array) -> jax.Array:
  """Means, and some deviations, of every layer's maps. May be jitted.

  Args:
    images: [B, H, W, C] in 0..255, uint8 or float; any size and C.

  Returns:
    float32 [B, 256], each picture's by itself.

  Raises:
    ValueError: not four axes.
  """
  if images.ndim != 4:
    raise ValueError(
        f'random_conv: wanted images [B, H, W, C], found {list(images.shape)}.')
  side = SIZES[max(images.shape[1:3]) > SIZES[0]]
  x = from_uint8(to_square(images, side))
  statistics = []
  for layer, each in zip(_LAYERS, _kernels(images.shape[-1]), strict=True):
    x = jax.nn.relu(lax.conv_general_dilated(
        x, each, (layer.stride, layer.stride), 'SAME',
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
        precision=lax.Precision.HIGHEST))
    statistics.append(x.mean((1, 2)))
    if layer.spread:
      statistics.append(x.std((1, 2)))
  return jnp.concatenate(statistics, -1)


@functools.lru_cache
def _kernels(channels):
  """Tuple of float32 [3, 3, I, O], one a layer: the same on every machine.

  In pictures brightness varies most, and a distance would see little else:
  three quarters of the first kernels add up to 0 in each channel, so that they
  answer to edges only, and the others are halved.
  """
  bits, kernels = np.random.PCG64(_SEED), []
  for layer in _LAYERS:
    kernels.append(kernel(bits, (3, 3, channels, layer.width)))
    channels = layer.width
  first = kernels[0].astype(np.float64)
  edges = 3 * first.shape[-1] // 4
  first[..., :edges] -= first[..., :edges].mean((0, 1), keepdims=True)
  first[..., :edges] *= np.sqrt(9 / 8)  # What the mean took of the variance.
  first[..., edges:] /= 2
  return (first.astype(np.float32), *kernels[1:])


def kernel(bits: np.random.PCG64, shape: tuple[int, ...]) -> np.ndarray:
  """float32 of `shape` [.., I, O] by He's law: uniform, variance 2 / fan-in.

  Uniform, and of raw bits: numpy promises those of PCG64, but not that normal
  ones are drawn the same way tomorrow.

  Args:
    bits: np.random.PCG64, which moves on.

  Source: He et al. 2015 (arXiv:1502.01852), eq. 10.
  """
  raw = bits.random_raw(int(np.prod(shape))).reshape(shape)
  unit = (raw >> np.uint64(11)) * 2.**-53
  return ((2 * unit - 1) * np.sqrt(6 / np.prod(shape[:-1]))).astype(np.float32)


def to_square(images: jax.Array, side: int) -> jax.Array:
  """Pictures of any size at one, a side averaged or interpolated.

  Not by one filter, for averages of what is smaller have steps, and
  interpolation of what is larger leaves pixels out.

  Args:
    images: [B, H, W, C] of any range.

  Returns:
    float32 [B, side, side, C], of the same range.
  """
  x = jnp.asarray(images, jnp.float32)
  for axis in (1, 2):
    size = x.shape[axis]
    if size != side:
      height, width = (side, x.shape[2]) if axis == 1 else (x.shape[1], side)
      x = resizes.resize(
          x, height, width, 'area' if size > side else 'half_pixel')
  return x
