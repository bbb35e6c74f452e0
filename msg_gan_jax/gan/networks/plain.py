"""Plain layers, whose weights begin at their own scale, as before ProGAN.

A network hands one LayerSettings to all its layers, which says their norm,
weight norm, law at the start and biases. Parameters are float32 and are cast to
the dtype of the features where they are used.
"""
from collections.abc import Callable
import math
from typing import Any, NamedTuple, Protocol

from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import convolutions, layers, norms, squares
from msg_gan_jax.gan.networks.weight_norms import WEIGHT_NORMS, Layer
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict


class Deviation(Protocol):
  """(inputs of one output, outputs of one input) -> deviation of a kernel."""

  def __call__(self, fan_in: float, fan_out: float, /) -> float:
    ...


# Standard deviation of a kernel at the start; its law is LayerSettings.law.
DEVIATIONS: Table[Deviation] = Table('deviation', 'deviation', {
    # DCGAN (Radford et al. 2016), compare_gan.
    '.02': lambda fan_in, fan_out: .02,
    # Glorot & Bengio 2010, eq. 16; mimicry, SNGAN.
    'glorot': lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    # He et al. 2015 (arXiv:1502.01852), eq. 10: as large after a ReLU.
    'he': lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    # improved_wgan_training: twice Glorot's variance in convolutions.
    'wgan_gp': lambda fan_in, fan_out: math.sqrt(4 / (fan_in + fan_out)),
    # Goodfellow et al. 2014's code: uniform within .05 in G, .005 in D.
    '.05': lambda fan_in, fan_out: .05 / 3**.5,
    '.005': lambda fan_in, fan_out: .005 / 3**.5,
    # Torch's: uniform within 1 / √fan_in; the finer levels of LAPGAN's code.
    'torch': lambda fan_in, fan_out: 1 / math.sqrt(3 * fan_in),
    # The coarsest level of LAPGAN's code, of G and of D.
    'lapgan_g': lambda fan_in, fan_out: .05,
    'lapgan_d': lambda fan_in, fan_out: .005,
})


