"""The Inception of 2015-12-05 that FID is defined by, as fast as it goes.

Not the published Inception v3: 1008 classes, average pools that leave padding
out, and a max pool in the last block. Batch norm is folded into the kernels
when weights are loaded; 1x1 convolutions of one input are one product; and a
pool's average is taken after its 1x1 convolution, which is equal and narrower.

Sources: torch-fidelity's feature_extractor_inceptionv3.py and pytorch-fid's
inception.py, two ports of the graph; both read the weights
pt_inception-2015-12-05-6726825d.pth, under the same names.
"""
from collections.abc import Mapping
from typing import Any, NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.metrics.features.state_dict import StateDict

SIDE = 299  # Pixels that the network was made for.
TAPS = ('64', '192', '768', '2048', 'logits', 'logits_unbiased')
_BN_EPSILON = 1e-3


class Inception(nn.Module):
  """Features and logits; what is not asked for, XLA leaves out under jit.

  Args:
    precision: of convolutions and products. 'highest' is float32 everywhere;
      TPUs and GPUs otherwise round to bfloat16 or TF32, which moves features
      by a thousandth, and a distance of two close sets with them.
  """
  precision: str = 'highest'

  @nn.compact
  def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
    """Images -> {tap: float32 [B, d]}.

    Args:
      x: [B, 299, 299, 3], about -1 to 1: torch-fidelity's (v - 128) / 128, or
        pytorch-fid's 2v / 255 - 1, of values v in 0..255.

    Returns:
      '64', '192', '768', '2048': means over the image after the first and
      second pool, the last 17 x 17 block, and the end, which is FID's.
      'logits', and 'logits_unbiased' without the bias, as the inception score
      of 2016 has them: [B, 1008].
    """
    def conv(name, x, stride=1, padding='SAME'):
      plan = CONVS[name]
      return nn.Conv(
          sum(plan.parts.values()), plan.window, stride, padding, name=name,
          precision=self.precision)(x)

    def relu(name, *args, **settings):
      return nn.relu(conv(name, *args, **settings))

    taps = {}
    x = jnp.asarray(x, jnp.float32)
    x = relu('Conv2d_1a_3x3', x, 2, 'VALID')
    x = relu('Conv2d_2a_3x3', x, padding='VALID')
    x = relu('Conv2d_2b_3x3', x)
    x = _max_pool(x, 2)
    taps['64'] = _mean(x)
    x = relu('Conv2d_3b_1x1', x)
    x = relu('Conv2d_4a_3x3', x, padding='VALID')
    x = _max_pool(x, 2)
    taps['192'] = _mean(x)
    for block in ('Mixed_5b', 'Mixed_5c', 'Mixed_5d'):
      x = _inception_a(block, x, conv, relu)
    x = _inception_b('Mixed_6a', x, relu)
    for block in ('Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e'):
      x = _inception_c(block, x, conv, relu)
    taps['768'] = _mean(x)
    x = _inception_d('Mixed_7a', x, conv, relu)
    x = _inception_e('Mixed_7b', x, conv, relu)
    x = _inception_e('Mixed_7c', x, conv, relu)
    taps['2048'] = _mean(x)
    kernel = self.param('fc_kernel', nn.initializers.lecun_normal(),
                        (2048, 1008))
    bias = self.param('fc_bias', nn.initializers.zeros, (1008,))
    taps['logits_unbiased'] = jnp.dot(
        taps['2048'], kernel, precision=self.precision)
    taps['logits'] = taps['logits_unbiased'] + bias
    return taps


def _mean(x):
  return x.mean((1, 2))


def _max_pool(x, stride, padding='VALID'):
  return nn.max_pool(x, (3, 3), (stride, stride), padding)


def _average(x):
  """3 x 3 means of what lies inside the image."""
  return nn.avg_pool(x, (3, 3), (1, 1), 'SAME', count_include_pad=False)


def _split(name, x):
  """The outputs of convolutions that are computed as one."""
  ends = np.cumsum(list(CONVS[name].parts.values()))[:-1]
  return jnp.split(x, ends, axis=-1)


def _inception_a(block, x, conv, relu):
  """1x1, 5x5, 3x3 twice, and a mean, side by side. Torchvision's InceptionA."""
  *parts, pool = _split(f'{block}.in', conv(f'{block}.in', x))
  one, five, three = map(nn.relu, parts)
  five = relu(f'{block}.branch5x5_2', five)
  three = relu(f'{block}.branch3x3dbl_2', three)
  three = relu(f'{block}.branch3x3dbl_3', three)
  return jnp.concatenate([one, five, three, nn.relu(_average(pool))], -1)


