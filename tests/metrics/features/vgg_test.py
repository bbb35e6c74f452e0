"""VGG16 and LPIPS, against loops of numpy in small."""
import jax
import numpy as np
import pytest

from msg_gan_jax.metrics.features import vgg

WIDTHS, HIDDEN = (4, 5, 6, 7, 8), 9
PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # torchvision's.


@pytest.fixture(scope='module')
def tensors():
  rng = np.random.default_rng(0)
  wide = [3] + [w for w, n in zip(WIDTHS, (2, 2, 3, 3, 3), strict=True)
                for _ in range(n)]
  drawn = {}
  for place, n_in, n_out in zip(PLACES, wide, wide[1:], strict=False):
    drawn[f'features.{place}.weight'] = rng.standard_normal(
        (n_out, n_in, 3, 3)) / np.sqrt(4.5 * n_in)
    drawn[f'features.{place}.bias'] = .3 * rng.standard_normal(n_out)
  for place, n_in, n_out in ((0, WIDTHS[-1] * 49, HIDDEN), (3, HIDDEN, HIDDEN)):
    drawn[f'classifier.{place}.weight'] = rng.standard_normal(
        (n_out, n_in)) / np.sqrt(n_in / 2)
    drawn[f'classifier.{place}.bias'] = .3 * rng.standard_normal(n_out)
  return {name: x.astype(np.float32) for name, x in drawn.items()}


def reference(tensors, x):
  """torchvision's vgg16 in float64: [B, 3, H, W] -> five taps, fc1, fc2."""
  taps, x = [], x.astype(np.float64)
  for place in PLACES:
    if place in (5, 10, 17, 24):
      x = pooled(x)
    height, width = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    x = sum(np.einsum(
        'oi,bihw->bohw', tensors[f'features.{place}.weight'][:, :, i, j],
        padded[:, :, i:i + height, j:j + width])
            for i in range(3) for j in range(3))
    x = np.maximum(x + tensors[f'features.{place}.bias'][:, None, None], 0)
    if place in (2, 7, 14, 21, 28):
      taps.append(x)
  x = pooled(x)
  rows, columns = (blocks(n) for n in x.shape[2:])
  x = np.einsum('bchw,yh,xw->bcyx', x, rows, columns).reshape(len(x), -1)
  for place in (0, 3):
    x = np.maximum(x @ tensors[f'classifier.{place}.weight'].T
                   + tensors[f'classifier.{place}.bias'], 0)
    taps.append(x)
  return taps


def pooled(x):
  b, c, h, w = x.shape
  return x.reshape(b, c, h // 2, 2, w // 2, 2).max((3, 5))


def blocks(n):
  """torch.nn.AdaptiveAvgPool2d(7) along a side."""
  means = np.zeros((7, n))
  for i in range(7):
    part = slice(int(np.floor(i * n / 7)), int(np.ceil((i + 1) * n / 7)))
    means[i, part] = 1 / (part.stop - part.start)
  return means


@pytest.fixture(scope='module')
def images():
  return np.random.default_rng(1).uniform(-1, 1, (3, 32, 64, 3)).astype('f4')


def test_taps_are_torchvisions(tensors, images):
  params = vgg.from_tensors(tensors)
  network = vgg.network(params)
  assert (network.widths, network.hidden) == (WIDTHS, HIDDEN)
  taps = jax.jit(lambda p, x: network.apply({'params': p}, x))(params, images)
  assert set(taps) == set(vgg.TAPS)
  for tap, wanted in zip(
      vgg.TAPS, reference(tensors, images.transpose(0, 3, 1, 2)), strict=True):
    got = np.asarray(taps[tap])
    if got.ndim == 4:
      got = got.transpose(0, 3, 1, 2)
    assert wanted.max() > .1
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_lpips_is_the_papers_sum(tensors, images):
  """Equation 1, written out; equal images are at no distance."""
  rng = np.random.default_rng(2)
  lins = {f'lin{i}.model.1.weight': rng.uniform(0, 1, (1, w, 1, 1))
          for i, w in enumerate(WIDTHS)}
  other = np.concatenate([images[:1], images[1:] + .3])
  params = vgg.from_tensors(tensors)
  got = jax.jit(vgg.lpips)(params, vgg.lins_from_tensors(lins), images, other)
  shift, scale = np.array([-.03, -.088, -.188]), np.array([.458, .448, .45])
  of_a, of_b = (reference(tensors, ((x - shift) / scale).transpose(0, 3, 1, 2))
              for x in (images, other))
  wanted = 0
  for tap, lin in enumerate(lins.values()):
    a, b = (x[tap] / (np.linalg.norm(x[tap], axis=1, keepdims=True) + 1e-10)
            for x in (of_a, of_b))
    wanted += ((a - b)**2 * lin).sum(1).mean((1, 2))
  np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
  assert got[0] == 0 and got[1] > .01


def test_constants_are_imagenets_and_lpips_their_rounding():
  mean, deviation = np.array(vgg.MEAN), np.array(vgg.DEVIATION)
  got = vgg.normalize(np.stack([255 * mean, 255 * (mean + deviation)]))
  np.testing.assert_allclose(got, [[0] * 3, [1] * 3], atol=1e-6)


def test_a_wrong_state_dict_is_refused(tensors):
  less = {k: v for k, v in tensors.items() if k != 'features.7.bias'}
  with pytest.raises(ValueError, match="no tensor 'features.7.bias'"):
    vgg.from_tensors(less)
  bad = tensors | {'features.2.weight': np.zeros((4, 9, 3, 3))}
  with pytest.raises(ValueError, match=r'features.2.weight has the shape \[4, '
                     r'9, 3, 3\].*wanted \[any, 4, 3, 3\]'):
    vgg.from_tensors(bad)
  with pytest.raises(ValueError, match="no tensor 'lin0.model.1.weight'"):
    vgg.lins_from_tensors(tensors)
  features = {k: v for k, v in tensors.items() if 'features' in k}
  assert not vgg.network(vgg.from_tensors(features)).hidden
