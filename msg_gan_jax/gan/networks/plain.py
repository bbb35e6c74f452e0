"""Layers whose law at the start is the weights' own, as before ProGAN.

Their weight norm, norm, law and biases are those of a Kit, which a network
hands to all its layers. Parameters are float32 and are cast to the dtype of the
features where they are used.
"""
import math
from typing import Any, NamedTuple

from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan.networks import layers, norms
from msg_gan_jax.gan.networks.weight_norms import WEIGHT_NORMS, Layer
from msg_gan_jax.gan.state import Verdict

# Standard deviation of a kernel at the start: (inputs of one output, outputs
# of one input) -> number. Which law it is says `Kit.law`.
DEVIATIONS = tables.Table('deviation', 'deviation', {
    # DCGAN (Radford et al. 2016), compare_gan.
    '.02': lambda fan_in, fan_out: .02,
    # Glorot & Bengio 2010, eq. 16; mimicry, SNGAN.
    'glorot': lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    # improved_wgan_training: twice Glorot's variance in convolutions.
    'wgan_gp': lambda fan_in, fan_out: math.sqrt(4 / (fan_in + fan_out)),
    # Goodfellow et al. 2014's code: uniform within .05 in G, .005 in D.
    '.05': lambda fan_in, fan_out: .05 / 3**.5,
    '.005': lambda fan_in, fan_out: .005 / 3**.5,
    # Torch's: uniform within 1 / √fan_in; LAPGAN's code, and at its coarsest
    # level the two others, of G and of D.
    'torch': lambda fan_in, fan_out: 1 / math.sqrt(3 * fan_in),
    'lapgan_g': lambda fan_in, fan_out: .05,
    'lapgan_d': lambda fan_in, fan_out: .005,
})


class Kit(NamedTuple):
  """How the layers of one player are made.

  Attributes:
    norm: a row of NORMS, between layers.
    weight_norm: a row of WEIGHT_NORMS, of every kernel.
    classes: of conditional norms; 0 is none.
    deviation: a row of DEVIATIONS.
    law: a row of layers.LAWS, drawn by `layers.draw`.
    use_bias: whether any layer has one.
    dead_bias: whether layers before batch (or instance) norm keep the bias
      that it takes away again, for the peer's count; it does not learn.
    epsilon, decay, batch_always, gain_std: see norms.Normalize.
    iterations, ratio: see spectral.Layer.
    dtype: of features, float32 or bfloat16. What is not of features is float32
      in any case: parameters, statistics, images, logits.
  """
  norm: str = 'none'
  weight_norm: str = 'none'
  classes: int = 0
  deviation: str = '.02'
  law: str = 'normal'
  use_bias: bool = True
  dead_bias: bool = True
  epsilon: float = 1e-5
  decay: float = .9
  batch_always: bool = False
  gain_std: float = 0.
  iterations: int = 1
  ratio: float = .7
  dtype: Any = jnp.float32

  def cast(self, inputs):
    """z, an image or a pyramid, as a player's features begin."""
    return jax.tree.map(lambda x: x.astype(self.dtype), inputs)

  def normalize(self, name, conditional=True, norm=None):
    """The norm as a layer (x, way) -> x."""
    return norms.Normalize(
        self.norm if norm is None else norm, self.epsilon, self.decay,
        self.batch_always, self.classes if conditional else 0, self.gain_std,
        name=name)

  @property
  def before_batch_norm(self):
    """'none' or 'dead': the bias of a layer whose mean is taken away."""
    if self.norm in ('batch', 'instance'):
      return 'dead' if self.dead_bias else 'none'
    return 'yes'


class Conv(nn.Module):
  """A convolution, a strided or transposed one, or one after upsampling.

  Attributes:
    kit: Kit.
    features: output channels.
    size: of the square kernel.
    stride: 1 or 2.
    up: '' or a row of layers.UP: the output is twice as large.
    gain: multiplies the deviation at the start.
    bias: 'yes', 'none', or 'dead': kept, but without gradient.
    padding: TensorFlow's 'SAME', for even inputs also torch's (size - 1) // 2;
      or 'VALID', none.
  """
  kit: Kit
  features: int
  size: int = 3
  stride: int = 1
  up: str = ''
  gain: float = 1.
  bias: str = 'yes'
  padding: str = 'SAME'

  @nn.compact
  def __call__(self, x):
    def apply(x, kernel):
      if self.up:
        return layers.up_conv(x, kernel, self.up)
      return layers.conv(x, kernel, self.stride, self.padding)

    return _layer(
        self, (self.size, self.size, x.shape[-1], self.features), x,
        apply, *_fans(self, x.shape[-1]))

