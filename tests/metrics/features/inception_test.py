"""The Inception of FID agrees with pytorch-fid's, tap by tap."""
import jax
import numpy as np
import pytest
from torch_files import saved

from msg_gan_jax.files import tensors
from msg_gan_jax.metrics.features import inception, resizes


@pytest.fixture(scope='module')
def peer(oracle):
  return oracle('inception_fid_32_pytorch_fid')


def test_a_plan_has_every_convolution_of_the_graph(peer):
  wanted = {
      name.removesuffix('.conv.weight'): x.shape
      for name, x in peer.scope['params'].items()
      if name.endswith('conv.weight')}
  planned = {}
  for name, plan in inception.CONVS.items():
    block = name.rpartition('.')[0]
    for part, width in plan.parts.items():
      planned[f'{block}.{part}' if block else part] = (
          width, plan.wide, *plan.window)
  assert planned == wanted and len(planned) == 94


@pytest.mark.slow
def test_every_tap_is_pytorch_fids(peer, tmp_path):
  """From a .pth as PyTorch writes it, through the resize, to the logits."""
  path = tmp_path / 'inception.pth'
  counts = {'Conv2d_1a_3x3.bn.num_batches_tracked': np.array(0)}
  path.write_bytes(saved(peer.scope['params'] | counts, is_zip=False))
  params = inception.from_tensors(tensors.read(path))

  @jax.jit
  def features(params, images):
    images = resizes.resize(images, 299, 299, 'half_pixel')
    return inception.Inception().apply(
        {'params': params}, 2 * images / 255 - 1)

  taps = features(params, peer.inputs['img32'].transpose(0, 2, 3, 1))
  assert set(taps) == set(inception.TAPS)
  named = {'2048': 'pool3_2048', 'logits': 'logits_1008',
           'logits_unbiased': 'logits_unbiased_1008'}
  for i, image in enumerate(peer.expected['images']):
    for tap in inception.TAPS:
      wanted = (image[named[tap]] if tap in named
                else image['block_means'][tap])
      first = wanted.get('first16', wanted.get('first8'))
      got = np.asarray(taps[tap][i], np.float64)
      assert got.shape == (int(tap) if tap.isdigit() else 1008,)
      peer.assert_close(got[:len(first)], first)
      peer.assert_close(got.mean(), wanted['mean'])
      peer.assert_close(got.std(), wanted['std'])


def test_batch_norm_folds_into_the_kernel():
  """A convolution, then (x - mean) / sqrt(var + eps) * scale + shift."""
  rng = np.random.default_rng(0)
  tensors = random_tensors(rng)
  params = inception.from_tensors(tensors)
  pixel = rng.standard_normal(192)
  part = 'Mixed_5b.branch5x5_1'
  wanted = tensors[f'{part}.conv.weight'][:, :, 0, 0] @ pixel
  wanted = ((wanted - tensors[f'{part}.bn.running_mean'])
            / np.sqrt(tensors[f'{part}.bn.running_var'] + 1e-3)
            * tensors[f'{part}.bn.weight'] + tensors[f'{part}.bn.bias'])
  both = params['Mixed_5b.in']
  got = pixel @ both['kernel'][0, 0] + both['bias']
  np.testing.assert_allclose(got[64:112], wanted, rtol=1e-4, atol=1e-5)
  shapes = jax.tree.map(np.shape, params)
  drawn = jax.eval_shape(
      inception.Inception().init, jax.random.key(0),
      np.zeros((1, inception.SIDE, inception.SIDE, 3), np.float32))
  assert shapes == jax.tree.map(np.shape, drawn['params'])


def random_tensors(rng):
  tensors = {'fc.weight': np.zeros((1008, 2048)), 'fc.bias': np.zeros(1008)}
  for name, plan in inception.CONVS.items():
    block = name.rpartition('.')[0]
    for part, width in plan.parts.items():
      whole = f'{block}.{part}' if block else part
      shape = width, plan.wide, *plan.window
      few = name in ('Mixed_5b.in',)
      tensors[f'{whole}.conv.weight'] = (
          rng.standard_normal(shape) if few else np.zeros(shape, 'f4'))
      for leaf in ('weight', 'bias', 'running_mean', 'running_var'):
        tensors[f'{whole}.bn.{leaf}'] = rng.uniform(.5, 1.5, width)
  return tensors


def test_a_wrong_state_dict_is_refused():
  tensors = random_tensors(np.random.default_rng(0))
  with pytest.raises(ValueError, match=r"no tensor 'fc.bias' among \d+"):
    inception.from_tensors({k: tensors[k] for k in tensors if k != 'fc.bias'})
  bad = tensors | {'fc.weight': np.zeros((1000, 2048))}  # torchvision's.
  with pytest.raises(
      ValueError, match=r'fc.weight has the shape \[1000, 2048\]; wanted '
      r'\[1008, 2048\]'):
    inception.from_tensors(bad)
