"""Chains of strided convolutions: DCGAN, SNDCGAN and their relatives.

With `scales` G shows an image at every size it passes through, and D joins it
to its path: the multi-scale connections of MSG-GAN.

Source: each row of ARCHITECTURES has its own.
"""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import phi, plain
from msg_gan_jax.gan.networks.norms import PassInfo
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition


class Architecture(NamedTuple):
  """What one of these networks has.

  Attributes:
    g_widths: feature maps of G from the coarsest size on; each next one is of
      twice the size.
    g_last: 'up', the image is made by one more doubling, or 'conv', by a 3x3
      convolution.
    kernel: size of the kernels that double the size of a picture.
    d_layers: (kernel, stride, feature maps) of D's convolutions.
    slope: of D's leaky ReLUs; 0 makes them ReLUs.
    first_norm: whether D's first layer is normalized too.
    start: what follows G's dense layer: 'flat', a norm of each number and a
      ReLU; 'maps', a norm of each map and a ReLU; 'linear', nothing.
    hidden: units of a dense layer with a ReLU before that; 0 leaves it out.
    dropout: share of units that D forgets after each of its layers.
    readout: what D's score is computed from: 'flat', all numbers of its last
      maps, or 'sum', the sum of each map.
    unit_range: whether D sees values of 0 .. 1.
    settings: how layers are made; norms are those of a Config.
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
  settings: plain.LayerSettings = plain.LayerSettings()

  @property
  def doublings(self) -> int:
    """How often G doubles the size of its coarsest maps."""
    return len(self.g_widths) - (self.g_last == 'conv')

  def narrowed(self, most: int) -> 'Architecture':
    """The same with at most `most` feature maps in a layer: for small runs."""
    return self._replace(
        g_widths=tuple(min(most, w) for w in self.g_widths),
        d_layers=tuple((k, s, min(most, w)) for k, s, w in self.d_layers))


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
    arch, settings, z = self.arch, self.settings, self.settings.cast(z)
    info, bias = PassInfo(train, condition.labels), settings.before_batch_norm
    h, w, channels = self.image
    h, w = h >> arch.doublings, w >> arch.doublings
    up = 'transposed' if arch.kernel == 4 else 'transposed_5'
    images = []

    def show(x, name, **conv):
      x = plain.Conv(settings, channels, name=name, **conv)(x)
      images.append(jnp.tanh(x.astype(jnp.float32)))

    x = self.start(z, (h, w), info)
    for i, width in enumerate(arch.g_widths):
      if i:
        x = plain.Conv(
            settings, width, arch.kernel, up=up, bias=bias, name=f'conv_{h}')(x)
        x = nn.relu(settings.normalize(f'norm_{h}')(x, info))
      if h in self.shown and h < self.image[0]:
        show(x, f'rgb_{h}', size=1)
      h = 2 * h
    if arch.g_last == 'up':
      show(x, 'image', size=arch.kernel, up=up)
    else:
      show(x, 'image', size=3)
    return tuple(images)

  def start(self, z: jax.Array, grid: tuple[int, int],
            info: PassInfo) -> jax.Array:
    """z [B, latent] -> the coarsest maps, [B, *grid, C]."""
    arch, settings = self.arch, self.settings
    if arch.hidden:
      z = nn.relu(plain.Dense(settings, arch.hidden, name='hidden')(z))
    flat = arch.start == 'flat' and settings.norm == 'batch'
    # A bias for each number: the mean of a map does not take it away.
    bias = 'yes' if settings.dead_bias and not flat else (
        settings.before_batch_norm)
    x = plain.Dense(
        settings, arch.g_widths[0], grid, name='start', bias=bias)(z)
    if arch.start == 'linear':
      return x
    norm = settings.normalize('norm_start')
    if flat:
      x = norm(x.reshape(x.shape[0], -1), info).reshape(x.shape)
    else:
      x = norm(x, info)
    return nn.relu(x)


class Discriminator(plain.Discriminator):
  """Pyramid of the shown sizes -> Verdict, through convolutions."""
  arch: Architecture

  def features(self, images: Pyramid, info: PassInfo) -> jax.Array:
    """Pyramid -> the last maps [B, H, W, C], or their sums [B, C]."""
    arch, settings = self.arch, self.settings
    x, size = images[-1], self.shown[-1]
    for i, (kernel, stride, width) in enumerate(arch.d_layers):
      normed = i > 0 or arch.first_norm
      size //= stride
      joins = stride == 2 and size in self.shown
      path = phi.path_width(self.phi, width, size, self.shown if joins else ())
      x = plain.Conv(
          settings, path, kernel, stride, name=f'conv_{i}',
          bias=settings.before_batch_norm if normed else 'yes')(x)
      if normed:
        x = settings.normalize(f'norm_{i}', conditional=False)(x, info)
      x = nn.leaky_relu(x, arch.slope)
      if arch.dropout:
        x = nn.Dropout(arch.dropout, deterministic=not info.train)(x)
      if joins:
        x = phi.join_image(self.phi, settings, width, self.shown, images, x)
    if arch.readout == 'sum':
      x = x.sum((1, 2), dtype=jnp.float32)
    return x


# No biases, and norms whose gains begin at N(1, .02): DCGAN and WGAN in Lua and
# PyTorch.
_TORCH = plain.LayerSettings(use_bias=False, gain_std=.02)
_WIDENING = ((3, 1, 64), (4, 2, 128), (3, 1, 128), (4, 2, 256), (3, 1, 256),
             (4, 2, 512), (3, 1, 512))
_NOT_WIDENING = ((3, 1, 64), (4, 2, 64), (3, 1, 128), (4, 2, 128), (3, 1, 256),
                 (4, 2, 256), (3, 1, 512))

ARCHITECTURES = {
    # A small DCGAN for 32 px: 4x4 kernels, biases as in the PyTorch DCGANs.
    'dcgan_32': Architecture(
        (512, 256, 128), ((4, 2, 64), (4, 2, 128), (4, 2, 256)),
        settings=_TORCH),
    # WassersteinGAN's main.py and dcgan.torch.
    'dcgan_64': Architecture(
        (512, 256, 128, 64), ((4, 2, 64), (4, 2, 128), (4, 2, 256),
                              (4, 2, 512)), settings=_TORCH),
    # Radford et al. 2016 (arXiv:1511.06434), fig. 1, and D of its code, which
    # has no biases at all.
    'dcgan': Architecture(
        (1024, 512, 256, 128),
        ((5, 2, 128), (5, 2, 256), (5, 2, 512), (5, 2, 1024)), kernel=5,
        start='flat', settings=plain.LayerSettings(
            use_bias=False, gain_std=.02, epsilon=1e-8)),
    # compare_gan, dcgan_architecture.py.
    'dcgan_compare_gan': Architecture(
        (512, 256, 128, 64),
        ((5, 2, 64), (5, 2, 128), (5, 2, 256), (5, 2, 512)), kernel=5,
        unit_range=True, settings=plain.LayerSettings(law='truncated')),
    # Gulrajani et al. 2017, gan_cifar.py.
    'dcgan_wgan_gp': Architecture(
        (512, 256, 128), ((5, 2, 128), (5, 2, 256), (5, 2, 512)), kernel=5,
        start='flat', settings=plain.LayerSettings(
            deviation='wgan_gp', law='uniform')),
    # Odena et al. 2017 (arXiv:1610.09585), appendix, for CIFAR-10.
    'acgan': Architecture(
        (192, 96, 48), ((3, 2, 16), (3, 1, 32), (3, 2, 64), (3, 1, 128),
                        (3, 2, 256), (3, 1, 512)), kernel=5, hidden=384,
        dropout=.5, settings=plain.LayerSettings(dead_bias=False)),
    # Kurach et al. 2019 (arXiv:1807.04720), table 2: strides widen.
    'sndcgan': Architecture(
        (512, 256, 128, 64), _WIDENING, g_last='conv', slope=.1, start='flat',
        settings=plain.LayerSettings(epsilon=2e-5)),
    # Miyato et al. 2018 (arXiv:1802.05957), table 3: they do not.
    'sngan_cnn': Architecture(
        (512, 256, 128, 64), _NOT_WIDENING, g_last='conv', slope=.1,
        start='linear'),
    # PyTorch-StudioGAN, deep_conv.py: sums over pixels, norms every layer. As
    # its configs run it, with networks.d_slope 0 and networks.norm_epsilon
    # 1e-4; its presets have both.
    'dcgan_studiogan': Architecture(
        (512, 256, 128, 64), _NOT_WIDENING, g_last='conv', slope=.1,
        first_norm=True, start='linear', readout='sum'),
}
