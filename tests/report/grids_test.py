"""Pictures show the model's own colours, each in its place."""
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import grids


def numbered(n, height=4, width=4, channels=3):
  """uint8 [n, height, width, channels]; image i is all i."""
  x = np.arange(n, dtype=np.uint8)[:, None, None, None]
  return np.tile(x, (1, height, width, channels))


@pytest.mark.parametrize('channels, shown', [
    (1, 1), (2, 1), (3, 3), (4, 4), (7, 3)])
def test_a_grid_has_image_i_at_its_place(channels, shown):
  x = numbered(5, 4, 6, channels)
  found = grids.grid(x, columns=3, gap=2, background=200)
  assert found.shape == (2 * 4 + 2, 3 * 6 + 2 * 2, shown)
  assert found.dtype == np.uint8
  for i in range(5):
    top, left = i // 3 * 6, i % 3 * 8
    assert (found[top:top + 4, left:left + 6] == i).all()
  assert (found[4:6, :, :3] == 200).all()
  assert (found[6:, 16:, :3] == 200).all()  # The place that stays empty.
  assert (found[4:6, :, 3:] == 255).all()  # Opaque.


def test_a_grid_is_about_square():
  assert grids.grid(numbered(9), gap=0).shape == (12, 12, 3)
  assert grids.grid(numbered(10), gap=0).shape == (12, 16, 3)
  assert grids.grid(numbered(8, 4, 8), gap=0).shape == (16, 16, 3)


def test_a_grid_refuses_floats():
  with pytest.raises(ValueError, match='pixels.to_uint8 makes'):
    grids.grid(np.zeros((2, 4, 4, 3)))


def test_upscale_repeats_pixels():
  x = np.arange(8, dtype=np.uint8).reshape(1, 2, 2, 2)
  found = grids.upscale(x, 6)
  assert found.shape == (1, 6, 6, 2)
  for i in range(6):
    for j in range(6):
      assert (found[0, i, j] == x[0, i // 3, j // 3]).all()
  for size in (3, 1):
    with pytest.raises(ValueError, match='not a multiple'):
      grids.upscale(x, size)


@pytest.mark.parametrize('channels, background', [(1, 255), (3, 10), (4, 255)])
def test_scales_stand_side_by_side_with_their_pixel_sizes(
    channels, background):
  levels = tuple(numbered(4, s, s, channels) + s for s in (4, 8, 32))
  found = grids.scales_side_by_side(levels, 2, gap=2, background=background)
  # Tiles of 64, blocks of 2 x 2, 16 between blocks, a header of 20.
  assert found.shape == (20 + 130, 3 * 130 + 2 * 16, channels)
  for block, size in enumerate((4, 8, 32)):
    left = block * 146
    for i in range(4):
      y, x = 20 + i // 2 * 66, left + i % 2 * 66
      assert (found[y:y + 64, x:x + 64] == i + size).all() or channels == 4
      assert (found[y:y + 64, x:x + 64, :3] == i + size).all()
    label = found[:20, left:left + 130, 0].astype(int)
    assert (np.abs(label - background) > 100).sum() > 20
  assert (found[20:, 130:146, :3] == background).all()


@pytest.mark.parametrize('channels, mode', [(1, 'L'), (3, 'RGB'), (4, 'RGBA')])
def test_save_writes_the_pixels_and_leaves_nothing_else(
    tmp_path, channels, mode):
  x = np.random.default_rng(0).integers(
      0, 256, (40, 20, channels), dtype=np.uint8)
  grids.save(tmp_path / 'x.png', x)
  with Image.open(tmp_path / 'x.png') as file:
    assert file.mode == mode and file.format == 'PNG'
    np.testing.assert_array_equal(np.array(file).reshape(x.shape), x)
  grids.save(tmp_path / 'x.png', x, tile=20)
  with Image.open(tmp_path / 'x.png') as file:
    assert file.size == (80, 160)  # 4 times: the tile has 80 pixels.
  assert [p.name for p in tmp_path.iterdir()] == ['x.png']


def test_large_tiles_are_saved_as_they_are(tmp_path):
  grids.save(tmp_path / 'x.png', np.zeros((70, 70, 3), np.uint8), tile=70)
  with Image.open(tmp_path / 'x.png') as file:
    assert file.size == (70, 70)


def test_a_failed_save_keeps_the_old_picture(tmp_path, monkeypatch):
  grids.save(tmp_path / 'x.png', np.zeros((8, 8, 3), np.uint8))
  before = (tmp_path / 'x.png').read_bytes()

  def fail(self, file, format):
    file.write(b'half a picture')
    raise OSError('no space left')

  monkeypatch.setattr(Image.Image, 'save', fail)
  with pytest.raises(OSError, match='no space'):
    grids.save(tmp_path / 'x.png', np.ones((8, 8, 3), np.uint8))
  assert (tmp_path / 'x.png').read_bytes() == before
  assert [p.name for p in tmp_path.iterdir()] == ['x.png']
