"""Layers with equalized learning rate, in forms that are fast on CPU too.

A module's initializer gives each kernel the standard deviation of its law, and
every other parameter its value; `initialization.initialize` then draws all
kernels at once.
"""
from collections.abc import Callable, Sequence
import math
from typing import Any, NamedTuple, TypeVar

from flax import linen as nn
import jax
from jax import ad_checkpoint, lax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import convolutions, forms

SLOPE = .2
HE = math.sqrt(2)  # He et al. 2015: the gain before a rectifier

Method = TypeVar('Method', bound=Callable[..., Any])


@jax.jit  # A trace has it by its name: views of D have rules for rectifiers.
def leaky_relu(x: jax.Array) -> jax.Array:
  """max(x, .2 x), as in ProGAN and in both codes of MSG-GAN."""
  return x * jnp.where(x >= 0, 1, SLOPE).astype(x.dtype)


def statistic(x: jax.Array) -> jax.Array:
  """x, marked in a trace as a statistic of a picture or a batch.

  Views of D hold it fixed; nothing else looks at the mark.
  """
  return ad_checkpoint.checkpoint_name(x, 'statistic')


def pixel_norm(x: jax.Array, epsilon: float = 1e-8) -> jax.Array:
  """x / sqrt(mean over channels of x^2 + epsilon).

  In float32, whatever x is.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 4.2.
  """
  y = x.astype(jnp.float32)
  y = y * statistic(
      lax.rsqrt(jnp.mean(y * y, -1, keepdims=True) + epsilon))
  return y.astype(x.dtype)


def class_shares(labels: jax.Array, classes: int,
                 dtype: Any = jnp.float32) -> jax.Array:
  """Labels as shares of the classes, [B, classes] of a dtype.

  Args:
    labels: int32 [B], of which each is one whole class (one-hot); or float32
      [B, classes], which stay as they are.
    classes: how many there are.
    dtype: of the shares.
  """
  if labels.ndim == 2:
    return labels.astype(dtype)
  return jax.nn.one_hot(labels, classes, dtype=dtype)


def rows_of(table: jax.Array, labels: jax.Array) -> jax.Array:
  """The row of each label, [B, features]; of shares of classes their mean.

  Args:
    table: float32 [classes, features].
    labels: int32 [B], or shares, float32 [B, classes].
  """
  if labels.ndim == 2:  # Shares of 0 and 1 give the very row.
    return jnp.matmul(labels, table, precision='highest')
  return table[labels]


