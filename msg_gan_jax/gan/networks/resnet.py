"""Residual networks: of SNGAN, mimicry, compare_gan and WGAN-GP.

Their up-sampling, shortcuts and pooling differ, and so do their scores: see
Architecture. With `scales` G shows an image after every block that doubles the
size, and D joins it to its path: the multi-scale connections of MSG-GAN.
"""
from collections.abc import Callable
from typing import Any, NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import convolutions, phi, plain
from msg_gan_jax.gan.networks.norms import PassInfo
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition


class Architecture(NamedTuple):
  """What one of these networks has.

  Attributes:
    g_widths: feature maps at G's start and after each of its blocks, all of
      which double the size.
    d_widths: feature maps after each block of D.
    d_downs: how many of D's blocks halve the size: the first ones.
    up: 'nearest', 'bilinear', or 'zeros' after every pixel.
    shortcut: size of the kernel of the convolutions in shortcuts.
    always_shortcut: whether shortcuts that could be the identity have a
      convolution too.
    hidden: whether D's blocks have as many feature maps inside as they are
      given ('in') or as they give ('out').
    optimized: whether D's first block begins with a convolution, and its
      shortcut with the pooling (SNGAN); else with a norm and a ReLU of the
      image.
    readout: what D's score is computed from: the 'sum' or the 'mean' of each
      of its last maps.
    unit_range: whether pictures are 0 .. 1, so that G ends in a sigmoid.
    gain: of the convolutions on the main path, at the start.
    shortcut_norm: whether shortcuts with a convolution are normalized too
      (StudioGAN's D).
    rectified: whether shortcuts of D see the ReLU of a block's input, as where
      a ReLU in place has changed it before they read it.
    score_bias: whether D's score has a bias.
    settings: how layers are made; norms are those of a Config.
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
  rectified: bool = False
  score_bias: bool = True
  settings: plain.LayerSettings = plain.LayerSettings(
      deviation='glorot', law='uniform')

  @property
  def doublings(self) -> int:
    """How often G doubles the size of its coarsest maps."""
    return len(self.g_widths) - 1

  def narrowed(self, most: int) -> 'Architecture':
    """The same with at most `most` feature maps in a layer: for small runs."""
    return self._replace(
        g_widths=tuple(min(most, w) for w in self.g_widths),
        d_widths=tuple(min(most, w) for w in self.d_widths))


class GBlock(nn.Module):
  """Norm, ReLU, up, 3x3, norm, ReLU, 3x3; plus a shortcut of the same size.

  Attributes:
    arch: Architecture.
    settings: of its layers.
    width: feature maps at its end.
  """
  arch: Architecture
  settings: plain.LayerSettings
  width: int

  @nn.compact
  def __call__(self, x: jax.Array, info: PassInfo) -> jax.Array:
    """[B, H, W, C] -> [B, 2 H, 2 W, width]."""
    arch, settings = self.arch, self.settings

    def conv(x, name, size=3, up=True, gain=arch.gain, bias='yes'):
      layer = plain.Conv(
          settings, self.width, size, gain=gain, bias=bias, name=name,
          up=arch.up if up and size > 1 else '')
      y = layer(x)
      if up and size == 1:  # It commutes with copying and interpolating pixels.
        return (convolutions.bilinear if arch.up == 'bilinear'
                else pyramid.up)(y)
      return y

    y = nn.relu(settings.normalize('norm_1')(x, info))
    y = conv(y, 'conv_1', bias=settings.before_batch_norm)
    y = nn.relu(settings.normalize('norm_2')(y, info))
    # Through 1x1 shortcuts a constant of a channel stays one, and the next
    # norms take it away.
    bias = settings.before_batch_norm if arch.shortcut == 1 else 'yes'
    y = conv(y, 'conv_2', up=False, bias=bias)
    return y + conv(x, 'shortcut', size=arch.shortcut, gain=1., bias=bias)


class Generator(nn.Module):
  """z [B, latent] -> pyramid of the shown sizes, in [-1, 1].

  Attributes:
    arch: Architecture.
    shown: heights of the levels, coarse to fine.
    image: (height, width, channels) of the finest.
    settings: of its layers.
  """
  arch: Architecture
  shown: tuple[int, ...]
  image: tuple[int, int, int]
  settings: plain.LayerSettings

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    arch, settings = self.arch, self.settings
    info = PassInfo(train, condition.labels)
    height, width, channels = self.image
    h, w = height >> arch.doublings, width >> arch.doublings
    x = plain.Dense(
        settings, arch.g_widths[0], (h, w), name='start')(settings.cast(z))
    images = []

    def show(x, name, size):
      # A sigmoid of 0 .. 1 is this in -1 .. 1.
      scale = .5 if arch.unit_range else 1.
      x = plain.Conv(settings, channels, size, name=name)(x)
      images.append(jnp.tanh(scale * x.astype(jnp.float32)))

    for i, features in enumerate(arch.g_widths):
      if i:
        h = 2 * h
        x = GBlock(arch, settings, features, name=f'block_{h}')(x, info)
      if h in self.shown and h < height:
        show(nn.relu(settings.normalize(f'rgb_norm_{h}', False)(x, info)),
             f'rgb_{h}', 1)
    x = nn.relu(settings.normalize('norm', conditional=False)(x, info))
    show(x, 'image', 3)
    return tuple(images)


class DBlock(nn.Module):
  """ReLU, 3x3, ReLU, 3x3, pool; plus a shortcut, a convolution where needed.

  Attributes:
    arch, settings, width: as GBlock's.
    down: whether it halves the size.
    first: whether it sees the image.
  """
  arch: Architecture
  settings: plain.LayerSettings
  width: int
  down: bool
  first: bool

  @nn.compact
  def __call__(self, x: jax.Array, info: PassInfo) -> jax.Array:
    """[B, H, W, C] -> [B, H, W, width], or half as large."""
    arch, settings = self.arch, self.settings
    optimized = self.first and arch.optimized
    hidden = self.width if optimized or arch.hidden == 'out' else x.shape[-1]
    pool: Callable[[jax.Array], Any] = (
        pyramid.down if self.down else lambda x: x)

    def norm(x, name):
      return settings.normalize(name, conditional=False)(x, info)

    y = x if optimized else nn.relu(norm(x, 'norm_1'))
    if arch.rectified and settings.norm == 'none':
      x = y  # A norm has an output of its own, which the ReLU overwrites.
    y = plain.Conv(settings, hidden, gain=arch.gain, name='conv_1',
                   bias=settings.before_batch_norm)(y)
    y = nn.relu(norm(y, 'norm_2'))
    y = plain.Conv(settings, self.width, gain=arch.gain, name='conv_2',
                   down=self.down)(y)
    if arch.always_shortcut or self.down or x.shape[-1] != self.width:
      if arch.shortcut_norm:
        x = norm(x, 'norm_shortcut')
      conv = plain.Conv(settings, self.width, arch.shortcut, name='shortcut')
      # A 1x1 convolution commutes with the mean, which makes it cheaper.
      x = conv(pool(x)) if arch.shortcut == 1 else pool(conv(x))
    return x + y


class Discriminator(plain.Discriminator):
  """Pyramid of the shown sizes -> Verdict, through residual blocks."""
  arch: Architecture

  def features(self, images: Pyramid, info: PassInfo) -> jax.Array:
    """Pyramid -> sums or means of the last maps, float32 [B, C]."""
    arch, settings = self.arch, self.settings
    x = images[-1]
    for i, width in enumerate(arch.d_widths):
      down = i < arch.d_downs
      joins = down and x.shape[1] // 2 in self.shown
      path = phi.path_width(
          self.phi, width, x.shape[1] // 2, self.shown if joins else ())
      x = DBlock(arch, settings, path, down, i == 0, name=f'block_{i}')(x, info)
      if joins:
        x = phi.join_image(self.phi, settings, width, self.shown, images, x)
    x = nn.relu(x).astype(jnp.float32)
    return x.sum((1, 2)) if arch.readout == 'sum' else x.mean((1, 2))


_MIMICRY = Architecture((256,) * 4, (128,) * 4, 2, up='bilinear')
_COMPARE_GAN = Architecture(
    (256,) * 4, (128,) * 4, 2, up='zeros', shortcut=3, always_shortcut=True,
    hidden='out', optimized=False, readout='mean', unit_range=True, gain=1.,
    settings=plain.LayerSettings(law='truncated'))

ARCHITECTURES = {
    # compare_gan, resnet_cifar.py, resnet5.py ("ResNet19" for its D's 19
    # layers) and resnet_stl.py, of the GAN Landscape (Kurach et al. 2019).
    'resnet_cifar': _COMPARE_GAN,
    'resnet19': _COMPARE_GAN._replace(
        g_widths=(512, 512, 256, 256, 128, 64),
        d_widths=(64, 128, 256, 256, 512, 512), d_downs=6),
    'resnet_stl': _COMPARE_GAN._replace(
        g_widths=(512, 256, 128, 64), d_widths=(64, 128, 256, 512, 1024),
        d_downs=4),
    # Miyato et al. 2018, table 4, of its authors' code: nearest neighbour.
    'resnet_sngan': Architecture(
        (256,) * 4, (128,) * 4, 2, score_bias=False,
        settings=plain.LayerSettings(
            deviation='glorot', law='uniform', epsilon=2e-5)),
    # mimicry, nets/sngan: bilinear. As it runs, with networks.d_shortcut
    # 'rectified'; its presets have that.
    'resnet_mimicry': _MIMICRY,
    'resnet_mimicry_48': _MIMICRY._replace(
        g_widths=(512, 256, 128, 64), d_widths=(64, 128, 256, 512, 1024),
        d_downs=4),
    'resnet_mimicry_64': _MIMICRY._replace(
        g_widths=(1024, 512, 256, 128, 64), d_widths=(64, 128, 256, 512, 1024),
        d_downs=4),
    'resnet_mimicry_128': _MIMICRY._replace(
        g_widths=(1024, 1024, 512, 256, 128, 64),
        d_widths=(64, 128, 256, 512, 1024, 1024), d_downs=5),
    # Gulrajani et al. 2017, gan_cifar_resnet.py: 128 maps, mean.
    'resnet_wgan_gp': Architecture((128,) * 4, (128,) * 4, 2, readout='mean'),
    # PyTorch-StudioGAN, resnet.py: norms in D's shortcuts too. As it runs,
    # with networks.norm_epsilon 1e-4 and, where D has spectral norm and no
    # other, networks.d_shortcut 'rectified'.
    'resnet_studiogan': Architecture(
        (256,) * 4, (128,) * 4, 2, shortcut_norm=True),
}