def _inception_b(block, x, relu):
  """Halves the sides: 3x3, 3x3 twice, and a maximum. InceptionB."""
  three = relu(f'{block}.branch3x3', x, 2, 'VALID')
  double = relu(f'{block}.branch3x3dbl_1', x)
  double = relu(f'{block}.branch3x3dbl_2', double)
  double = relu(f'{block}.branch3x3dbl_3', double, 2, 'VALID')
  return jnp.concatenate([three, double, _max_pool(x, 2)], -1)


def _inception_c(block, x, conv, relu):
  """1x1, 7x7 as a row and a column, that twice, and a mean. InceptionC."""
  *parts, pool = _split(f'{block}.in', conv(f'{block}.in', x))
  one, seven, double = map(nn.relu, parts)
  for i in range(2, 4):
    seven = relu(f'{block}.branch7x7_{i}', seven)
  for i in range(2, 6):
    double = relu(f'{block}.branch7x7dbl_{i}', double)
  return jnp.concatenate([one, seven, double, nn.relu(_average(pool))], -1)


def _inception_d(block, x, conv, relu):
  """Halves the sides: 3x3, 7x7 and then 3x3, and a maximum. InceptionD."""
  three, seven = _split(f'{block}.in', relu(f'{block}.in', x))
  three = relu(f'{block}.branch3x3_2', three, 2, 'VALID')
  for i in range(2, 4):
    seven = relu(f'{block}.branch7x7x3_{i}', seven)
  seven = relu(f'{block}.branch7x7x3_4', seven, 2, 'VALID')
  return jnp.concatenate([three, seven, _max_pool(x, 2)], -1)


def _inception_e(block, x, conv, relu):
  """1x1; 3x3 and 3x3 twice, each ending in a row beside a column; a mean or,
  in the last block, a maximum. InceptionE."""
  parts = _split(f'{block}.in', conv(f'{block}.in', x))
  one, three, double = map(nn.relu, parts[:3])
  if parts[3:]:
    pool = nn.relu(_average(parts[3]))
  else:  # The last block pools by the maximum: the order matters.
    pool = relu(f'{block}.branch_pool', _max_pool(x, 1, 'SAME'))
  double = relu(f'{block}.branch3x3dbl_2', double)
  return jnp.concatenate([
      one, relu(f'{block}.branch3x3_2a', three),
      relu(f'{block}.branch3x3_2b', three),
      relu(f'{block}.branch3x3dbl_3a', double),
      relu(f'{block}.branch3x3dbl_3b', double), pool], -1)


def from_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """A state dict -> params, batch norm folded in.

  Args:
    tensors: {name: array} as pytorch-fid and torch-fidelity name them:
      '<conv>.conv.weight', '<conv>.bn.weight', .bias, .running_mean and
      .running_var, 'fc.weight', 'fc.bias'; others are not looked at.

  Returns:
    {conv: {'kernel': float32 [h, w, in, out], 'bias': [out]}, 'fc_kernel':
    [2048, 1008], 'fc_bias': [1008]}.

  Raises:
    ValueError: a tensor is missing, or has another shape.
  """
  # In float64, so that folding costs no digit.
  find = StateDict(
      tensors, 'Inception', 'the state dict '
      'pt_inception-2015-12-05-6726825d.pth of pytorch-fid', np.float64)
  params: dict[str, Any] = {}
  for name, plan in CONVS.items():
    block, _, _ = name.rpartition('.')
    kernels, biases = [], []
    for part, width in plan.parts.items():
      whole = f'{block}.{part}' if block else part
      kernel, scale, shift, mean, variance = (
          find(f'{whole}.{leaf}', shape) for leaf, shape in (
              ('conv.weight', (width, plan.wide, *plan.window)),
              *((f'bn.{x}', (width,)) for x in (
                  'weight', 'bias', 'running_mean', 'running_var'))))
      scale = scale / np.sqrt(variance + _BN_EPSILON)
      kernels.append(kernel.transpose(2, 3, 1, 0) * scale)
      biases.append(shift - mean * scale)
    params[name] = {
        'kernel': np.concatenate(kernels, -1).astype(np.float32),
        'bias': np.concatenate(biases).astype(np.float32)}
  fc = find.dense('fc', 2048, 1008)
  return params | {
      'fc_kernel': fc['kernel'].astype(np.float32),
      'fc_bias': fc['bias'].astype(np.float32)}