def minibatch_stddev(x: jax.Array, group: int) -> jax.Array:
  """Appends one channel: the mean standard deviation inside a group.

  Args:
    x: [B, H, W, C].
    group: samples in a group, a divisor of B; 0 is the whole batch. Sample i
      is in group i mod (B / group).

  Returns:
    [B, H, W, C + 1].

  Source: Karras et al. 2018, sec. 3; epsilon 1e-8 and the biased variance are
  those of its code, of StyleGAN2's and of BMSG-GAN's (group 0).
  """
  b, h, w, _ = x.shape
  group = min(group, b) or b
  y = x.reshape(group, b // group, *x.shape[1:]).astype(jnp.float32)
  y = y - y.mean(0)
  std = statistic(jnp.sqrt(jnp.mean(y * y, 0) + 1e-8).mean((1, 2, 3)))
  std = jnp.tile(std, group)[:, None, None, None]
  std = jnp.broadcast_to(std, (b, h, w, 1)).astype(x.dtype)
  return jnp.concatenate([x, std], -1)


class LazyConv1x1(NamedTuple):
  """A 1x1 convolution that is not carried out yet.

  Attributes:
    x: [B, H, W, I].
    kernel: [I, O].
    bias: [O].
  """
  x: jax.Array
  kernel: jax.Array
  bias: jax.Array


Part = jax.Array | LazyConv1x1  # What a layer may see beside other parts.


def concat(parts: Sequence[Part]) -> jax.Array:
  """Carries out every LazyConv1x1, and concatenates the channels."""
  return jnp.concatenate([
      add_bias(forms.product(p.x, p.kernel), p.bias)
      if isinstance(p, LazyConv1x1) else p for p in parts], -1)


def add_bias(y: jax.Array, bias: jax.Array | None) -> jax.Array:
  """y + bias, float32 or None, in y's dtype.

  The sum is computed in float32: the gradient of what is broadcast is a sum
  over pixels, which a CPU would round to bfloat16 after each addend.
  """
  if bias is None:
    return y
  if bias.ndim == 1:
    bias = over_rows(bias, y.shape[:-1])
  return (y.astype(jnp.float32) + bias).astype(y.dtype)


def over_rows(bias: jax.Array, rows: tuple[int, ...]) -> jax.Array:
  """A vector [C], repeated to [*rows, C]; its gradient is a product.

  The gradient of a plain broadcast is a sum over rows, which XLA's CPU computes
  together with all that leads to each addend, one at a time. There it is a
  product with ones, and forwards XLA makes a broadcast of it.
  """
  bias = jnp.asarray(bias)
  if jax.default_backend() != 'cpu':
    return jnp.broadcast_to(bias, (*rows, *bias.shape))
  ones = jnp.ones((math.prod(rows), 1), bias.dtype)
  y = jnp.dot(ones, bias[None], precision=lax.Precision.HIGHEST)
  return y.reshape(*rows, -1)


def mean_of_rows(x: jax.Array) -> jax.Array:
  """The mean of [..., C] over all but channels, a product as in `over_rows`."""
  x = x.reshape(-1, x.shape[-1])
  if jax.default_backend() != 'cpu':
    return x.mean(0)
  ones = jnp.ones((1, len(x)), x.dtype)
  return jnp.dot(ones, x, precision=lax.Precision.HIGHEST)[0] / len(x)


def scale(y: jax.Array, factor: jax.Array) -> jax.Array:
  """y times float32 factors that are broadcast, in y's dtype.

  The product is computed in float32, as the sum of `add_bias`.
  """
  return (y.astype(jnp.float32) * factor).astype(y.dtype)


def fold_1x1(parts: Sequence[Part],
             kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
  """(x, k) such that conv(x, k) == conv(concat(parts), kernel), exactly.

  A 1x1 convolution of few channels (an image) and the convolution after it
  are one convolution of few channels: at 64 maps a 3x3 convolution of an RGB
  image costs a sixteenth of that of its 64 maps. The bias becomes the weight
  of a channel of ones, which zero padding treats as it treats the maps.

  Args:
    parts: [B, H, W, C_i], or LazyConv1x1.
    kernel: [k, k, I, O], where I counts the channels of all parts.
  """
  xs, kernels, start = [], [], 0
  for part in parts:
    if isinstance(part, LazyConv1x1):
      stop = start + part.kernel.shape[-1]
      ones = jnp.ones((*part.x.shape[:-1], 1), part.x.dtype)
      xs += [part.x, ones]
      mix = jnp.concatenate([part.kernel, part.bias[None]])
      kernels.append(jnp.einsum('im,hwmo->hwio', mix, kernel[:, :, start:stop]))
    else:
      stop = start + part.shape[-1]
      xs.append(part)
      kernels.append(kernel[:, :, start:stop])
    start = stop
  return jnp.concatenate(xs, -1), jnp.concatenate(kernels, 2)


class EqualConv(nn.Module):
  """Convolution with equalized learning rate.

  Weights are N(0, 1) and are scaled by gain / sqrt(fan_in) at run time; the
  bias is 0 and not scaled.

  Attributes:
    features: output channels.
    size: of the square kernel.
    gain: sqrt(2) before a leaky ReLU; 1 for linear outputs in ProGAN.
    use_bias: whether there is a bias.
    upsample: whether the input is upsampled (nearest) before it.
    downsample: whether the 2x2 mean follows, before the bias.

  Source: Karras et al. 2018, sec. 4.1; He et al. 2015.
  """
  features: int
  size: int = 3
  gain: float = HE
  use_bias: bool = True
  upsample: bool = False
  downsample: bool = False

  @nn.compact
  def __call__(self, *parts: Part) -> jax.Array:
    """Parts [B, H, W, C_i], as if concatenated -> [B, H, W, features]."""
    channels = sum(
        (p.kernel if isinstance(p, LazyConv1x1) else p).shape[-1]
        for p in parts)
    kernel, bias = equal_weights(
        self, (self.size, self.size, channels, self.features),
        self.size**2 * channels, self.gain, self.use_bias)
    x, kernel = fold_1x1(parts, kernel)
    apply = convolutions.up_conv if self.upsample else (
        convolutions.conv_down if self.downsample else convolutions.conv)
    return add_bias(apply(x, kernel), bias)


class LazyEqualConv1x1(nn.Module):
  """A 1x1 EqualConv with bias that is folded into the layer after it."""
  features: int

  @nn.compact
  def __call__(self, x: jax.Array) -> LazyConv1x1:
    kernel, bias = equal_weights(
        self, (1, 1, x.shape[-1], self.features), x.shape[-1])
    assert bias is not None
    return LazyConv1x1(x, kernel[0, 0], bias)


class EqualDense(nn.Module):
  """From a vector to a grid (`grid`), or from a grid to a vector.

  The 4x4 transposed convolution of a 1x1 picture, and the valid 4x4
  convolution of a 4x4 one.

  Attributes:
    features: output channels.
    grid: (height, width) of the output of a vector; () for a vector out.
    gain: as in EqualConv.
    fan_in: overrides the number of inputs of one output; 0 is that number.
    use_bias: whether there is a bias.

  Source: as EqualConv.
  """
  features: int
  grid: tuple[int, ...] = ()
  gain: float = HE
  fan_in: int = 0
  use_bias: bool = True

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, I] -> [B, h, w, features], or [B, ..., C] -> [B, features]."""
    h, w = self.grid or x.shape[1:-1] or (1, 1)
    inputs = x.shape[-1] * (1 if self.grid else h * w)
    kernel, bias = equal_weights(
        self, (h, w, x.shape[-1], self.features), self.fan_in or inputs,
        self.gain, self.use_bias)
    kernel = kernel.astype(x.dtype)
    if self.grid:
      y = x @ kernel.transpose(2, 0, 1, 3).reshape(x.shape[-1], -1)
      y = y.reshape(-1, h, w, self.features)
    else:
      y = x.reshape(x.shape[0], -1) @ kernel.reshape(-1, self.features)
    return add_bias(y, bias)


def remat(enabled: bool, method: Method) -> Method:
  """A module's method, its inside computed again in the backward pass.

  Args:
    enabled: whether; if not, it is the method.
    method: (module, *arrays) -> arrays; parameters keep their names.
  """
  return nn.remat(method) if enabled else method


def equal_weights(
    module: nn.Module, shape: tuple[int, ...], fan_in: int, gain: float = HE,
    use_bias: bool = True) -> tuple[jax.Array, jax.Array | None]:
  """(kernel of `shape`, scaled; bias or None), parameters of `module`."""
  kernel = module.param('kernel', nn.initializers.ones, shape)
  bias = module.param(
      'bias', nn.initializers.zeros, shape[-1:]) if use_bias else None
  return kernel * (gain / math.sqrt(fan_in)), bias
