"""What both StyleGANs share: from latents and labels to styles, and noise.

Source: Karras et al. 2019 (arXiv:1812.04948), sec. 2, 3.1 and appendix B; the
labels' way in is that of StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676).
"""
import math

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import layers
from msg_gan_jax.gan.state import NOTHING

W_MEAN_DECAY = .995  # a pass in training: StyleGAN's code


def activate(x):
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
    start: the bias at the start, as it is added.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 4.1; the rate is Karras
  et al. 2019's, sec. C.
  """
  features: int
  rate: float = 1.
  start: float = 0.

  @nn.compact
  def __call__(self, x):
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
    classes: how many labels there are; 0 looks at none. A label becomes a
      vector as long as w, of mean square 1, beside z.
    normalize: whether z is put to mean square 1 (pixel norm).
  """
  depth: int = 8
  width: int = 512
  rate: float = .01
  classes: int = 0
  normalize: bool = True

  @nn.compact
  def __call__(self, z=None, labels=None, train=False):
    """A pass.

    Args:
      z: None maps labels alone, as StyleGAN2-ADA's D does.
      labels: int32 [B], where there are classes.
      train: whether `w_mean`, the mean of w of z's law, is moved, where 'stats'
        are mutable.
    """
    parts = []
    if z is not None:
      z = z.astype(jnp.float32)
      parts.append(layers.pixel_norm(z) if self.normalize else z)
    if self.classes:
      label = Dense(self.width, name='embedding')(
          jax.nn.one_hot(labels, self.classes))
      parts.append(layers.pixel_norm(label))
    w = jnp.concatenate(parts, -1)
    for i in range(self.depth):
      w = activate(Dense(self.width, self.rate, name=f'dense_{i + 1}')(w))
    if z is not None:
      mean = self.variable('stats', 'w_mean', jnp.zeros, (self.width,))
      if (train and self.is_mutable_collection('stats')
          and not self.is_initializing()):
        mean.value += (1 - W_MEAN_DECAY) * (w.mean(0) - mean.value)
    return w


class Styled(nn.Module):
  """What generators with a mapping share; a base class.

  A subclass sets `mapping` (Mapping), `mixing` (a probability), has
  `style_layers()`, how many layers take a style, and `synthesize`.
  """

  def __call__(self, z, condition=NOTHING, train=False):
    return self.synthesize(self.map(z, condition, train), condition, train)

  def map(self, z, condition=NOTHING, train=False):
    """z [B, latent] -> w [B, layers, width] float32; mixed in training.

    With probability `mixing` the layers from a crossover on have the styles of
    other latents, drawn with the key 'mixing': Karras et al. 2019, sec. 3.1.
    """
    w = self.mapping(z, condition.labels, train)
    w = jnp.repeat(w[:, None], self.style_layers(), 1)
    if train and self.mixing > 0 and not self.is_initializing():
      where, drawn = jax.random.split(self.make_rng('mixing'))
      other = self.mapping(
          jax.random.normal(drawn, z.shape), condition.labels)
      w = mix(w, other[:, None], crossover(where, w.shape[1], self.mixing))
    return w


def crossover(key, count, probability):
  """The first layer of `count` with the other styles; `count` is none.

  With the probability it is uniform in 1 .. count - 1; one draw for the batch,
  as in StyleGAN's code.
  """
  happens, where = jax.random.split(key)
  return jnp.where(
      jax.random.uniform(happens) < probability,
      jax.random.randint(where, (), 1, count), count)


def mix(w, other, start):
  """w [B, layers, width], with the styles of `other` from layer `start` on."""
  layer = jnp.arange(w.shape[1])[:, None]
  return jnp.where(layer < start, w, other)


def truncate(w, w_mean, psi, cutoff=None):
  """w_mean + psi (w - w_mean): nearer to the mean, for psi < 1.

  Args:
    w: [B, layers, width].
    w_mean: [width].
    psi: 1 changes nothing, 0 leaves the mean.
    cutoff: how many layers, from the coarsest; None is all.

  Source: Karras et al. 2019, appendix B.
  """
  near = w_mean + psi * (w - w_mean)
  return near if cutoff is None else mix(near, w, cutoff)


def noise(module, layer, shape):
  """N(0, 1) of [B, H, W] -> [B, H, W, 1], or [1, H, W, 1] without a key.

  Args:
    module: whose key 'noise' is used; where it has none, the map is a constant
      of the layer, so that G is a pure function of its inputs.
    layer: its number.
    shape: (B, H, W).
  """
  if module.has_rng('noise'):
    return jax.random.normal(module.make_rng('noise'), (*shape, 1))
  key = jax.random.fold_in(jax.random.key(0), layer)
  return jax.random.normal(key, (1, *shape[1:], 1))
