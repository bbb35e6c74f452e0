"""Residual networks: of SNGAN, mimicry, compare_gan and WGAN-GP.

Their up-sampling, shortcuts and pooling differ, and so do their scores: see
Plan. With `scales` G shows an image after every block that doubles the size,
and D joins it to its path: the multi-scale connections of MSG-GAN.
"""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import phi as combine
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.norms import Way
from msg_gan_jax.gan.state import NOTHING


class Plan(NamedTuple):
  """What one of them has.

  Attributes:
    g_widths: feature maps at G's start and after each of its blocks, all of
      which double the size.
    d_widths: feature maps after each block of D.
    d_downs: how many of D's blocks halve the size: the first ones.
    up: 'nearest', 'bilinear', or 'zeros' after every pixel.
    shortcut: size of the kernel of the convolutions in shortcuts.
    always_shortcut: whether also shortcuts that could be the identity have
      one.
    hidden: 'in' or 'out': feature maps inside of D's blocks.
    optimized: whether D's first block begins with a convolution, its shortcut
      with the pooling (SNGAN); else with a norm and a ReLU of the image.
    readout: 'sum' or 'mean' over pixels.
    unit_range: whether pictures are 0 .. 1, so that G ends in a sigmoid.
    gain: of the convolutions on the main path, at the start.
    shortcut_norm: whether shortcuts with a convolution are normalized too
      (StudioGAN's D).
    score_bias: whether D's score has a bias.
    kit: how the layers are made, but for norms.
  """
  g_widths: tuple[int, ...]
  d_widths: tuple[int, ...]
  d_downs: int
  up: str = 'nearest'
  shortcut: int = 1
  always_shortcut: bool = False
  hidden: str = 'in'
  optimized: bool = True
  readout: str = 'sum'
  unit_range: bool = False
  gain: float = 2**.5
  shortcut_norm: bool = False
  score_bias: bool = True
  kit: plain.Kit = plain.Kit(deviation='glorot', law='uniform')

  @property
  def doublings(self):
    return len(self.g_widths) - 1

  def scaled(self, most):
    """The same with at most `most` feature maps anywhere: for small runs."""
    return self._replace(
        g_widths=tuple(min(most, w) for w in self.g_widths),
        d_widths=tuple(min(most, w) for w in self.d_widths))


def _bilinear(x):
  """Twice as large, half-pixel centres: torch's interpolate."""
  b, h, w, c = x.shape
  return jax.image.resize(x, (b, 2 * h, 2 * w, c), 'bilinear')


class GBlock(nn.Module):
  """norm, ReLU, up, 3x3, norm, ReLU, 3x3; plus a shortcut of the same size."""
  plan: Plan
  kit: plain.Kit
  width: int

  @nn.compact
  def __call__(self, x, way):
    plan, kit = self.plan, self.kit

    def conv(x, name, size=3, up=True, gain=plan.gain, bias='yes'):
      made = plain.Conv(
          kit, self.width, size, gain=gain, bias=bias, name=name,
          up='' if not up or size == 1 or plan.up == 'bilinear' else plan.up)
      if not up:
        return made(x)
      if size == 1:  # It commutes with copying and interpolating pixels.
        return (_bilinear if plan.up == 'bilinear' else pyramid.up)(made(x))
      return made(_bilinear(x) if plan.up == 'bilinear' else x)

    y = nn.relu(kit.normalize('norm_1')(x, way))
    y = conv(y, 'conv_1', bias=kit.before_batch_norm)
    y = nn.relu(kit.normalize('norm_2')(y, way))
    # Through 1x1 shortcuts a constant of a channel stays one, and the next
    # norms take it away.
    bias = kit.before_batch_norm if plan.shortcut == 1 else 'yes'
    y = conv(y, 'conv_2', up=False, bias=bias)
    return y + conv(x, 'shortcut', size=plan.shortcut, gain=1., bias=bias)


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
    plan, kit, way = self.plan, self.kit, Way(train, condition.labels)
    height, width, channels = self.image
    h, w = height >> plan.doublings, width >> plan.doublings
    first, *widths = plan.g_widths
    x = plain.Dense(kit, first, (h, w), name='start')(kit.cast(z))
    images = []

    def show(x, name, size):
      # A sigmoid of 0 .. 1 is this in -1 .. 1.
      scale = .5 if plan.unit_range else 1.
      x = plain.Conv(kit, channels, size, name=name)(x)
      images.append(jnp.tanh(scale * x.astype(jnp.float32)))

    for i, features in enumerate([None, *widths]):
      if i:
        h = 2 * h
        x = GBlock(plan, kit, features, name=f'block_{h}')(x, way)
      if h in self.shown and h < height:
        show(nn.relu(kit.normalize(f'rgb_norm_{h}', False)(x, way)),
             f'rgb_{h}', 1)
    x = nn.relu(kit.normalize('norm', conditional=False)(x, way))
    show(x, 'image', 3)
    return tuple(images)


