"""The resizes before features are those of the programs they stand for."""
import jax
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.metrics.features import resizes

SIZES = [(5, 9), (9, 5), (32, 299), (64, 17), (7, 7), (1, 4), (6, 1)]


@pytest.mark.parametrize('entry', [
    'tf1_resize_5x7_to_9x11', 'tf1_resize_4x4_to_8x8'])
def test_bilinear_is_tensorflows_and_pytorchs(oracle, entry):
  case = oracle(entry)
  height, width = (int(x) for x in case.inputs['out_hw'])
  for peer, name in (('tf1', 'tf1'), ('half_pixel_pytorch_fid', 'half_pixel')):
    got = resizes.resize(
        case.inputs['x'].transpose(0, 2, 3, 1), height, width, name)
    case.assert_close(
        np.asarray(got).transpose(0, 3, 1, 2).ravel(),
        case.expected[peer]['values'])


@pytest.mark.parametrize('n_in, n_out', SIZES)
def test_bicubic_is_pillows(n_in, n_out):
  rng = np.random.default_rng(0)
  images = rng.uniform(0, 255, (2, n_in, 11, 3)).astype(np.float32)
  wanted = np.stack([np.stack([
      np.asarray(Image.fromarray(image[..., c]).resize(
          (13, n_out), Image.Resampling.BICUBIC))
      for c in range(3)], -1) for image in images])
  down, across = (resizes.RESIZES['pil_bicubic'](*sizes) for sizes in (
      (n_in, n_out), (11, 13)))
  got = np.einsum('yh,xw,bhwc->byxc', down, across, images)
  np.testing.assert_allclose(got, wanted, atol=3e-4)  # Pillow's are float32.


def test_a_resize_is_the_product_of_its_matrices_under_jit():
  images = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), np.uint8)
  down, across = resizes.pil_bicubic(6, 9), resizes.pil_bicubic(5, 4)
  got = jax.jit(lambda x: resizes.resize(x, 9, 4, 'pil_bicubic'))(images)
  assert got.dtype == np.float32
  np.testing.assert_allclose(
      got, np.einsum('yh,xw,bhwc->byxc', down, across, images), atol=1e-4)
  for name in resizes.RESIZES:
    same = resizes.resize(images, 6, 5, name)
    np.testing.assert_array_equal(same, images.astype(np.float32))


@pytest.mark.parametrize('name', resizes.RESIZES)
@pytest.mark.parametrize('n_in, n_out', SIZES)
def test_rows_add_up_to_one(name, n_in, n_out):
  matrix = resizes.RESIZES[name](n_in, n_out)
  assert matrix.shape == (n_out, n_in) and matrix.dtype == np.float64
  np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-12)
  if n_in == n_out:
    np.testing.assert_allclose(matrix, np.eye(n_in), atol=1e-12)


def test_only_tf1_moves_the_image():
  """Doubling: half pixels keep a ramp's middle, TF1 moves it by a quarter."""
  ramp = np.arange(8.)
  for name in ('half_pixel', 'pil_bicubic'):
    assert (resizes.RESIZES[name](8, 16) @ ramp).mean() == pytest.approx(3.5)
  grown = resizes.tf1(8, 16) @ ramp
  np.testing.assert_allclose(grown[:15], np.arange(15) / 2)
  assert grown[15] == 7  # The edge is repeated.


def test_area_means_blocks():
  np.testing.assert_allclose(
      resizes.area(6, 2), np.kron(np.eye(2), np.full((1, 3), 1 / 3)))
  # torch.nn.functional.interpolate(arange(5.), 3, mode='area').
  np.testing.assert_allclose(resizes.area(5, 3) @ np.arange(5.), [.5, 2, 3.5])


def test_bad_asks_are_refused():
  images = np.zeros((1, 4, 4, 3), np.float32)
  with pytest.raises(ValueError, match="did you mean 'pil_bicubic'"):
    resizes.resize(images, 2, 2, 'pil_bicubc')
  with pytest.raises(ValueError, match=r'\[1, 4, 4, 3\] to 0 x 2'):
    resizes.resize(images, 0, 2, 'tf1')
  with pytest.raises(ValueError, match=r'found \[4, 4, 3\]'):
    resizes.resize(images[0], 2, 2, 'tf1')
