"""NORMS: what is done to features between two layers."""
from collections.abc import Callable
from typing import Any, NamedTuple

from flax import linen as nn
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan.networks import layers


class Norm(NamedTuple):
  """One way to normalize features [B, ..., C].

  Attributes:
    whiten: (x, epsilon) -> x, each sample by itself; None where the moments
      are those of the batch.
    affine: whether a learned scale and shift a channel follow.
  """
  whiten: Callable | None
  affine: bool = True


class Way(NamedTuple):
  """What a pass through a network is told beside its input.

  Attributes:
    train: whether batch norm uses the batch at hand.
    labels: int32 [B] or None, for conditional norms.
  """
  train: bool = False
  labels: Any = None


def _standard(axes):
  def whiten(x, epsilon):
    over = axes(x.ndim)
    x = x - x.mean(over, keepdims=True)
    return x * lax.rsqrt((x * x).mean(over, keepdims=True) + epsilon)
  return whiten


NORMS = tables.Table('config.networks.norm', 'norm', {
    'none': None,
    # Ioffe & Szegedy 2015 (arXiv:1502.03167); of a vector, by its features.
    'batch': Norm(None),
    # Ba et al. 2016 (arXiv:1607.06450), over height, width and channels, with
    # a scale and shift a channel: compare_gan's, TensorFlow's layer_norm.
    'layer': Norm(_standard(lambda rank: tuple(range(1, rank)))),
    # Ulyanov et al. 2016 (arXiv:1607.08022).
    'instance': Norm(_standard(lambda rank: tuple(range(1, rank - 1)))),
    # Karras et al. 2018, sec. 4.2, without epsilon's choice.
    'pixel': Norm(layers.pixel_norm, affine=False),
})


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
    classes: how many have a scale and shift of their own; 0 is one for all.
      Conditional batch norm: Dumoulin et al. 2017 (arXiv:1610.07629), and its
      scale begins at 1, unlike compare_gan's.
    gain_std: deviation of the scales at the start (DCGAN's code: .02).
  """
  norm: str
  epsilon: float = 1e-5
  decay: float = .9
  batch_always: bool = False
  classes: int = 0
  gain_std: float = 0.

  @nn.compact
  def __call__(self, x, way):
    row = NORMS[self.norm]
    if row is None:
      return x
    y = x.astype(jnp.float32)
    if row.whiten is None:
      y = self._by_batch(y, way.train or self.batch_always, way.train)
    else:
      y = row.whiten(y, self.epsilon)
    if row.affine:
      y = self._affine(y, way.labels)
    return y.astype(x.dtype)

  def _affine(self, x, labels):
    shape = (self.classes, x.shape[-1]) if self.classes else x.shape[-1:]
    if self.gain_std:  # `draw` makes it 1 + gain_std times a normal
      scale = self.param('gain', nn.initializers.constant(self.gain_std), shape)
    else:
      scale = self.param('scale', nn.initializers.ones, shape)
    shift = self.param('bias', nn.initializers.zeros, shape)
    if self.classes:
      scale, shift = (
          p[labels].reshape(-1, *(1,) * (x.ndim - 2), x.shape[-1])
          for p in (scale, shift))
    return x * scale + shift

  def _by_batch(self, x, use_batch, train):
    size = x.shape[-1:]
    mean = self.variable('stats', 'mean', jnp.zeros, size)
    var = self.variable('stats', 'var', jnp.ones, size)
    if use_batch:
      axes = tuple(range(x.ndim - 1))
      now = x.mean(axes), x.var(axes)
      if self.is_mutable_collection('moments'):
        for name, value in zip(('mean', 'var'), now, strict=True):
          self.put_variable('moments', name, value)
      if (train and self.is_mutable_collection('stats')
          and not self.is_initializing()):
        for kept, value in zip((mean, var), now, strict=True):
          kept.value = self.decay * kept.value + (1 - self.decay) * (
              lax.stop_gradient(value))
    else:
      now = mean.value, var.value
    return (x - now[0]) * lax.rsqrt(now[1] + self.epsilon)


def replace(stats, moments):
  """Statistics with the moments of batch norm replaced by accumulated ones."""
  return {
      name: replace(value, moments.get(name, {}))
      if isinstance(value, dict) else moments.get(name, value)
      for name, value in stats.items()}

