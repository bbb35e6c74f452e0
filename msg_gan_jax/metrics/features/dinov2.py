"""DINOv2's vision transformers, in whose features FD-DINOv2 is measured.

Stein et al. 2023 (arXiv:2306.04675) find that distances in them follow what
people see where Inception's do not. Their code, dgm-eval, takes ViT-L/14, the
normalized class token (1024 numbers), of images at 224 pixels: resized by
Pillow's bicubic in uint8 unless --clean_resize asks for float (which is
RESIZES['pil_bicubic']), then normalized by ImageNet's constants (`normalize`).

Weights: the official dinov2_vit{s,b,l}14_pretrain.pth. The network follows
dinov2/models/vision_transformer.py of facebookresearch/dinov2 (commit b8931f7).
"""
from collections.abc import Mapping
import math
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.metrics.features.resizes import cubic
from msg_gan_jax.metrics.features.state_dict import StateDict

SIDE = 224  # Pixels; 16 x 16 patches of 14.
# ImageNet's, of values in 0..1: RGB.
MEAN, DEVIATION = (.485, .456, .406), (.229, .224, .225)
_HEAD = 64  # Channels of an attention head, in every size.
_EPSILON = 1e-6  # Of the layer norms.
_OFFSET = .1  # Added to the grid wanted when the embedding is resized.


