"""DINOv2's transformer, against numpy in small."""
import math

import jax
import numpy as np
import pytest

from msg_gan_jax.metrics.features import dinov2

WIDTH, HEADS, DEPTH, SIDE, PATCH = 128, 2, 2, 3, 4


@pytest.fixture(scope='module')
def tensors():
  rng = np.random.default_rng(0)
  shapes = {
      'cls_token': (1, 1, WIDTH), 'mask_token': (1, WIDTH),
      'pos_embed': (1, 1 + SIDE**2, WIDTH),
      'patch_embed.proj.weight': (WIDTH, 3, PATCH, PATCH),
      'patch_embed.proj.bias': (WIDTH,),
      'norm.weight': (WIDTH,), 'norm.bias': (WIDTH,)}
  for i in range(DEPTH):
    shapes |= {f'blocks.{i}.{name}': shape for name, shape in {
        'norm1.weight': (WIDTH,), 'norm1.bias': (WIDTH,),
        'attn.qkv.weight': (3 * WIDTH, WIDTH), 'attn.qkv.bias': (3 * WIDTH,),
        'attn.proj.weight': (WIDTH, WIDTH), 'attn.proj.bias': (WIDTH,),
        'ls1.gamma': (WIDTH,), 'norm2.weight': (WIDTH,),
        'norm2.bias': (WIDTH,), 'mlp.fc1.weight': (4 * WIDTH, WIDTH),
        'mlp.fc1.bias': (4 * WIDTH,), 'mlp.fc2.weight': (WIDTH, 4 * WIDTH),
        'mlp.fc2.bias': (WIDTH,), 'ls2.gamma': (WIDTH,)}.items()}
  return {name: (rng.standard_normal(shape) / (
      math.sqrt(shape[1]) if len(shape) == 2 else 2)).astype(np.float32)
          for name, shape in shapes.items()}


def norm(x, tensors, name):
  x = (x - x.mean(-1, keepdims=True)) / np.sqrt(
      x.var(-1, keepdims=True) + 1e-6)
  return x * tensors[f'{name}.weight'] + tensors[f'{name}.bias']


def dense(x, tensors, name):
  return x @ tensors[f'{name}.weight'].T + tensors[f'{name}.bias']


def reference(tensors, x, places):
  """[B, 3, H, W], [N, D] -> x_norm_clstoken, in float64."""
  b, _, h, w = x.shape
  x = x.reshape(b, 3, h // PATCH, PATCH, w // PATCH, PATCH)
  x = np.einsum('bcypxq,dcpq->byxd', x.astype(np.float64),
                tensors['patch_embed.proj.weight']).reshape(b, -1, WIDTH)
  x = x + tensors['patch_embed.proj.bias']
  cls = np.broadcast_to(tensors['cls_token'], (b, 1, WIDTH))
  x = np.concatenate([cls, x], 1) + places
  gelu = np.vectorize(lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2)
  for i in range(DEPTH):
    block = {k.removeprefix(f'blocks.{i}.'): v for k, v in tensors.items()}
    y = dense(norm(x, block, 'norm1'), block, 'attn.qkv')
    q, k, v = y.reshape(b, -1, 3, HEADS, WIDTH // HEADS).transpose(
        2, 0, 3, 1, 4)
    weights = np.exp(q @ k.swapaxes(-1, -2) / math.sqrt(WIDTH // HEADS))
    y = weights / weights.sum(-1, keepdims=True) @ v
    y = dense(y.transpose(0, 2, 1, 3).reshape(x.shape), block, 'attn.proj')
    x = x + block['ls1.gamma'] * y
    y = gelu(dense(norm(x, block, 'norm2'), block, 'mlp.fc1'))
    x = x + block['ls2.gamma'] * dense(y, block, 'mlp.fc2')
  return norm(x, tensors, 'norm')[:, 0]


def test_the_class_token_is_the_transformers(tensors):
  x = np.random.default_rng(1).standard_normal(
      (2, SIDE * PATCH, SIDE * PATCH, 3)).astype(np.float32)
  params = dinov2.from_tensors(tensors)
  network = dinov2.network(params)
  assert (network.width, network.heads, network.depth) == (WIDTH, HEADS, DEPTH)
  got = jax.jit(lambda p, x: network.apply({'params': p}, x))(params, x)
  wanted = reference(
      tensors, x.transpose(0, 3, 1, 2), tensors['pos_embed'][0])
  assert wanted.std() > .1
  np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_places_are_resized_as_torch_does_it():
  """Bicubic, a = -3/4, by the scale (n + .1) / n_in, edges repeated.

  Values of torch 2.14.1, float64, of interpolate(arange(5.)**2 as a column,
  scale_factor=(3.1 / 5, 1.1), mode='bicubic').
  """
  got = dinov2._bicubic(5, 3) @ np.arange(5.)**2
  np.testing.assert_allclose(got, [.13933424, 3.5535774, 13.190598], rtol=1e-5)
  np.testing.assert_allclose(dinov2._bicubic(37, 16).sum(1), 1, atol=1e-6)


def test_sizes_are_read_off_the_shapes(tensors):
  params = dinov2.from_tensors(tensors)
  assert params['places'].shape == (SIDE, SIDE, WIDTH)
  assert params['blocks']['qkv']['kernel'].shape == (DEPTH, WIDTH, 3 * WIDTH)
  np.testing.assert_array_equal(
      params['blocks']['fc1']['kernel'][1],
      tensors['blocks.1.mlp.fc1.weight'].T)


def test_a_wrong_state_dict_or_size_is_refused(tensors):
  with pytest.raises(ValueError, match='with registers, or ViT-g'):
    dinov2.from_tensors(tensors | {'register_tokens': np.zeros(1)})
  less = {k: v for k, v in tensors.items() if k != 'blocks.1.ls2.gamma'}
  with pytest.raises(ValueError, match="no tensor 'blocks.1.ls2.gamma'"):
    dinov2.from_tensors(less)
  bad = tensors | {'norm.bias': np.zeros(7)}
  with pytest.raises(ValueError, match=r'norm.bias has the shape \[7\]; wanted '
                     rf'\[{WIDTH}\]'):
    dinov2.from_tensors(bad)
  params = dinov2.from_tensors(tensors)
  with pytest.raises(ValueError, match='a multiple of 4 pixels.*13 x 12'):
    dinov2.network(params).apply({'params': params}, np.zeros((1, 13, 12, 3)))