class Dense(nn.Module):
  """A dense layer; inputs are flattened, outputs may be a grid.

  Attributes:
    kit, features, gain, bias: as Conv's.
    grid: (height, width) of the output, [B, h, w, features]; () is a vector.
  """
  kit: Kit
  features: int
  grid: tuple[int, ...] = ()
  gain: float = 1.
  bias: str = 'yes'

  @nn.compact
  def __call__(self, x):
    x = x.reshape(x.shape[0], -1)
    shape = x.shape[-1], math.prod(self.grid) * self.features
    # improved_wgan_training doubles Glorot's variance in convolutions alone.
    times = 2 if self.kit.deviation == 'wgan_gp' else 1
    y = _layer(
        self, shape, x, lambda x, kernel: x @ kernel.astype(x.dtype),
        *(times * n for n in shape))
    return y.reshape(-1, *self.grid, self.features) if self.grid else y


def _fans(conv, channels):
  """Those of DEVIATIONS; improved_wgan_training alone counts strides."""
  fan_in, fan_out = (conv.size**2 * n for n in (channels, conv.features))
  if conv.kit.deviation == 'wgan_gp':
    return fan_in / (4 if conv.up else 1), fan_out / conv.stride**2
  return fan_in, fan_out


def _layer(module, shape, x, apply, fan_in, fan_out):
  """`apply` with the module's kernel, normed, and its bias."""
  kit = module.kit
  std = module.gain * DEVIATIONS[kit.deviation](fan_in, fan_out)
  kernel = module.param('kernel', nn.initializers.constant(std), shape)
  normalize = WEIGHT_NORMS[kit.weight_norm]
  if normalize:
    kernel = normalize(Layer(
        module, kit.iterations, kit.ratio,
        getattr(module, 'up', '').startswith('transposed'), (1, *x.shape[1:]),
        apply), kernel)
  y = apply(x, kernel)
  if module.bias == 'none' or not kit.use_bias:
    return y
  name = 'dead_bias' if module.bias == 'dead' else 'bias'
  bias = module.param(name, nn.initializers.zeros, shape[-1:])
  return layers.added(
      y, lax.stop_gradient(bias) if module.bias == 'dead' else bias)


class Head(NamedTuple):
  """How features become a Verdict.

  Attributes:
    condition: how it looks at labels: 'projection', 'classifier', 'switch', or
      else it does not.
    classes: how many there are.
    score_bias: whether the score has a bias.
  """
  condition: str = 'none'
  classes: int = 0
  score_bias: bool = True

  def __call__(self, x, labels, dense=None, kit=None):
    """x [B, ...] -> Verdict. Called inside a module.

    'projection': <embedding of the label, features> is added to the score:
    Miyato & Koyama 2018 (arXiv:1802.05637), eq. 5. 'classifier': class logits
    beside it: AC-GAN, Odena et al. 2017 (arXiv:1610.09585). 'switch': a score
    for each class, of which the label's is taken: Mescheder et al. 2018
    (arXiv:1801.04406), its code.

    In float32 whatever x is: its few products cost nothing, and a bfloat16
    between 64 and 128 is a multiple of a half, too coarse for a critic.

    Args:
      x: features.
      labels: int32 [B] or None.
      dense: (features, name, use_bias) -> a layer; None makes those of `kit`.
      kit: Kit.
    """
    dense = dense or (lambda features, name, use_bias: Dense(
        kit, features, name=name, bias='yes' if use_bias else 'none'))
    x = x.reshape(x.shape[0], -1).astype(jnp.float32)
    scores = self.classes if self.condition == 'switch' else 1
    logits, classes = dense(scores, 'score', self.score_bias)(x), None
    logits = logits[:, 0] if scores == 1 else jnp.take_along_axis(
        logits, labels[:, None], 1)[:, 0]
    if self.condition == 'projection':
      label = jax.nn.one_hot(labels, self.classes)
      embedded = dense(x.shape[-1], 'embedding', False)(label)
      logits += (embedded * x).sum(-1)
    if self.condition == 'classifier':
      classes = dense(self.classes, 'classes', True)(x)
    return Verdict(logits, classes)
