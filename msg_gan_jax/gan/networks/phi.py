"""φ: how D joins the image of a level to what comes from the finer levels.

Notation of Karnewar & Wang 2020 (arXiv:1903.06048), eq. 8 to 11: x1 is the
image o_k, x2 the path a'_(j-1), r' a 1x1 convolution, [;] concatenation of
channels.
"""
from typing import Any, NamedTuple

from flax import linen as nn
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import layers, plain


class Phi(NamedTuple):
  """Two pure functions.

  Attributes:
    path: width -> channels that the block before gives to its path.
    join: (images, path, width, r) -> parts for the next layer. `images` are
      the levels from this one to the finest, [B, H_i, W_i, C] each; `width` is
      the number of feature maps of this level. `r(features)` is r', of the
      network's own layers: a function of parts, which it sees side by side.
  """
  path: Any
  join: Any


def simple(images, path, width, r):
  """φ_simple(x1, x2) = [x1; x2]; the paper's best for MSG-ProGAN."""
  del width, r
  return images[0], path


def lin_cat(images, path, width, r):
  """φ_lin_cat(x1, x2) = [r'(x1); x2].

  Both have half of the level's feature maps (supplement 6.1; BMSG-GAN).
  """
  return r(width - path.shape[-1], is_part=True)(images[0]), path


def cat_lin(images, path, width, r):
  """φ_cat_lin(x1, x2) = r'([x1; x2]); the paper's best for MSG-StyleGAN.

  As many channels as the level has feature maps, path first, without bias
  or activation: the authors' msg-stylegan-tf.
  """
  return (r(width, use_bias=False)(path, images[0]),)


def adain(images, path, width, r):
  """φ_adain(x1, x2) = (1 + s(x1)) (x2 - mean(x2)) / std(x2) + b(x1).

  Mean and deviation are those of each channel of each sample over its pixels;
  [s; b] = r'(x1). The paper names it as future work (sec. 6); the form is
  Huang & Belongie 2017 (arXiv:1703.06868), eq. 8, with the style as a map. As
  the norms, it is computed in float32.
  """
  del width
  style = r(2 * path.shape[-1])(images[0])
  scale, shift = jnp.split(style.astype(jnp.float32), 2, -1)
  x = path.astype(jnp.float32)
  x = x - x.mean((1, 2), keepdims=True)
  x = x * lax.rsqrt(jnp.mean(x * x, (1, 2), keepdims=True) + 1e-8)
  return (((1 + scale) * x + shift).astype(path.dtype),)


def dense(images, path, width, r):
  """φ_dense(x1, x2) = [x1; down(o_(k+1)); down(down(o_(k+2))); ...; x2].

  Every level also sees all finer images, pooled to its size: the dense
  connections that the paper names as future work (sec. 6).
  """
  del width, r
  size = images[0].shape[1]
  return *(pyramid.down(x, x.shape[1] // size) for x in images), path


def _half(width):
  return width - width // 2


def _whole(width):
  return width


PHI = tables.Table('config.networks.phi', 'φ', {
    'simple': Phi(_whole, simple),
    'lin_cat': Phi(_half, lin_cat),
    'cat_lin': Phi(_whole, cat_lin),
    'adain': Phi(_whole, adain),
    'dense': Phi(_whole, dense),
})


class Join(nn.Module):
  """φ as a module, so that its parameters have a name.

  Attributes:
    phi: a row of PHI.
    width: feature maps of this level.
    kit: of plain layers; None for equalized ones.
  """
  phi: str
  width: int
  kit: plain.Kit | None = None

  @nn.compact
  def __call__(self, images, path):
    return PHI[self.phi].join(images, path, self.width, self.r)

  def r(self, features, use_bias=True, is_part=False):
    """r': a 1x1 convolution of parts; `is_part` may be folded into the next."""
    if self.kit is None:
      if is_part:
        return layers.EqualMix(features, name='phi')
      return layers.EqualConv(
          features, size=1, use_bias=use_bias, name='phi')
    conv = plain.Conv(self.kit, features, size=1, name='phi',
                      bias='yes' if use_bias else 'none')
    return lambda *parts: conv(layers.join(parts))


def joined(phi, kit, width, shown, images, x):
  """The path x with the image of its size, where D is shown one.

  Args:
    phi: a row of PHI.
    kit: of plain layers.
    width: feature maps of this level; the path has PHI[phi].path(width) of
      them where an image joins it.
    shown: heights of `images`, coarse to fine.
    images: the pyramid.
    x: [B, H, W, C], below the finest level.
  """
  size = x.shape[1]
  if size not in shown:
    return x
  seen = images[shown.index(size):]
  return layers.join(Join(phi, width, kit, name=f'join_{size}')(seen, x))