class DBlock(nn.Module):
  """ReLU, 3x3, ReLU, 3x3, pool; plus a shortcut, a convolution where needed.

  Attributes:
    plan, kit: Plan, Kit.
    width: feature maps at its end.
    down: whether it halves the size.
    first: whether it sees the image.
  """
  plan: Plan
  kit: plain.Kit
  width: int
  down: bool
  first: bool

  @nn.compact
  def __call__(self, x, way):
    plan, kit, optimized = self.plan, self.kit, self.first and (
        self.plan.optimized)
    hidden = self.width if optimized or plan.hidden == 'out' else x.shape[-1]
    pool = pyramid.down if self.down else (lambda x: x)

    def norm(x, name):
      return kit.normalize(name, conditional=False)(x, way)

    y = x if optimized else nn.relu(norm(x, 'norm_1'))
    y = plain.Conv(kit, hidden, gain=plan.gain, name='conv_1',
                   bias=kit.before_batch_norm)(y)
    y = nn.relu(norm(y, 'norm_2'))
    y = pool(plain.Conv(kit, self.width, gain=plan.gain, name='conv_2')(y))
    if plan.always_shortcut or self.down or x.shape[-1] != self.width:
      if plan.shortcut_norm:
        x = norm(x, 'norm_shortcut')
      conv = plain.Conv(kit, self.width, plan.shortcut, name='shortcut')
      # A 1x1 convolution commutes with the mean, which makes it cheaper.
      x = conv(pool(x)) if plan.shortcut == 1 else pool(conv(x))
    return x + y


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
    x = images[-1]
    for i, width in enumerate(plan.d_widths):
      down = i < plan.d_downs
      joins = down and x.shape[1] // 2 in self.shown
      path = combine.PHI[self.phi].path(width) if joins else width
      x = DBlock(plan, kit, path, down, i == 0, name=f'block_{i}')(x, way)
      if joins:
        x = combine.joined(self.phi, kit, width, self.shown, images, x)
    x = nn.relu(x).astype(jnp.float32)
    x = x.sum((1, 2)) if plan.readout == 'sum' else x.mean((1, 2))
    return self.head(x, condition.labels, kit=kit)


_COMPARE_GAN = dict(
    up='zeros', shortcut=3, always_shortcut=True, hidden='out',
    optimized=False, readout='mean', unit_range=True, gain=1.,
    kit=plain.Kit(law='truncated'))
_MIMICRY = dict(up='bilinear')

PLANS = {
    # compare_gan, resnet_cifar.py, resnet5.py ("ResNet19" for its D's 19
    # layers) and resnet_stl.py, of the GAN Landscape (Kurach et al. 2019).
    'resnet_cifar': Plan(
        (256,) * 4, (128,) * 4, 2, **_COMPARE_GAN),
    'resnet19': Plan(
        (512, 512, 256, 256, 128, 64), (64, 128, 256, 256, 512, 512), 6,
        **_COMPARE_GAN),
    'resnet_stl': Plan(
        (512, 256, 128, 64), (64, 128, 256, 512, 1024), 4, **_COMPARE_GAN),
    # Miyato et al. 2018, table 4, of its authors' code: nearest neighbour.
    'resnet_sngan': Plan(
        (256,) * 4, (128,) * 4, 2, score_bias=False, kit=plain.Kit(
            deviation='glorot', law='uniform', epsilon=2e-5)),
    # mimicry, nets/sngan: bilinear.
    'resnet_mimicry': Plan((256,) * 4, (128,) * 4, 2, **_MIMICRY),
    'resnet_mimicry_48': Plan(
        (512, 256, 128, 64), (64, 128, 256, 512, 1024), 4, **_MIMICRY),
    'resnet_mimicry_64': Plan(
        (1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024), 4, **_MIMICRY),
    'resnet_mimicry_128': Plan(
        (1024, 1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024, 1024), 5,
        **_MIMICRY),
    # Gulrajani et al. 2017, gan_cifar_resnet.py: 128 maps, mean.
    'resnet_wgan_gp': Plan((128,) * 4, (128,) * 4, 2, readout='mean'),
    # PyTorch-StudioGAN, resnet.py: norms in D's shortcuts too.
    'resnet_studiogan': Plan(
        (256,) * 4, (128,) * 4, 2, shortcut_norm=True),
}
