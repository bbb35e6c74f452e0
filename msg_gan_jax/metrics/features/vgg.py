"""VGG16, whose features precision and recall, and LPIPS, are measured in.

Weights are torchvision's vgg16-397923af.pth (its key names are read here), and
of LPIPS the five weights of channels, lpips/weights/v0.1/vgg.pth.

Precision and recall take 'fc2', 4096 numbers after the second fully connected
layer and its ReLU: Kynkäänniemi et al. 2019 (arXiv:1904.06991) sec. 2 say "the
second fully connected layer"; torch-fidelity's default is its 'fc2_relu'.
"""
from collections.abc import Mapping, Sequence
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.metrics.features import resizes
from msg_gan_jax.metrics.features.state_dict import StateDict

SIDE = 224  # Pixels that the fully connected layers were made for.
# ImageNet's, of values in 0..1: RGB.
MEAN, DEVIATION = (.485, .456, .406), (.229, .224, .225)
# ... and as LPIPS rounds them, of values in -1..1.
_SHIFT, _SCALE = (-.030, -.088, -.188), (.458, .448, .450)
_CONVS = (2, 2, 3, 3, 3)  # Of the five stages; a tap is the last of each.
TAPS = ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3', 'fc1', 'fc2')


class VGG16(nn.Module):
  """Features of normalized images; what is not asked for, jit leaves out.

  Attributes:
    widths: channels of the five stages.
    hidden: of the fully connected layers; 0 leaves them out.
    precision: of products, as Inception's.
  """
  widths: tuple = (64, 128, 256, 512, 512)
  hidden: int = 4096
  precision: str = 'highest'

  @nn.compact
  def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
    """Images -> {tap: float32}.

    Args:
      x: [B, H, W, 3], as `normalize` gives them; at least 16 pixels a side,
        and 32 (224 as trained) for the fully connected layers.

    Returns:
      'relu1_2' to 'relu5_3': [B, H / 2**i, W / 2**i, C]. 'fc1' and 'fc2', both
      after their ReLU, [B, 4096]; of other sizes than 224, the last pool is
      averaged to 7 x 7, as torchvision does it.
    """
    taps = {}
    x = jnp.asarray(x, jnp.float32)
    for stage, (count, width) in enumerate(
        zip(_CONVS, self.widths, strict=True)):
      if stage:
        x = nn.max_pool(x, (2, 2), (2, 2))
      for i in range(count):
        x = nn.relu(nn.Conv(
            width, (3, 3), padding='SAME', precision=self.precision,
            name=f'conv{stage + 1}_{i + 1}')(x))
      taps[TAPS[stage]] = x
    if self.hidden:
      x = nn.max_pool(x, (2, 2), (2, 2))
      if x.shape[1:3] != (7, 7):
        x = resizes.resize(x, 7, 7, 'area')
      x = x.reshape(len(x), -1)
      for name in ('fc1', 'fc2'):
        x = taps[name] = nn.relu(nn.Dense(
            self.hidden, precision=self.precision, name=name)(x))
    return taps


def normalize(images: jax.Array) -> jax.Array:
  """[..., 3] of 0..255 -> what VGG16 was trained on.

  Source: torch-fidelity's feature_extractor_vgg16.py, which resizes uint8
  images to 224 by RESIZES['tf1'] before.
  """
  mean, deviation = (
      np.float32(255) * np.array(x, np.float32) for x in (MEAN, DEVIATION))
  return (jnp.asarray(images, jnp.float32) - mean) / deviation


def network(params: Mapping[str, Any]) -> VGG16:
  """The VGG16 that params belong to."""
  return VGG16(
      tuple(len(params[f'conv{i}_1']['bias']) for i in range(1, 6)),
      len(params['fc1']['bias']) if 'fc1' in params else 0)