class _Conv(NamedTuple):
  """A convolution, or several of one input side by side.

  Attributes:
    wide: channels that come in.
    parts: {name in the state dict: channels that go out}.
    window: its height and width in pixels.
  """
  wide: int
  parts: dict
  window: tuple = (1, 1)


def _convs(block, together, apart):
  """The convolutions of a block, named as in the state dict.

  Args:
    together: the 1x1s of one input, which are computed as one.
    apart: {name: (channels in, channels out, window)} of the others.
  """
  return {f'{block}.in': together} | {
      f'{block}.{name}': _Conv(wide, {name: out}, window)
      for name, (wide, out, window) in apart.items()}


def _convs_a(block, wide, pool):
  return _convs(block, _Conv(wide, {
      'branch1x1': 64, 'branch5x5_1': 48, 'branch3x3dbl_1': 64,
      'branch_pool': pool}), {
          'branch5x5_2': (48, 64, (5, 5)),
          'branch3x3dbl_2': (64, 96, (3, 3)),
          'branch3x3dbl_3': (96, 96, (3, 3))})


def _convs_c(block, seven):
  return _convs(block, _Conv(768, {
      'branch1x1': 192, 'branch7x7_1': seven, 'branch7x7dbl_1': seven,
      'branch_pool': 192}), {
          'branch7x7_2': (seven, seven, (1, 7)),
          'branch7x7_3': (seven, 192, (7, 1)),
          'branch7x7dbl_2': (seven, seven, (7, 1)),
          'branch7x7dbl_3': (seven, seven, (1, 7)),
          'branch7x7dbl_4': (seven, seven, (7, 1)),
          'branch7x7dbl_5': (seven, 192, (1, 7))})


def _convs_e(block, wide, **pool):
  return _convs(block, _Conv(wide, {
      'branch1x1': 320, 'branch3x3_1': 384, 'branch3x3dbl_1': 448} | pool), {
          'branch3x3_2a': (384, 384, (1, 3)),
          'branch3x3_2b': (384, 384, (3, 1)),
          'branch3x3dbl_2': (448, 384, (3, 3)),
          'branch3x3dbl_3a': (384, 384, (1, 3)),
          'branch3x3dbl_3b': (384, 384, (3, 1))})


CONVS = {
    'Conv2d_1a_3x3': _Conv(3, {'Conv2d_1a_3x3': 32}, (3, 3)),
    'Conv2d_2a_3x3': _Conv(32, {'Conv2d_2a_3x3': 32}, (3, 3)),
    'Conv2d_2b_3x3': _Conv(32, {'Conv2d_2b_3x3': 64}, (3, 3)),
    'Conv2d_3b_1x1': _Conv(64, {'Conv2d_3b_1x1': 80}),
    'Conv2d_4a_3x3': _Conv(80, {'Conv2d_4a_3x3': 192}, (3, 3)),
    **_convs_a('Mixed_5b', 192, 32),
    **_convs_a('Mixed_5c', 256, 64),
    **_convs_a('Mixed_5d', 288, 64),
    'Mixed_6a.branch3x3': _Conv(288, {'branch3x3': 384}, (3, 3)),
    'Mixed_6a.branch3x3dbl_1': _Conv(288, {'branch3x3dbl_1': 64}),
    'Mixed_6a.branch3x3dbl_2': _Conv(64, {'branch3x3dbl_2': 96}, (3, 3)),
    'Mixed_6a.branch3x3dbl_3': _Conv(96, {'branch3x3dbl_3': 96}, (3, 3)),
    **_convs_c('Mixed_6b', 128),
    **_convs_c('Mixed_6c', 160),
    **_convs_c('Mixed_6d', 160),
    **_convs_c('Mixed_6e', 192),
    **_convs('Mixed_7a', _Conv(768, {
        'branch3x3_1': 192, 'branch7x7x3_1': 192}), {
            'branch3x3_2': (192, 320, (3, 3)),
            'branch7x7x3_2': (192, 192, (1, 7)),
            'branch7x7x3_3': (192, 192, (7, 1)),
            'branch7x7x3_4': (192, 192, (3, 3))}),
    **_convs_e('Mixed_7b', 1280, branch_pool=192),
    **_convs_e('Mixed_7c', 2048),
    'Mixed_7c.branch_pool': _Conv(2048, {'branch_pool': 192}),
}
