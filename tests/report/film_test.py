"""Films have all their frames, for as long as they should."""
import itertools
import os
import shutil
import subprocess
import sys
import types

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import film


def frames(n, height=15, width=21):
  """Frames that differ, of one colour each."""
  for i in range(n):
    yield np.full((height, width, 3), (10 * i, 255 - 10 * i, 40), np.uint8)


def read(path):
  """([first pixel of each frame], [milliseconds])."""
  with Image.open(path) as image:
    shown, times = [], []
    for i in range(image.n_frames):
      image.seek(i)
      shown.append(np.asarray(image.convert('RGB'))[0, 0].astype(int))
      times.append(image.info['duration'])
    assert image.info['loop'] == 0  # For ever.
    return np.stack(shown), times, image.size


@pytest.mark.parametrize('ending, fps, n', [
    ('.webp', 30, 12), ('.webp', 7, 3), ('.gif', 30, 12), ('.gif', 50, 4),
    ('.GIF', 12.5, 5)])
def test_a_film_has_every_frame_and_its_length(tmp_path, ending, fps, n):
  path = tmp_path / f'x{ending}'
  film.write(path, frames(n), fps, n)
  shown, times, size = read(path)
  assert (len(times), size) == (n, (21, 15))
  unit = 10 if ending.lower() == '.gif' else 1
  # No drift: the whole is as long as it should be, to a unit.
  assert abs(sum(times) - 1000 * n / fps) <= unit / 2 + 1e-9
  assert max(times) - min(times) <= unit
  wanted = np.stack([x[0, 0] for x in frames(n)])
  assert np.abs(shown - wanted).max() <= (0 if unit == 10 else 6)
  assert os.listdir(tmp_path) == [path.name]


def test_equal_neighbours_may_be_one_frame_but_last_as_long(tmp_path):
  for ending in ('.webp', '.gif'):
    path = tmp_path / f'x{ending}'
    still = itertools.repeat(next(frames(1)), 3)
    film.write(path, itertools.chain(still, frames(4)), 10, 7)
    assert sum(read(path)[1]) == 700


def test_after_an_error_there_is_no_film(tmp_path):
  def broken():
    yield from frames(2)
    raise KeyboardInterrupt

  for ending in ('.webp', '.gif'):
    with pytest.raises(KeyboardInterrupt):
      film.write(tmp_path / f'x{ending}', broken(), 10, 4)
  assert os.listdir(tmp_path) == []


def test_an_unknown_ending_names_those_that_there_are():
  with pytest.raises(ValueError, match=(
      r"^path: no format of films '\.avi'; .*Known: \.gif, \.mp4, \.webp\.")):
    film.check('x.avi', 30)


def test_a_gif_of_too_many_frames_a_second_is_refused():
  with pytest.raises(ValueError, match=r'^fps: 60, but browsers slow a GIF'):
    film.check('x.gif', 60)
  film.check('x.webp', 60)


@pytest.fixture
def no_ffmpeg(monkeypatch):
  monkeypatch.setattr(shutil, 'which', lambda name: None)
  monkeypatch.setitem(sys.modules, 'imageio_ffmpeg', None)


def test_without_ffmpeg_a_mp4_says_what_to_install(no_ffmpeg):
  with pytest.raises(ValueError, match=(
      r"^path: a \.mp4 needs ffmpeg, .* pip install imageio-ffmpeg")):
    film.check('x.mp4', 30)


def test_the_ffmpeg_of_the_extra_is_found(no_ffmpeg, monkeypatch):
  there = types.ModuleType('imageio_ffmpeg')
  there.get_ffmpeg_exe = lambda: '/extra/ffmpeg'
  monkeypatch.setitem(sys.modules, 'imageio_ffmpeg', there)
  assert film.ffmpeg() == '/extra/ffmpeg'


def stand_in(tmp_path, monkeypatch, code):
  """Puts a program in the place of ffmpeg."""
  program = tmp_path / 'ffmpeg'
  program.write_text(f'#!{sys.executable}\nimport sys\n{code}\n')
  program.chmod(0o755)
  monkeypatch.setattr(film, 'ffmpeg', lambda: str(program))


def test_a_mp4_has_even_sides_and_all_pixels(tmp_path, monkeypatch):
  stand_in(tmp_path, monkeypatch, (
      'open(sys.argv[-1], "wb").write(sys.stdin.buffer.read())\n'
      f'open({str(tmp_path / "argv")!r}, "w").write(" ".join(sys.argv))'))
  film.write(tmp_path / 'x.mp4', frames(3), 24, 3)
  said = (tmp_path / 'argv').read_text()
  assert '-s 22x16 -r 24 ' in said and ' -pix_fmt yuv420p ' in said
  pixels = np.fromfile(tmp_path / 'x.mp4', np.uint8).reshape(3, 16, 22, 3)
  np.testing.assert_array_equal(pixels[:, :15, :21], np.stack(list(frames(3))))
  assert (pixels[:, 15:] == 255).all() and (pixels[:, :, 21:] == 255).all()


def test_what_ffmpeg_says_is_told(tmp_path, monkeypatch):
  stand_in(tmp_path, monkeypatch,
           'sys.exit("first\\nUnknown encoder \'libx264\'")')
  with pytest.raises(ValueError, match=(
      r"^path: ffmpeg could not write the film: Unknown encoder 'libx264'")):
    film.write(tmp_path / 'x.mp4', frames(300, 99, 99), 24, 300)
  assert os.listdir(tmp_path) == ['ffmpeg']


def test_a_mp4_is_a_film(tmp_path):
  program = film.ffmpeg()  # Installed, or the wheel's.
  path = str(tmp_path / 'x.mp4')
  film.write(path, frames(10), 20, 10)
  raw = subprocess.run(
      [program, '-loglevel', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt',
       'rgb24', '-'], capture_output=True, check=True).stdout
  shown = np.frombuffer(raw, np.uint8).reshape(10, 16, 22, 3).astype(int)
  wanted = np.stack(list(frames(10))).astype(int)
  assert np.abs(shown[:, 7, 10] - wanted[:, 7, 10]).max() < 12