def from_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """torchvision's state dict -> params.

  Args:
    tensors: {name: array}: 'features.N.weight', 'features.N.bias', and, where
      fc1 and fc2 are wanted, 'classifier.0' and 'classifier.3'. Others, such
      as 'classifier.6', are not looked at.

  Returns:
    {'conv1_1': {'kernel': float32 [3, 3, in, out], 'bias': [out]}, ..}.

  Raises:
    ValueError: a tensor is missing, or has another shape.
  """
  find = StateDict(tensors, 'VGG16', "torchvision's vgg16")
  params: dict[str, Any] = {}
  place, wide = 0, 3
  for stage, count in enumerate(_CONVS):
    for i in range(count):
      kernel, bias = _layer(find, f'features.{place}', (wide, 3, 3))
      params[f'conv{stage + 1}_{i + 1}'] = {
          'kernel': kernel.transpose(2, 3, 1, 0), 'bias': bias}
      wide, place = len(bias), place + 2  # Convolution and ReLU.
    place += 1  # Pool.
  if 'classifier.0.weight' not in find:
    return params
  kernel, bias = _layer(find, 'classifier.0', (wide * 49,))
  kernel = kernel.reshape(-1, wide, 7, 7).transpose(2, 3, 1, 0)  # From CHW.
  params['fc1'] = {'kernel': kernel.reshape(-1, len(bias)), 'bias': bias}
  return params | {'fc2': find.dense('classifier.3', len(bias))}


def _layer(find, name, inputs):
  """float32 (weight [out, *inputs], bias [out])."""
  weight = find(f'{name}.weight', (None, *inputs))
  return weight, find(f'{name}.bias', (len(weight),))


def lins_from_tensors(tensors: Mapping[str, np.ndarray]) -> list[np.ndarray]:
  """LPIPS's state dict -> its five weights of channels, float32 [C] each.

  Raises:
    ValueError: 'lin0.model.1.weight' or another one is missing.
  """
  find = StateDict(tensors, 'LPIPS', 'lpips/weights/v0.1/vgg.pth')
  return [find(f'lin{i}.model.1.weight', (1, None, 1, 1)).reshape(-1)
          for i in range(5)]


def lpips(params: Mapping[str, Any], lins: Sequence[np.ndarray], a: jax.Array,
          b: jax.Array) -> jax.Array:
  """How different images look: LPIPS v0.1, by VGG16.

  Args:
    params: of `from_tensors`; fc1 and fc2 are not needed.
    lins: of `lins_from_tensors`.
    a, b: [B, H, W, 3] in [-1, 1], at least 16 pixels a side.

  Returns:
    float32 [B]: at each pixel of five taps, features are scaled to length 1,
    their squared differences weighted by channel; means over the image, added
    over taps. 0 for equal images.

  Source: Zhang et al. 2018 (arXiv:1801.03924), eq. 1, and the constants of
  richzhang/PerceptualSimilarity's lpips.py, version 0.1 ("linear").
  """
  params = {name: params[name] for name in params if name[:2] != 'fc'}
  shift, scale = np.array(_SHIFT, np.float32), np.array(_SCALE, np.float32)
  taps_of_a, taps_of_b = (
      _taps(params, (x - shift) / scale) for x in (a, b))
  distance = jnp.zeros(len(a), jnp.float32)
  for tap, lin in zip(TAPS, lins, strict=False):
    squares = (_unit(taps_of_a[tap]) - _unit(taps_of_b[tap]))**2 * lin
    distance += jnp.mean(jnp.sum(squares, -1), (1, 2))
  return distance


def _taps(params, x):
  return network(params).apply({'params': params}, x)


def _unit(x):
  """Length 1 along the channels, with LPIPS's epsilon; 0 stays 0."""
  squares = jnp.sum(x**2, -1, keepdims=True)
  positive = squares > 0  # The gradient of a root at 0 is not finite.
  length = jnp.where(
      positive, jnp.sqrt(jnp.where(positive, squares, 1.)), 0.)
  return x / (length + 1e-10)
