"""Frames in a folder: all of one film, each whole, and nobody else's files."""
import json
import os

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import film, frames


def pictures(n, shade=0):
  for i in range(n):
    yield np.full((6, 10, 3), (i, shade, 40), np.uint8)


def names(folder):
  return sorted(os.listdir(folder))


def shades(folder):
  """(number, shade) of each frame that is there, by its name."""
  found = []
  for path in sorted(folder.glob('frame_*.png')):
    with Image.open(path) as image:
      assert image.size == (10, 6)
      found.append(image.getpixel((3, 3))[:2])
  return found


def test_a_folder_gets_every_frame_and_what_they_are(tmp_path):
  path = tmp_path / 'new' / 'walk'
  film.write(f'{path}/', pictures(12), 24., 12)
  assert names(path) == [f'frame_{i:05d}.png' for i in range(12)] + [
      frames.ABOUT]
  assert shades(path) == [(i, 0) for i in range(12)]
  assert json.loads((path / frames.ABOUT).read_text()) == {
      'frames': 12, 'fps': 24.}


def test_frames_are_drawn_one_at_a_time(tmp_path):
  """When one is asked for, all before it are on the disk."""
  def asked():
    for i, picture in enumerate(pictures(5)):
      assert len(shades(tmp_path)) == i
      yield picture
  frames.write(tmp_path, asked(), 30, 5)
  assert len(shades(tmp_path)) == 5


def test_a_new_walk_leaves_no_frame_of_the_old_one(tmp_path):
  frames.write(tmp_path, pictures(9, shade=1), 30, 9)
  film.write(tmp_path, pictures(3, shade=2), 30, 3)
  assert shades(tmp_path) == [(i, 2) for i in range(3)]
  assert len(names(tmp_path)) == 4


def test_one_that_was_interrupted_has_whole_frames_of_one_walk(tmp_path):
  def broken(after, shade):
    yield from pictures(after, shade)
    raise KeyboardInterrupt

  frames.write(tmp_path, pictures(4, shade=1), 30, 4)
  with pytest.raises(KeyboardInterrupt):  # Before there is a frame.
    frames.write(tmp_path, broken(0, 2), 30, 9)
  assert shades(tmp_path) == [(i, 1) for i in range(4)]
  with pytest.raises(KeyboardInterrupt):
    frames.write(tmp_path, broken(2, 2), 30, 9)
  assert shades(tmp_path) == [(0, 2), (1, 2)]
  assert len(names(tmp_path)) == 3
  assert json.loads((tmp_path / frames.ABOUT).read_text())['frames'] == 9
  # What a kill leaves of a file goes with the next walk.
  (tmp_path / '.frame_00002.png.12-ab.tmp').write_bytes(b'\x89PNG')
  frames.write(tmp_path, pictures(1, shade=3), 30, 1)
  assert names(tmp_path) == ['frame_00000.png', frames.ABOUT]


@pytest.mark.parametrize('files, named', [
    (['config.json'], 'config.json'),
    (['frame_00000.png'], 'frame_00000.png'),  # Of another program.
    ([frames.ABOUT, 'frame_00000.png', 'notes.txt'], 'notes.txt'),
    ([frames.ABOUT, 'frame_1.png'], 'frame_1.png'),
])
def test_files_of_others_are_not_touched(tmp_path, files, named):
  for name in files:
    (tmp_path / name).write_text(name)
  for call in (lambda: film.check(f'{tmp_path}/', 30),
               lambda: frames.write(tmp_path, pictures(2), 30, 2)):
    with pytest.raises(ValueError, match=(
        rf'^path: .* has other files .* such as {named!r}; wanted a new or ')):
      call()
  assert names(tmp_path) == sorted(files)
  assert all((tmp_path / name).read_text() == name for name in files)


def test_a_file_is_no_folder(tmp_path):
  (tmp_path / 'a').touch()
  with pytest.raises(ValueError, match=r'^path: .*a is a file; wanted a fold'):
    film.check(f'{tmp_path}/a/', 30)


def test_a_folder_may_have_any_number_of_frames_a_second(tmp_path):
  film.check(f'{tmp_path}/x.gif/', 240)
  assert frames.is_folder(tmp_path) and frames.is_folder('new/')
  assert not frames.is_folder(tmp_path / 'x.gif')
