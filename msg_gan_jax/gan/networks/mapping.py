"""What both StyleGANs share: from latents and labels to styles.

Source: Karras et al. 2019 (arXiv:1812.04948), sec. 2, 3.1 and appendix B; the
labels' way in is that of StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676).
"""
import math

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import layers
from msg_gan_jax.gan.networks.ladder import Ladder
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition

W_MEAN_DECAY = .995  # a pass in training: StyleGAN's code


def activate(x: jax.Array) -> jax.Array:
  """Leaky ReLU times sqrt(2), so that normals keep their mean square.

  Source: the gain of StyleGAN2 (arXiv:1912.04958), which stands behind the
  activation and not in the weights: biases have it too.
  """
  return layers.HE * layers.leaky_relu(x)


class Dense(nn.Module):
  """A linear layer with equalized learning rate: [B, I] -> [B, features].

  Attributes:
    features: outputs.
    rate: learning rate, as a multiple of the other layers': the kernel is
      N(0, 1) / rate and both parameters are multiplied by the rate, so that
      outputs begin as with 1, and Adam's steps move them by `rate` as much.
    start: what is added at the start, the bias times the rate.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 4.1; the rate is Karras
  et al. 2019's, sec. C.
  """
  features: int
  rate: float = 1.
  start: float = 0.

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    inputs = x.shape[-1]
    kernel = self.param(
        'kernel', nn.initializers.constant(1 / self.rate),
        (inputs, self.features)) * (self.rate / math.sqrt(inputs))
    bias = self.rate * self.param(
        'bias', nn.initializers.constant(self.start / self.rate),
        (self.features,))
    return x @ kernel + bias


class Mapping(nn.Module):
  """z [B, latent] and labels [B] -> w [B, width], in float32.

  Attributes:
    depth: dense layers, each followed by `activate`.
    width: features of w and of every layer.
    rate: of the learning: see Dense.
    classes: how many labels there are; 0 leaves them out. A label becomes a
      vector as long as w, of mean square 1, beside z.
    normalize: whether z is put to mean square 1 (pixel norm).
  """
  depth: int = 8
  width: int = 512
  rate: float = .01
  classes: int = 0
  normalize: bool = True

  @nn.compact
  def __call__(self, z: jax.Array | None = None,
               labels: jax.Array | None = None,
               train: bool = False) -> jax.Array:
    """[B, latent] and labels -> [B, width].

    Args:
      z: None maps labels alone, as StyleGAN2-ADA's D does.
      labels: int32 [B] or shares [B, classes], where there are classes.
      train: whether `w_mean`, the mean of w of z's law, is moved, where 'stats'
        are mutable.
    """
    w = jnp.concatenate(self.inputs(z, labels), -1)
    for i in range(self.depth):
      w = activate(Dense(self.width, self.rate, name=f'dense_{i + 1}')(w))
    if z is not None:
      mean = self.variable('stats', 'w_mean', jnp.zeros, (self.width,))
      if (train and self.is_mutable_collection('stats')
          and not self.is_initializing()):
        mean.value += (1 - W_MEAN_DECAY) * (w.mean(0) - mean.value)
    return w

  @nn.nowrap
  def inputs(self, z: jax.Array | None,
             labels: jax.Array | None) -> list[jax.Array]:
    """What the first dense layer sees side by side."""
    parts = []
    if z is not None:
      z = z.astype(jnp.float32)
      parts.append(layers.pixel_norm(z) if self.normalize else z)
    if self.classes:
      assert labels is not None
      label = Dense(self.width, name='embedding')(
          layers.class_shares(labels, self.classes))
      parts.append(layers.pixel_norm(label))
    return parts


class Styled(nn.Module):
  """A generator whose layers take styles; both StyleGANs are one.

  Attributes:
    ladder: see ladder.Ladder.
    width: features of w, and of a style.
    depth: layers of the mapping.
    classes: how many labels the mapping is told; 0 leaves them out.
    mixing: the probability with which, in training, the finer layers have the
      styles of a second latent.
  """
  ladder: Ladder
  width: int = 512
  depth: int = 8
  classes: int = 0
  mixing: float = .9

  def setup(self) -> None:
    self.mapping, self.synthesis = self.networks()

  @nn.nowrap
  def networks(self) -> tuple[Mapping, nn.Module]:
    """(mapping, synthesis) networks, which a subclass makes."""
    raise NotImplementedError

  def style_layers(self) -> int:
    """How many layers take a style of their own."""
    raise NotImplementedError

  def synthesize(self, w: jax.Array, condition: Condition = NOTHING,
                 train: bool = False) -> Pyramid:
    """Styles [B, layers, width] -> pyramid."""
    raise NotImplementedError

  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    return self.synthesize(self.map(z, condition, train), condition, train)

  def map(self, z: jax.Array, condition: Condition = NOTHING,
          train: bool = False) -> jax.Array:
    """z [B, latent] -> w [B, layers, width] float32; mixed in training.

    With probability `mixing` the layers from a crossover on have the styles of
    other latents, drawn with the key 'mixing'.

    Source: Karras et al. 2019, sec. 3.1.
    """
    w = self.mapping(z, condition.labels, train)
    w = jnp.repeat(w[:, None], self.style_layers(), 1)
    if train and self.mixing > 0 and not self.is_initializing():
      where, drawn = jax.random.split(self.make_rng('mixing'))
      other = self.mapping(
          jax.random.normal(drawn, z.shape), condition.labels)
      w = mix(w, other[:, None], crossover(where, w.shape[1], self.mixing))
    return w


def crossover(key: jax.Array, count: int, probability: float) -> jax.Array:
  """The number of the first layer that has the other styles.

  With the probability it is uniform in 1 .. count - 1, else it is `count`: no
  layer has them. One draw for the batch, as in StyleGAN's code.
  """
  happens, where = jax.random.split(key)
  return jnp.where(
      jax.random.uniform(happens) < probability,
      jax.random.randint(where, (), 1, count), count)


def mix(w: jax.Array, other: jax.Array, start: jax.Array | int) -> jax.Array:
  """w [B, layers, width], with the styles of `other` from layer `start` on."""
  layer = jnp.arange(w.shape[1])[:, None]
  return jnp.where(layer < start, w, other)


def truncate(w: jax.Array, w_mean: jax.Array, psi: jax.Array | float,
             cutoff: int | None = None) -> jax.Array:
  """w_mean + psi (w - w_mean): nearer to the mean, for psi < 1.

  Args:
    w: [B, layers, width].
    w_mean: [width], or [1, layers, width].
    psi: 1 changes nothing, 0 leaves the mean.
    cutoff: how many layers, from the coarsest; None is all.

  Source: Karras et al. 2019, appendix B.
  """
  near = w_mean + psi * (w - w_mean)
  return near if cutoff is None else mix(near, w, cutoff)