class DINOv2(nn.Module):
  """The class token after the last norm, 'x_norm_clstoken'.

  Attributes:
    width: of tokens: 384 (S), 768 (B), 1024 (L).
    depth: blocks: 12, 12, 24.
    heads: of attention: 6, 12, 16.
    trained: side of the grid of the position embedding; 37 is 518 pixels.
    patch: pixels.
    hidden: of the two-layer networks.
    precision: of products, as Inception's.
  """
  width: int
  depth: int
  heads: int
  trained: int = 37
  patch: int = 14
  hidden: int = 0
  precision: str = 'highest'

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, 3], as `normalize` gives them -> float32 [B, width].

    Raises:
      ValueError: a side is not a multiple of the patch.
    """
    if x.shape[1] % self.patch or x.shape[2] % self.patch:
      raise ValueError(
          f'DINOv2: wanted sides of a multiple of {self.patch} pixels, such '
          f'as 224; found {x.shape[1]} x {x.shape[2]}.')
    zeros = nn.initializers.zeros
    x = nn.Conv(self.width, (self.patch,) * 2, self.patch, 'VALID',
                precision=self.precision, name='patch_embed')(
                    jnp.asarray(x, jnp.float32))
    cls = self.param('cls_token', zeros, (self.width,))
    cls_place = self.param('cls_place', zeros, (self.width,))
    places = self.param(
        'places', zeros, (self.trained, self.trained, self.width))
    x = x + _resized(places, *x.shape[1:3])
    x = x.reshape(len(x), -1, self.width)
    first = jnp.broadcast_to(cls + cls_place, (len(x), 1, self.width))
    x = jnp.concatenate([first, x], 1)
    blocks = nn.scan(
        _Block, variable_axes={'params': 0}, split_rngs={'params': True},
        length=self.depth)
    x, _ = blocks(self.heads, self.hidden or 4 * self.width, self.precision,
                  name='blocks')(x, None)
    return nn.LayerNorm(epsilon=_EPSILON, name='norm')(x[:, 0])


class _Block(nn.Module):
  """Attention, then a network of two layers, each scaled by channel."""
  heads: int
  hidden: int
  precision: str

  @nn.compact
  def __call__(self, x, _):
    width = x.shape[-1]

    def dense(name, size, x):
      return nn.Dense(size, precision=self.precision, name=name)(x)

    def scaled(name, x):
      return x * self.param(name, nn.initializers.ones, (width,))

    y = nn.LayerNorm(epsilon=_EPSILON, name='norm1')(x)
    y = dense('qkv', 3 * width, y)
    q, k, v = jnp.moveaxis(
        y.reshape(*y.shape[:2], 3, self.heads, width // self.heads), 2, 0)
    q = q * (width // self.heads)**-.5
    weights = jax.nn.softmax(
        jnp.einsum('bnhd,bmhd->bhnm', q, k, precision=self.precision))
    y = jnp.einsum('bhnm,bmhd->bnhd', weights, v, precision=self.precision)
    x = x + scaled('scale1', dense('proj', width, y.reshape(x.shape)))
    y = nn.LayerNorm(epsilon=_EPSILON, name='norm2')(x)
    y = nn.gelu(dense('fc1', self.hidden, y), approximate=False)
    return x + scaled('scale2', dense('fc2', width, y)), None


def _resized(places, height, width):
  """The position embedding [N, N, D] for another grid: [height, width, D]."""
  if places.shape[:2] == (height, width):
    return places
  highest = jax.lax.Precision.HIGHEST
  return jnp.einsum(
      'ym,xn,mnd->yxd', _bicubic(len(places), height),
      _bicubic(len(places), width), places, precision=highest)


def _bicubic(n_in, n_out):
  """float32 [n_out, n_in]: the cubic with a = -3/4, edges repeated.

  Without an antialias, and by the scale (n_out + .1) / n_in, where the code of
  DINOv2 was trained with it: torch's interpolate takes steps of its inverse.
  """
  scale = n_in / (n_out + _OFFSET)
  matrix = np.zeros((n_out, n_in))
  for i, row in enumerate(matrix):
    at = (i + .5) * scale - .5
    for place in range(math.floor(at) - 1, math.floor(at) + 3):
      row[min(max(place, 0), n_in - 1)] += cubic(at - place, -.75)
  return matrix.astype(np.float32)


def normalize(images: jax.Array) -> jax.Array:
  """[..., 3] of 0..255 -> what DINOv2 was trained on."""
  mean, deviation = (
      np.float32(255) * np.array(x, np.float32) for x in (MEAN, DEVIATION))
  return (jnp.asarray(images, jnp.float32) - mean) / deviation


def network(params: Mapping[str, Any]) -> DINOv2:
  """The DINOv2 that params belong to."""
  patch, _, _, width = params['patch_embed']['kernel'].shape
  depth, _, hidden = params['blocks']['fc1']['kernel'].shape
  return DINOv2(
      width, depth, max(width // _HEAD, 1), len(params['places']), patch,
      hidden)


def from_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """The official state dict -> params; the size is read off the shapes.

  Args:
    tensors: {name: array}: 'cls_token', 'pos_embed', 'patch_embed.proj.*',
      'blocks.N.*', 'norm.*'; 'mask_token' is not needed.

  Returns:
    Params of `network(params)`; blocks are stacked along the first axis.

  Raises:
    ValueError: a tensor is missing or has another shape; registers, or the
      gated network of ViT-g: wanted S, B or L without registers.
  """
  if 'register_tokens' in tensors or 'blocks.0.mlp.w12.weight' in tensors:
    raise ValueError(
        'DINOv2: a network with registers, or ViT-g; wanted '
        'dinov2_vits14_pretrain.pth, or b or l instead of s.')
  find = StateDict(
      tensors, 'DINOv2', 'an official dinov2_vits14_pretrain.pth, or b or l '
      'instead of s')
  kernel = find('patch_embed.proj.weight', (None, 3, None, None))
  width, _, patch, _ = kernel.shape
  places = find('pos_embed', (1, None, width))[0]
  side = math.isqrt(len(places) - 1)
  if side**2 != len(places) - 1 or kernel.shape[3] != patch:
    raise ValueError(
        f'DINOv2: {len(places)} places and patches of {kernel.shape[2:]}; '
        'wanted one place and a square, and square patches.')
  depth = 0
  while f'blocks.{depth}.norm1.weight' in tensors:
    depth += 1
  hidden = len(find('blocks.0.mlp.fc1.bias', (None,)))
  blocks = [_block(find, f'blocks.{i}', width, hidden) for i in range(depth)]
  return {
      'patch_embed': {
          'kernel': kernel.transpose(2, 3, 1, 0),
          'bias': find('patch_embed.proj.bias', (width,))},
      'cls_token': find('cls_token', (1, 1, width))[0, 0],
      'cls_place': places[0],
      'places': places[1:].reshape(side, side, width),
      'blocks': jax.tree.map(lambda *leaves: np.stack(leaves), *blocks),
      'norm': find.norm('norm', width)}


def _block(find, name, width, hidden):
  return {
      'norm1': find.norm(f'{name}.norm1', width),
      'norm2': find.norm(f'{name}.norm2', width),
      'qkv': find.dense(f'{name}.attn.qkv', width, 3 * width),
      'proj': find.dense(f'{name}.attn.proj', width, width),
      'fc1': find.dense(f'{name}.mlp.fc1', width, hidden),
      'fc2': find.dense(f'{name}.mlp.fc2', hidden, width),
      'scale1': find(f'{name}.ls1.gamma', (width,)),
      'scale2': find(f'{name}.ls2.gamma', (width,))}
