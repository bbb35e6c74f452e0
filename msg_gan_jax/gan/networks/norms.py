"""NORMS: what is done to features between two layers."""
from typing import Any, NamedTuple, Protocol

from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan.networks import layers


class Whiten(Protocol):
  """Gives features [B, ..., C] of one sample a standard size.

  (x float32, epsilon inside of the root) -> float32 of the same shape.
  """

  def __call__(self, x: jax.Array, epsilon: float, /) -> jax.Array:
    ...


class Norm(NamedTuple):
  """One way to normalize features [B, ..., C].

  Attributes:
    whiten: what is done to each sample by itself; None where the moments are
      those of the batch.
    affine: whether a learned scale and shift of each channel follow.
  """
  whiten: Whiten | None
  affine: bool = True


class PassInfo(NamedTuple):
  """What a pass through a network is told beside its input.

  Attributes:
    train: whether batch norm uses the batch at hand.
    labels: int32 [B], shares of classes [B, classes] or None, for conditional
      norms.
  """
  train: bool = False
  labels: jax.Array | None = None


def layer_norm(x: jax.Array, epsilon: float) -> jax.Array:
  """Mean 0 and deviation 1 over height, width and channels.

  A scale and a shift of each channel follow, as in compare_gan.

  Source: Ba et al. 2016 (arXiv:1607.06450); TensorFlow's layer_norm.
  """
  return _standardized(x, epsilon, tuple(range(1, x.ndim)))


def instance_norm(x: jax.Array, epsilon: float) -> jax.Array:
  """Mean 0 and deviation 1 of each channel, over height and width.

  Source: Ulyanov et al. 2016 (arXiv:1607.08022).
  """
  return _standardized(x, epsilon, tuple(range(1, x.ndim - 1)))


def _standardized(x, epsilon, axes):
  x = x - layers.statistic(x.mean(axes, keepdims=True))
  return x * layers.statistic(
      lax.rsqrt((x * x).mean(axes, keepdims=True) + epsilon))


class Normalize(nn.Module):
  """A row of NORMS as a layer, computed in float32 for features of any dtype.

  The moments of batch norm are means over the batch, the variance biased. In
  training they are kept in `stats` as moving averages; where `moments` is
  mutable the batch's own are written there, to be accumulated.

  Attributes:
    norm: a row of NORMS.
    epsilon: inside of the root.
    decay: of the moving averages.
    batch_always: whether evaluation too uses the moments of its batch.
    classes: how many classes have a scale and shift of their own (conditional
      batch norm); 0 is one for all. Scales begin at 1, unlike compare_gan's.
    gain_std: deviation of the scales at the start (DCGAN's code: .02).

  Source: Ioffe & Szegedy 2015 (arXiv:1502.03167); conditional, Dumoulin et al.
  2017 (arXiv:1610.07629).
  """
  norm: str
  epsilon: float = 1e-5
  decay: float = .9
  batch_always: bool = False
  classes: int = 0
  gain_std: float = 0.

  @nn.compact
  def __call__(self, x: jax.Array, info: PassInfo) -> jax.Array:
    """Features [B, ..., C] -> the same shape and dtype."""
    row = NORMS[self.norm]
    if row is None:
      return x
    y = x.astype(jnp.float32)
    if row.whiten is None:
      y = self._by_batch(y, info.train or self.batch_always, info.train)
    else:
      y = row.whiten(y, self.epsilon)
    if row.affine:
      y = self._affine(y, info.labels)
    return y.astype(x.dtype)

  def _affine(self, x, labels):
    shape = (self.classes, x.shape[-1]) if self.classes else x.shape[-1:]
    if self.gain_std:  # `initialize` makes it 1 + gain_std times a normal
      scale = self.param('gain', nn.initializers.constant(self.gain_std), shape)
    else:
      scale = self.param('scale', nn.initializers.ones, shape)
    shift = self.param('bias', nn.initializers.zeros, shape)
    if self.classes:
      scale, shift = (
          layers.rows_of(p, labels).reshape(
              -1, *(1,) * (x.ndim - 2), x.shape[-1]) for p in (scale, shift))
    else:
      scale, shift = (
          layers.over_rows(p, x.shape[:-1]) for p in (scale, shift))
    return x * scale + shift

  def _by_batch(self, x, use_batch, train):
    size = x.shape[-1:]
    mean = self.variable('stats', 'mean', jnp.zeros, size)
    var = self.variable('stats', 'var', jnp.ones, size)
    if use_batch:
      now = _moments(x)
      if self.is_mutable_collection('moments'):
        for name, value in zip(('mean', 'var'), now, strict=True):
          self.put_variable('moments', name, value)
      if (train and self.is_mutable_collection('stats')
          and not self.is_initializing()):
        for average, value in zip((mean, var), now, strict=True):
          average.value = self.decay * average.value + (1 - self.decay) * (
              lax.stop_gradient(value))
    else:
      now = mean.value, var.value
    mean_now, scale = (
        layers.over_rows(layers.statistic(v), x.shape[:-1])
        for v in (now[0], lax.rsqrt(now[1] + self.epsilon)))
    return (x - mean_now) * scale


def _moments(x):
  """Mean and biased variance of each channel, [..., C] -> two [C]."""
  mean = layers.mean_of_rows(x)
  centered = x - layers.over_rows(mean, x.shape[:-1])
  return mean, layers.mean_of_rows(centered * centered)


def sees_batch(name: str) -> bool:
  """Whether the norm, a key of NORMS, looks at the whole batch."""
  norm = NORMS[name]
  return norm is not None and norm.whiten is None


def replace(stats: dict[str, Any], moments: dict[str, Any]) -> dict[str, Any]:
  """Statistics with the moments of batch norm replaced by accumulated ones.

  Args:
    stats: the tree of statistics of a player.
    moments: of the same form, with those of its batch norms alone.
  """
  return {
      name: replace(value, moments.get(name, {}))
      if isinstance(value, dict) else moments.get(name, value)
      for name, value in stats.items()}


NORMS: Table[Norm | None] = Table('config.networks.norm', 'norm', {
    'none': None,
    'batch': Norm(None),  # See Normalize; of a vector, each number by itself.
    'layer': Norm(layer_norm),
    'instance': Norm(instance_norm),
    'pixel': Norm(layers.pixel_norm, affine=False),
})
