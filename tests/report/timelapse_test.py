"""Films of training show every grid that is whole, at one size, in order."""
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import timelapse

MARGIN = 16


def saved(folder, images, size=(40, 30), colour=(200, 0, 0), mode='RGB'):
  """(images, path) of a grid of one colour."""
  path = folder / f'images_{images:010d}.png'
  Image.new(mode, size, colour).save(path)
  return images, path


def shots(grids):
  """All of them, of which none may be told."""
  def refuse(line):
    raise AssertionError(line)
  return timelapse.readable(grids, refuse)


def inside(frame, width, height):
  """What is below the caption, without margins."""
  assert frame.dtype == np.uint8 and frame.shape[1] == width + 2 * MARGIN
  return frame[-height - MARGIN:-MARGIN, MARGIN:-MARGIN]


def test_each_grid_is_a_frame_in_its_order(tmp_path):
  grids = [saved(tmp_path, 100 * i, colour=(40 * i, 0, 9)) for i in range(4)]
  found = [*timelapse.frames(shots(grids))]
  assert len(found) == 4 and len({x.shape for x in found}) == 1
  for i, frame in enumerate(found):
    assert (inside(frame, 40, 30) == (40 * i, 0, 9)).all()


def test_the_last_one_stays_a_while(tmp_path):
  grids = shots([saved(tmp_path, i, colour=(i, 0, 0)) for i in range(11)])
  plain = [*timelapse.frames(grids)]
  found = [*timelapse.frames(grids, still=True)]
  assert timelapse.still_frames(11) == 3 and len(found) == 14
  np.testing.assert_array_equal(found[:11], plain)
  assert all((x == plain[-1]).all() for x in found[11:])


def test_captions_and_the_line_tell_the_time(tmp_path):
  """The line is as long as the share of the images of the last grid."""
  grids = [saved(tmp_path, images, size=(400, 30)) for images in (
      0, 250, 1000)]
  found = [*timelapse.frames(shots(grids))]
  headers = [frame[:-30 - MARGIN] for frame in found]
  lines = [(header == 32).all(-1).sum(1).max() for header in headers]
  # A letter is nowhere 90 pixels wide, so that it is the line that is found.
  assert lines[1:] == [100, 400] and lines[0] < 90
  assert (headers[0] != headers[1]).any()


@pytest.mark.parametrize('sizes, factor', [
    ([(20, 15), (40, 30)], 2),            # A whole factor fills it.
    ([(15, 10), (40, 30)], 2),            # 2.67 does not.
    ([(40, 10), (40, 30)], 1),
    ([(13, 10), (40, 30)], 3),
    ([(20, 30), (40, 20)], 1),            # The largest is in no file.
])
def test_grids_of_unlike_size_are_enlarged_by_whole_factors(
    tmp_path, sizes, factor):
  noise = np.random.default_rng(0).integers(0, 200, (*sizes[0][::-1], 3))
  noise = noise.astype(np.uint8)
  grids = [saved(tmp_path, i, size=size) for i, size in enumerate(sizes)]
  Image.fromarray(noise).save(grids[0][1])
  first, last = timelapse.frames(shots(grids))
  assert first.shape == last.shape
  width, height = (max(x) for x in zip(*sizes, strict=True))
  shown = inside(first, width, height)
  wanted = noise.repeat(factor, 0).repeat(factor, 1)
  top, left = ((a - b) // 2 for a, b in zip(
      (height, width), wanted.shape, strict=False))
  box = shown[top:top + wanted.shape[0], left:left + wanted.shape[1]]
  np.testing.assert_array_equal(box, wanted)
  assert (shown == 255).all(-1).sum() == width * height - wanted[..., 0].size


def test_large_grids_are_made_smaller_by_a_whole_factor(tmp_path):
  size = timelapse.LARGEST * 2 + 8, 90
  grids = [saved(tmp_path, i, size=size, colour=(0, 9, 90)) for i in range(2)]
  found = [*timelapse.frames(shots(grids))]
  wanted = -(-size[0] // 3), 30
  assert (inside(found[0], *wanted) == (0, 9, 90)).all()


@pytest.mark.parametrize('mode, colour, wanted', [
    ('L', 70, (70, 70, 70)),
    ('RGBA', (9, 9, 9, 0), (255, 255, 255)),
    ('RGBA', (9, 8, 7, 255), (9, 8, 7)),
])
def test_grids_may_be_grey_or_have_alpha(tmp_path, mode, colour, wanted):
  grids = [saved(tmp_path, i, colour=colour, mode=mode) for i in range(2)]
  found = [*timelapse.frames(shots(grids))]
  assert (inside(found[0], 40, 30) == wanted).all()


def test_what_is_no_whole_png_is_left_out_and_told(tmp_path):
  grids = [saved(tmp_path, i, colour=(i, 0, 0)) for i in range(6)]
  half = grids[1][1].read_bytes()
  flipped = bytearray(half)
  flipped[-20] ^= 1  # In the pixels, which have a checksum.
  grids[1][1].write_bytes(half[:-16])
  grids[2][1].write_bytes(bytes(flipped))
  grids[3][1].write_bytes(b'')
  Image.new('RGB', (4, 4)).save(grids[4][1], format='GIF')
  told = []
  found = timelapse.readable([*grids, (9, tmp_path / 'gone.png')], told.append)
  assert [shot.images for shot in found] == [0, 5]
  assert len(told) == 5 and all(
      line.startswith(f'warning: {tmp_path}') for line in told)
  assert len([*timelapse.frames(found)]) == 2


@pytest.mark.parametrize('count, fps', [
    (2, 2), (5, 2), (40, 2), (41, 2.05), (400, 20), (600, 30), (9999, 30)])
def test_a_film_is_neither_hasty_nor_long(count, fps):
  assert timelapse.usual_fps(count) == pytest.approx(fps)
