"""φ: how D joins the image of a level to what comes from the finer levels.

D goes from the finest image down. At 8 px, for example, it has two things: the
features that it computed from the finer levels (the path), and the image of
8 px. φ says how the two become the input of the next layer; the simplest one
puts the three channels of the image beside those of the path.

Each φ(x1, x2) below is that of Karnewar & Wang 2020 (arXiv:1903.06048), eq. 8
to 11, where x1 is the image (there o_k), x2 the path (a'_(j-1)), r' a 1x1
convolution, and [x1; x2] the concatenation of channels.
"""
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import layers, plain
from msg_gan_jax.gan.networks.layers import Part
from msg_gan_jax.gan.pyramid import Pyramid


class Conv1x1(Protocol):
  """r': makes a 1x1 convolution of the network's own kind.

  Args:
    features: output channels.
    use_bias: whether it has a bias.
    is_part: whether it may be folded into the next layer.

  Returns:
    A function of parts, which it sees side by side; with `is_part` of one.
  """

  def __call__(self, features: int, use_bias: bool = True,
               is_part: bool = False) -> Callable[..., Any]:
    ...


class JoinParts(Protocol):
  """Images and path of a level -> parts for its first layer.

  Args:
    images: the levels from this one to the finest, [B, H_i, W_i, C] each.
    path: [B, H, W, C'] of this level's size.
    width: the number of feature maps of this level.
    r: r'.
  """

  def __call__(self, images: Pyramid, path: jax.Array, width: int,
               r: Conv1x1, /) -> tuple[Part, ...]:
    ...


class Phi(NamedTuple):
  """Two pure functions.

  Attributes:
    path: width of a level -> channels that the block before gives to its path.
    join: see JoinParts.
  """
  path: Callable[[int], int]
  join: JoinParts


def simple(images: Pyramid, path: jax.Array, width: int,
           r: Conv1x1) -> tuple[Part, ...]:
  """φ_simple(x1, x2) = [x1; x2].

  Source: Karnewar & Wang 2020 (arXiv:1903.06048); its best for MSG-ProGAN.
  """
  del width, r
  return images[0], path


def lin_cat(images: Pyramid, path: jax.Array, width: int,
            r: Conv1x1) -> tuple[Part, ...]:
  """φ_lin_cat(x1, x2) = [r'(x1); x2].

  Both have half of the level's feature maps.

  Source: Karnewar & Wang 2020, supplement 6.1; BMSG-GAN.
  """
  return r(width - path.shape[-1], is_part=True)(images[0]), path


def cat_lin(images: Pyramid, path: jax.Array, width: int,
            r: Conv1x1) -> tuple[Part, ...]:
  """φ_cat_lin(x1, x2) = r'([x1; x2]).

  It gives as many channels as the level has feature maps. The path comes first,
  and r' has no bias and no activation, as in the authors' msg-stylegan-tf.

  Source: Karnewar & Wang 2020; its best for MSG-StyleGAN.
  """
  return (r(width, use_bias=False)(path, images[0]),)


def adain(images: Pyramid, path: jax.Array, width: int,
          r: Conv1x1) -> tuple[Part, ...]:
  """φ_adain(x1, x2) = (1 + s(x1)) (x2 - mean(x2)) / std(x2) + b(x1).

  The image sets scale s and shift b of the path, at every pixel: [s; b] =
  r'(x1). Mean and deviation are those of each channel of each sample over its
  pixels. Like the norms, it is computed in float32.

  Source: Karnewar & Wang 2020, sec. 6, names it as future work; the form is
  Huang & Belongie 2017 (arXiv:1703.06868), eq. 8, with the style as a map.
  """
  del width
  style = r(2 * path.shape[-1])(images[0])
  scale, shift = jnp.split(style.astype(jnp.float32), 2, -1)
  x = path.astype(jnp.float32)
  x = x - layers.statistic(x.mean((1, 2), keepdims=True))
  x = x * layers.statistic(
      lax.rsqrt(jnp.mean(x * x, (1, 2), keepdims=True) + 1e-8))
  return (((1 + scale) * x + shift).astype(path.dtype),)


def dense(images: Pyramid, path: jax.Array, width: int,
          r: Conv1x1) -> tuple[Part, ...]:
  """φ_dense = [image; every finer image, pooled to its size; path].

  Source: Karnewar & Wang 2020, sec. 6, names dense connections as future work.
  """
  del width, r
  size = images[0].shape[1]
  pooled: list[Any] = [
      pyramid.down(x, x.shape[1] // size) for x in images]
  return *pooled, path


def _half(width):
  """Half as many maps as the level has; the image's r' gives the other half.

  Source: Karnewar & Wang 2020, supplement 6.1; BMSG-GAN.
  """
  return width - width // 2


def _whole(width):
  """As many maps as the level has.

  Source: Karnewar & Wang 2020, supplement 6.1.
  """
  return width


class Join(nn.Module):
  """φ as a module, so that its parameters have a name.

  Attributes:
    phi: a row of PHI.
    width: feature maps of this level.
    settings: of plain layers; None for equalized ones.
  """
  phi: str
  width: int
  settings: plain.LayerSettings | None = None

  @nn.compact
  def __call__(self, images: Pyramid,
               path: jax.Array) -> tuple[Part, ...]:
    return PHI[self.phi].join(images, path, self.width, self.r)

  def r(self, features: int, use_bias: bool = True,
        is_part: bool = False) -> Callable[..., Any]:
    """See Conv1x1."""
    if self.settings is None:
      if is_part:
        return layers.LazyEqualConv1x1(features, name='phi')
      return layers.EqualConv(
          features, size=1, use_bias=use_bias, name='phi')
    conv = plain.Conv(self.settings, features, size=1, name='phi',
                      bias='yes' if use_bias else 'none')
    return lambda *parts: conv(layers.concat(parts))


def join_image(phi: str, settings: plain.LayerSettings | None, width: int,
               shown: Sequence[int], images: Pyramid,
               x: jax.Array) -> jax.Array:
  """The path x with the image of its size, where D is shown one.

  Args:
    phi: a row of PHI.
    settings: of plain layers; None makes equalized ones.
    width: feature maps of this level; the path has `path_width` of them.
    shown: heights of `images`, coarse to fine.
    images: the pyramid.
    x: [B, H, W, C], below the finest level.
  """
  size = x.shape[1]
  if size not in shown:
    return x
  return layers.concat(Join(phi, width, settings, name=f'join_{size}')(
      images[shown.index(size):], x))


def path_width(phi: str, width: int, size: int, shown: Sequence[int]) -> int:
  """Channels that the block before gives to a level.

  Args:
    phi: a row of PHI.
    width: feature maps of the level.
    size: its height.
    shown: heights of the images that D sees.
  """
  return PHI[phi].path(width) if size in shown else width


PHI: Table[Phi] = Table('config.networks.phi', 'φ', {
    'simple': Phi(_whole, simple),
    'lin_cat': Phi(_half, lin_cat),
    'cat_lin': Phi(_whole, cat_lin),
    'adain': Phi(_whole, adain),
    'dense': Phi(_whole, dense),
})
