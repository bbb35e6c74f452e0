"""Chains of strided convolutions: DCGAN, SNDCGAN and their relatives.

With `scales` G shows an image at every size it passes through, and D joins it
to its path: the multi-scale connections of MSG-GAN.
"""
from typing import NamedTuple

from flax import linen as nn
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import phi as combine
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.norms import Way
from msg_gan_jax.gan.state import NOTHING


class Plan(NamedTuple):
  """What one of them has.

  Attributes:
    g_widths: feature maps of G from the coarsest size on; each doubles it.
    g_last: 'up', the image is made by one more doubling, or 'conv', by a 3x3
      convolution.
    kernel: of the convolutions that double the size.
    d_layers: (kernel, stride, feature maps) of D's convolutions.
    slope: of D's leaky ReLUs.
    first_norm: whether D's first layer is normalized too.
    start: what follows G's dense layer: 'flat', a norm of each number and a
      ReLU; 'maps', one of each map; 'linear', nothing.
    hidden: units of a dense layer with a ReLU before that, 0 is none.
    dropout: share of units that D forgets after each of its layers.
    readout: 'flat' or 'sum': what D's score is computed from.
    unit_range: whether D sees values of 0 .. 1.
    kit: how the layers are made, but for norms.
  """
  g_widths: tuple[int, ...]
  d_layers: tuple[tuple[int, int, int], ...]
  g_last: str = 'up'
  kernel: int = 4
  slope: float = .2
  first_norm: bool = False
  start: str = 'maps'
  hidden: int = 0
  dropout: float = 0.
  readout: str = 'flat'
  unit_range: bool = False
  kit: plain.Kit = plain.Kit()

  @property
  def doublings(self):
    return len(self.g_widths) - (self.g_last == 'conv')

  def scaled(self, most):
    """The same with at most `most` feature maps anywhere: for small runs."""
    return self._replace(
        g_widths=tuple(min(most, w) for w in self.g_widths),
        d_layers=tuple((k, s, min(most, w)) for k, s, w in self.d_layers))


