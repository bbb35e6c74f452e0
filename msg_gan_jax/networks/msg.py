"""MSG-ProGAN: ProGAN's blocks, with an image between G and D at every level.

Source: Karnewar & Wang 2020 (arXiv:1903.06048), tables 6 and 7; `bmsg`
switches to what the popular akanimax/BMSG-GAN does instead.
"""
from typing import NamedTuple

from flax import linen as nn

from msg_gan_jax import pyramid
from msg_gan_jax.networks import combine, layers, plain
from msg_gan_jax.state import NOTHING


class Shape(NamedTuple):
  """What G and D must agree on.

  Attributes:
    ladder: every height from the coarsest, 4 px where the resolution is a
      power of two, to the resolution.
    shown: those at which G shows an image to D, the finest among them.
    image: (height, width, channels) of the finest image.
    fmap_max, fmap_base: a level of r pixels has min(fmap_max,
      2 fmap_base / r) feature maps.
  """
  ladder: tuple[int, ...]
  shown: tuple[int, ...]
  image: tuple[int, int, int]
  fmap_max: int
  fmap_base: int

  def grid(self):
    """(height, width) of the coarsest level."""
    return pyramid.shapes(self.ladder[:1], self.image)[0][:2]

  def width(self, size):
    """Feature maps of the level of `size` pixels."""
    return max(1, min(self.fmap_max, 2 * self.fmap_base // size))


class Generator(nn.Module):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  A block at the coarsest level, then upsample and two 3x3 convolutions a
  level; pixel norm after each but the very first; a linear 1x1 convolution to
  each image.

  Attributes:
    shape: see Shape.
    bmsg: BMSG-GAN's gains: sqrt(2) for the image layers too (ProGAN: 1), and
      a first layer scaled by its latent inputs alone (ProGAN: as many times
      more as it has output pixels, as if it were a 4x4 convolution).
  """
  shape: Shape
  bmsg: bool = False

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    del condition, train
    images = []
    h, w = self.shape.grid()
    for size in self.shape.ladder:
      width = self.shape.width(size)
      if size == h:
        first = layers.EqualDense(
            width, grid=(h, w), name=f'block_{h}_conv_1',
            fan_in=z.shape[-1] * (1 if self.bmsg else h * w))
        x = layers.leaky_relu(first(z))
      else:
        x = layers.EqualConv(
            width, upsample=True, name=f'block_{size}_conv_1')(x)
        x = layers.pixel_norm(layers.leaky_relu(x))
      x = layers.EqualConv(width, name=f'block_{size}_conv_2')(x)
      x = layers.pixel_norm(layers.leaky_relu(x))
      if size in self.shape.shown:
        gain = layers.HE if self.bmsg else 1.
        images.append(layers.EqualConv(
            self.shape.image[-1], size=1, gain=gain, name=f'rgb_{size}')(x))
    return tuple(images)


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict.

  From the finest level down: φ joins the level's image to the path, then the
  minibatch standard deviation, two 3x3 convolutions, and a 2x2 mean. The
  coarsest level ends in a dense layer and the score.

  Attributes:
    shape: see Shape.
    phi: a row of PHI.
    stddev: 'every' level (the paper), 'last' (ProGAN, BMSG-GAN), 'none'.
    stddev_group: see layers.minibatch_stddev.
    bmsg: BMSG-GAN's choices: no leaky ReLU after the first 1x1 convolution,
      and gain sqrt(2) for the score (ProGAN: 1).
    head: from features to Verdict.
  """
  shape: Shape
  phi: str = 'simple'
  stddev: str = 'every'
  stddev_group: int = 4
  bmsg: bool = False
  head: plain.Head = plain.Head()

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    del train
    pyramid.check(images, self.shape.shown)
    by_size = dict(zip(self.shape.shown, images, strict=True))
    base, top, x = self.shape.ladder[0], self.shape.ladder[-1], None
    for size in reversed(self.shape.ladder):
      width = self.shape.width(size)
      if size == top:
        parts = self.from_rgb(images[-1], width)
      elif size in by_size:
        seen = tuple(by_size[s] for s in self.shape.shown if s >= size)
        parts = combine.Join(self.phi, width, name=f'join_{size}')(seen, x)
      else:
        parts = (x,)
      if self.stddev == 'every' or (self.stddev == 'last' and size == base):
        parts = (layers.minibatch_stddev(
            layers.join(parts), self.stddev_group),)
      x = layers.EqualConv(width, name=f'block_{size}_conv_1')(*parts)
      x = layers.leaky_relu(x)
      if size > base:
        x = layers.EqualConv(
            self.path_width(size // 2), name=f'block_{size}_conv_2')(x)
        x = pyramid.down(layers.leaky_relu(x))
    x = layers.EqualDense(
        self.shape.width(base), name=f'block_{base}_conv_2')(x)
    gain = layers.HE if self.bmsg else 1.
    return self.head(
        layers.leaky_relu(x), condition.labels,
        lambda features, name, use_bias: layers.EqualDense(
            features, gain=gain, use_bias=use_bias, name=name))

  def from_rgb(self, image, width):
    """The first layer: ProGAN's has a leaky ReLU, BMSG-GAN's has none."""
    if self.bmsg:
      return (layers.EqualMix(width, name='from_rgb')(image),)
    return (layers.leaky_relu(
        layers.EqualConv(width, size=1, name='from_rgb')(image)),)

  def path_width(self, size):
    """Channels that the block above gives to the level of `size` pixels."""
    width = self.shape.width(size)
    if size in self.shape.shown:
      return combine.PHI[self.phi].path(width)
    return width