class LayerSettings(NamedTuple):
  """How the layers of one player are made.

  Attributes:
    norm: a row of NORMS, between layers.
    weight_norm: a row of WEIGHT_NORMS, of every kernel.
    classes: how many have scales and shifts of their own in norms; 0 is one
      for all.
    deviation: a row of DEVIATIONS.
    law: a row of initialization.LAWS.
    use_bias: whether any layer has a bias.
    dead_bias: whether layers before batch (or instance) norm keep the bias
      that it takes away again, for the peer's count; it does not learn.
    epsilon, decay, batch_always, gain_std: see norms.Normalize.
    iterations, ratio: see weight_norms.Layer.
    dtype: of features, float32 or bfloat16. Parameters, statistics, images and
      logits are float32 in any case.
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

  def cast(self, inputs: Any) -> Any:
    """z, an image or a pyramid, in the dtype of features."""
    return jax.tree.map(lambda x: x.astype(self.dtype), inputs)

  def normalize(self, name: str, conditional: bool = True) -> norms.Normalize:
    """The norm as a layer (x, PassInfo) -> x.

    Args:
      name: of the layer.
      conditional: whether classes have a scale and shift of their own.
    """
    return norms.Normalize(
        self.norm, self.epsilon, self.decay, self.batch_always,
        self.classes if conditional else 0, self.gain_std, name=name)

  @property
  def before_batch_norm(self) -> str:
    """The `bias` of a Conv or Dense that the norm follows.

    'yes', unless the norm takes a bias away again.
    """
    if self.norm in ('batch', 'instance'):
      return 'dead' if self.dead_bias else 'none'
    return 'yes'


class Conv(nn.Module):
  """A convolution, a strided or transposed one, or one after upsampling.

  Attributes:
    settings: LayerSettings.
    features: output channels.
    size: of the square kernel.
    stride: 1 or 2.
    up: '', 'bilinear' or a row of squares.UP: the output is twice as
      large.
    down: whether the 2x2 mean follows, before the bias: half as large; of a
      3x3 kernel alone.
    gain: multiplies the deviation at the start.
    bias: 'yes', 'none', or 'dead', which is one without gradient.
    padding: TensorFlow's 'SAME', for even inputs also torch's (size - 1) // 2;
      or 'VALID', which pads nothing.
  """
  settings: LayerSettings
  features: int
  size: int = 3
  stride: int = 1
  up: str = ''
  down: bool = False
  gain: float = 1.
  bias: str = 'yes'
  padding: str = 'SAME'

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    def conv(x, kernel):
      return convolutions.conv(x, kernel, self.stride, self.padding)

    def up_conv(x, kernel):
      return convolutions.up_conv(x, kernel, self.up)

    _, h, w, channels = x.shape
    apply = normed = up_conv if self.up else conv
    if self.up == 'bilinear':  # Norms look at the convolution alone.
      normed, h, w = conv, 2 * h, 2 * w
    if self.down:
      assert (self.size, self.stride, self.up, self.padding) == (
          3, 1, '', 'SAME'), 'conv_down has no other form'
      apply = convolutions.conv_down
    kernel, add_bias = _weights(
        self, (self.size, self.size, channels, self.features),
        (1, h, w, channels), normed, *_fans(self, channels))
    return add_bias(apply(x, kernel))


class Dense(nn.Module):
  """A dense layer; inputs are flattened, outputs may be a grid.

  Attributes:
    settings, features, gain, bias: as Conv's.
    grid: (height, width) of the output, [B, h, w, features]; () is a vector.
  """
  settings: LayerSettings
  features: int
  grid: tuple[int, ...] = ()
  gain: float = 1.
  bias: str = 'yes'

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    x = x.reshape(x.shape[0], -1)
    shape = x.shape[-1], math.prod(self.grid) * self.features
    # improved_wgan_training doubles Glorot's variance in convolutions alone.
    times = 2 if self.settings.deviation == 'wgan_gp' else 1

    def apply(x, kernel):
      return x @ kernel.astype(x.dtype)

    kernel, add_bias = _weights(
        self, shape, (1, x.shape[-1]), apply, *(times * n for n in shape))
    y = add_bias(apply(x, kernel))
    return y.reshape(-1, *self.grid, self.features) if self.grid else y


def _fans(conv, channels):
  """Those of DEVIATIONS; improved_wgan_training alone counts strides."""
  fan_in, fan_out = (conv.size**2 * n for n in (channels, conv.features))
  if conv.settings.deviation == 'wgan_gp':
    return (fan_in / (4 if conv.up in squares.UP else 1),
            fan_out / conv.stride**2)
  return fan_in, fan_out


def _weights(module, shape, seen, apply, fan_in, fan_out):
  """(the module's kernel, normed; a function that adds its bias).

  Args:
    module: Conv or Dense.
    shape: of the kernel.
    seen, apply, fan_in, fan_out: the input and the layer as norms see them.
  """
  settings = module.settings
  std = module.gain * DEVIATIONS[settings.deviation](fan_in, fan_out)
  kernel = module.param('kernel', nn.initializers.constant(std), shape)
  normalize = WEIGHT_NORMS[settings.weight_norm]
  if normalize:
    kernel = normalize(Layer(
        module, settings.iterations, settings.ratio,
        getattr(module, 'up', '').startswith('transposed'), seen, apply),
        kernel)
  if module.bias == 'none' or not settings.use_bias:
    return kernel, lambda y: y
  name = 'dead_bias' if module.bias == 'dead' else 'bias'
  bias = module.param(name, nn.initializers.zeros, shape[-1:])
  if module.bias == 'dead':
    bias = lax.stop_gradient(bias)
  return kernel, lambda y: layers.add_bias(y, bias)


class MakeDense(Protocol):
  """(features, name, use_bias) -> a dense layer, a function of [B, I]."""

  def __call__(self, features: int, name: str, use_bias: bool, /
               ) -> Callable[[jax.Array], jax.Array]:
    ...


class Head(NamedTuple):
  """How features become a Verdict.

  Attributes:
    condition: how it uses labels: 'projection', 'classifier', 'switch';
      anything else leaves them out.
    classes: how many there are.
    score_bias: whether the score has a bias.
  """
  condition: str = 'none'
  classes: int = 0
  score_bias: bool = True

  def __call__(self, x: jax.Array, labels: jax.Array | None,
               dense: MakeDense | None = None,
               settings: LayerSettings | None = None) -> Verdict:
    """Features [B, ...] -> Verdict. Called inside a module.

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
      dense: (features, name, use_bias) -> a layer; None makes those of
        `settings`.
      settings: LayerSettings, where `dense` is None.
    """
    dense = dense or (lambda features, name, use_bias: Dense(
        settings or LayerSettings(), features, name=name,
        bias='yes' if use_bias else 'none'))
    x = x.reshape(x.shape[0], -1).astype(jnp.float32)
    scores = self.classes if self.condition == 'switch' else 1
    logits, classes = dense(scores, 'score', self.score_bias)(x), None
    if scores > 1:
      assert labels is not None
      logits = jnp.take_along_axis(logits, labels[:, None], 1)
    logits = logits[:, 0]
    if self.condition == 'projection':
      label = jax.nn.one_hot(labels, self.classes)
      embedded = dense(x.shape[-1], 'embedding', False)(label)
      logits += (embedded * x).sum(-1)
    if self.condition == 'classifier':
      classes = dense(self.classes, 'classes', True)(x)
    return Verdict(logits, classes)


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict; a subclass has the layers.

  Attributes:
    arch: Architecture of the subclass.
    shown: heights of the levels, coarse to fine.
    settings: of its layers.
    phi: a row of PHI, how a level is joined to the path.
    head: from features to Verdict.
  """
  arch: Any
  shown: tuple[int, ...]
  settings: LayerSettings
  phi: str
  head: Head

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    pyramid.check(images, self.shown)
    if self.arch.unit_range:
      images = tuple((x + 1) / 2 for x in images)
    x = self.features(
        self.settings.cast(images), norms.PassInfo(train, condition.labels))
    return self.head(x, condition.labels, settings=self.settings)

  def features(self, images: Pyramid, info: norms.PassInfo) -> jax.Array:
    """Pyramid in the dtype of the layers -> what the head sees, [B, ...]."""
    raise NotImplementedError