class Generator(nn.Module):
  """z [B, latent] -> pyramid of the shown sizes, in [-1, 1].

  Attributes:
    plan: Plan.
    shown: heights of the levels, coarse to fine.
    image: (height, width, channels) of the finest.
    kit: of its layers.
  """
  plan: Plan
  shown: tuple[int, ...]
  image: tuple[int, int, int]
  kit: plain.Kit

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    plan, kit, z = self.plan, self.kit, self.kit.cast(z)
    way, bias = Way(train, condition.labels), kit.before_batch_norm
    h, w, channels = self.image
    h, w = h >> plan.doublings, w >> plan.doublings
    up = 'transposed' if plan.kernel == 4 else 'transposed_5'
    images = []

    def show(x, name, **conv):
      x = plain.Conv(kit, channels, name=name, **conv)(x)
      images.append(jnp.tanh(x.astype(jnp.float32)))

    x = self.start(z, (h, w), way)
    for i, width in enumerate(plan.g_widths):
      if i:
        x = plain.Conv(
            kit, width, plan.kernel, up=up, bias=bias, name=f'conv_{h}')(x)
        x = nn.relu(kit.normalize(f'norm_{h}')(x, way))
      if h in self.shown and h < self.image[0]:
        show(x, f'rgb_{h}', size=1)
      h = 2 * h
    if plan.g_last == 'up':
      show(x, 'image', size=plan.kernel, up=up)
    else:
      show(x, 'image', size=3)
    return tuple(images)

  def start(self, z, grid, way):
    """From z to the coarsest maps."""
    plan, kit = self.plan, self.kit
    if plan.hidden:
      z = nn.relu(plain.Dense(kit, plan.hidden, name='hidden')(z))
    flat = plan.start == 'flat' and kit.norm == 'batch'
    # A bias for each number: the mean of a map does not take it away.
    bias = kit.before_batch_norm if flat or not kit.dead_bias else 'yes'
    x = plain.Dense(kit, plan.g_widths[0], grid, name='start', bias=bias)(z)
    if plan.start == 'linear':
      return x
    norm = kit.normalize('norm_start')
    if flat:
      x = norm(x.reshape(x.shape[0], -1), way).reshape(x.shape)
    else:
      x = norm(x, way)
    return nn.relu(x)


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict.

  Attributes:
    plan, shown, kit: as Generator's.
    phi: a row of PHI.
    head: plain.Head.
  """
  plan: Plan
  shown: tuple[int, ...]
  kit: plain.Kit
  phi: str
  head: plain.Head

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    pyramid.check(images, self.shown)
    plan, kit = self.plan, self.kit
    way = Way(train, condition.labels)
    if plan.unit_range:
      images = tuple((x + 1) / 2 for x in images)
    images = kit.cast(images)
    x, size = images[-1], self.shown[-1]
    for i, (kernel, stride, width) in enumerate(plan.d_layers):
      normed = i > 0 or plan.first_norm
      size //= stride
      joins = stride == 2 and size in self.shown
      path = combine.PHI[self.phi].path(width) if joins else width
      x = plain.Conv(
          kit, path, kernel, stride, name=f'conv_{i}',
          bias=kit.before_batch_norm if normed else 'yes')(x)
      if normed:
        x = kit.normalize(f'norm_{i}', conditional=False)(x, way)
      x = nn.leaky_relu(x, plan.slope)
      if plan.dropout:
        x = nn.Dropout(plan.dropout, deterministic=not train)(x)
      if joins:
        x = combine.joined(self.phi, kit, width, self.shown, images, x)
    if plan.readout == 'sum':
      x = x.sum((1, 2), dtype=jnp.float32)
    return self.head(x, condition.labels, kit=kit)


# No biases, and norms whose gains begin at N(1, .02): DCGAN and WGAN in Lua and
# PyTorch.
_TORCH = plain.Kit(use_bias=False, gain_std=.02)
_WIDENING = ((3, 1, 64), (4, 2, 128), (3, 1, 128), (4, 2, 256), (3, 1, 256),
             (4, 2, 512), (3, 1, 512))
_NOT_WIDENING = ((3, 1, 64), (4, 2, 64), (3, 1, 128), (4, 2, 128), (3, 1, 256),
                 (4, 2, 256), (3, 1, 512))

PLANS = {
    # The slide deck's: 4x4 everywhere.
    'dcgan_32': Plan(
        (512, 256, 128), ((4, 2, 64), (4, 2, 128), (4, 2, 256)), kit=_TORCH),
    # WassersteinGAN's main.py and dcgan.torch.
    'dcgan_64': Plan(
        (512, 256, 128, 64), ((4, 2, 64), (4, 2, 128), (4, 2, 256),
                              (4, 2, 512)), kit=_TORCH),
    # Radford et al. 2016 (arXiv:1511.06434), fig. 1, and D of its code, which
    # has no biases at all.
    'dcgan': Plan(
        (1024, 512, 256, 128),
        ((5, 2, 128), (5, 2, 256), (5, 2, 512), (5, 2, 1024)), kernel=5,
        start='flat', kit=plain.Kit(
            use_bias=False, gain_std=.02, epsilon=1e-8)),
    # compare_gan, dcgan_architecture.py.
    'dcgan_compare_gan': Plan(
        (512, 256, 128, 64),
        ((5, 2, 64), (5, 2, 128), (5, 2, 256), (5, 2, 512)), kernel=5,
        unit_range=True, kit=plain.Kit(law='truncated')),
    # Gulrajani et al. 2017, gan_cifar.py.
    'dcgan_wgan_gp': Plan(
        (512, 256, 128), ((5, 2, 128), (5, 2, 256), (5, 2, 512)), kernel=5,
        start='flat', kit=plain.Kit(deviation='wgan_gp', law='uniform')),
    # Odena et al. 2017 (arXiv:1610.09585), appendix, for CIFAR-10.
    'acgan': Plan(
        (192, 96, 48), ((3, 2, 16), (3, 1, 32), (3, 2, 64), (3, 1, 128),
                        (3, 2, 256), (3, 1, 512)), kernel=5, hidden=384,
        dropout=.5, kit=plain.Kit(dead_bias=False)),
    # Kurach et al. 2019 (arXiv:1807.04720), table 2: strides widen.
    'sndcgan': Plan(
        (512, 256, 128, 64), _WIDENING, g_last='conv', slope=.1, start='flat',
        kit=plain.Kit(epsilon=2e-5)),
    # Miyato et al. 2018 (arXiv:1802.05957), table 3: they do not.
    'sngan_cnn': Plan(
        (512, 256, 128, 64), _NOT_WIDENING, g_last='conv', slope=.1,
        start='linear'),
    # PyTorch-StudioGAN, deep_conv.py: sums over pixels, norms every layer.
    'dcgan_studiogan': Plan(
        (512, 256, 128, 64), _NOT_WIDENING, g_last='conv', slope=.1,
        first_norm=True, start='linear', readout='sum'),
}
