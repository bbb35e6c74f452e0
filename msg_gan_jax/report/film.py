"""Frames -> a film: WebP and GIF by Pillow, MP4 by ffmpeg, one at a time.

Or a PNG for each, in a folder: `frames` has those.

Pillow makes an animated WebP of pictures that it keeps, and so does imageio,
which calls Pillow for it: a film of 1,000 frames at 1024 px would need 3 GB.
`_Film` is one picture that changes when Pillow goes to its next frame with
`seek`, so that only one frame is in memory.
"""
from collections.abc import Iterable, Iterator
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from typing import Any, Protocol

import numpy as np
from PIL import Image

from msg_gan_jax.config import tables
from msg_gan_jax.files import optional
from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import frames as single

# Browsers show a GIF's frames of less than 20 ms five times too long.
_MOST_GIF_FPS = 50


class Format(Protocol):
  """How the frames of a film are written into a file."""

  def __call__(self, path: str, frames: Iterator[np.ndarray], fps: float,
               count: int, shape: tuple[int, ...]) -> None:
    """Writes `count` frames, uint8 of [H, W, 3] = `shape`, one by one."""


def write(path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float,
          count: int) -> None:
  """Writes a film that a viewer repeats for ever; a whole file or none.

  Neighbours that are equal may become one frame that is shown as long as both.
  A GIF has 256 colours a frame, chosen for it, and Pillow keeps it in memory
  until the end, a byte a pixel; of the other formats one frame is kept.

  Args:
    path: of the file, whose ending is one of FORMATS; its folder must exist.
      Or a folder, which gets a PNG for each frame: see `frames.write`.
    frames: uint8 [H, W, 3], an iterable, all of one size.
    fps: frames a second.
    count: how many frames there are.

  Raises:
    ValueError: what `check` raises, or ffmpeg failed.
  """
  check(path, fps)
  if single.is_folder(path):
    single.write(path, frames, fps, count)
    return
  frames = iter(frames)
  first = next(frames)
  with replacing(path) as temporary:
    _format_of(path)(temporary, itertools.chain((first,), frames), fps, count,
                     first.shape)


def check(path: str | os.PathLike, fps: float) -> None:
  """Refuses a path that no film can be written to, before anything is drawn.

  Raises:
    ValueError: an unknown ending, no ffmpeg, more frames a second than the
      format has, or a folder that `frames.check` refuses.
  """
  if single.is_folder(path):
    single.check(path)
    return
  row = _format_of(path)
  if row is _mp4:
    ffmpeg()
  if row is _gif and fps > _MOST_GIF_FPS:
    raise ValueError(
        f'fps: {fps:g}, but browsers slow a GIF of more than '
        f'{_MOST_GIF_FPS} down; wanted less, or a .webp.')


def ffmpeg() -> str:
  """The path of ffmpeg: the one that is installed, or imageio-ffmpeg's.

  Raises:
    ValueError: there is none.
  """
  installed = shutil.which('ffmpeg')
  if installed:
    return installed
  try:
    import imageio_ffmpeg  # An extra.
    return imageio_ffmpeg.get_ffmpeg_exe()
  except (ImportError, RuntimeError) as error:
    raise ValueError(
        'path: a .mp4 needs ffmpeg, which is not on the PATH; run '
        f'{optional.install("imageio_ffmpeg")}, or write a .webp or a .gif.'
    ) from error


def _format_of(path):
  return FORMATS.look_up(os.path.splitext(path)[1].lower())


def _times(fps, count, unit):
  """Milliseconds of each frame, multiples of `unit` with no drift."""
  ends = [round(i * 1000 / (fps * unit)) * unit for i in range(count + 1)]
  return [b - a for a, b in itertools.pairwise(ends)]


class _Film:
  """What Pillow asks for frames, in their order, by `seek`."""

  def __init__(self, frames, count, shape):
    image: Any = Image.new('RGB', shape[1::-1])
    image.n_frames, image.seek = count, self._seek
    self.image = image
    self._frames, self._next = frames, 0

  def _seek(self, i):
    if i == self._next:  # At the end Pillow goes back to where it began.
      self.image.paste(Image.fromarray(next(self._frames)))
      self._next += 1


def _webp(path, frames, fps, count, shape):
  """WebP of full colour, for browsers and GitHub.

  Source: Pillow's writer, https://developers.google.com/speed/webp.
  """
  film = _Film(frames, count, shape).image
  with open(path, 'wb') as file:
    film.save(
        file, format='WEBP', save_all=True, loop=0, quality=90, method=2,
        duration=_times(fps, count, 1))


def _gif(path, frames, fps, count, shape):
  """GIF of 256 colours a frame, for whatever shows nothing else.

  Source: Pillow's writer, https://www.w3.org/Graphics/GIF/spec-gif89a.txt.
  """
  del shape
  frames = (Image.fromarray(frame) for frame in frames)
  with open(path, 'wb') as file:
    next(frames).save(
        file, format='GIF', save_all=True, loop=0, append_images=frames,
        duration=_times(fps, count, 10))


def _mp4(path, frames, fps, count, shape):
  """H.264 in yuv420p, which all players have, and which needs even sides.

  Source: ffmpeg's writer, https://trac.ffmpeg.org/wiki/Encode/H.264.
  """
  height, width, _ = shape
  odd = (0, height % 2), (0, width % 2), (0, 0)
  with tempfile.TemporaryFile() as messages:
    process = subprocess.Popen([
        ffmpeg(), '-y', '-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt',
        'rgb24', '-s', f'{width + width % 2}x{height + height % 2}', '-r',
        str(fps), '-i', '-', '-an', '-c:v', 'libx264', '-crf', '16', '-pix_fmt',
        'yuv420p', '-movflags', '+faststart', '-f', 'mp4', path],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=messages)
    assert process.stdin is not None  # It is a pipe.
    try:
      # If it ended early, its messages tell why.
      with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        for frame in frames:
          pipe.write(np.pad(frame, odd, constant_values=255).tobytes())
    except BaseException:
      process.kill()
      process.wait()
      raise
    if process.wait():
      messages.seek(0)
      lines = messages.read().decode(errors='replace').strip().splitlines()
      raise ValueError(
          'path: ffmpeg could not write the film: '
          f'{lines[-1] if lines else "it does not say why"}')


FORMATS = tables.Table[Format]('path', 'format of films', {
    '.webp': _webp,
    '.gif': _gif,
    '.mp4': _mp4,
})
