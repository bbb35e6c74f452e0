"""Frames of a film as numbered PNG files, which editors of films read.

A folder has the frames of one film. Beside them lies frames.json, which tells
how many there should be and how fast they go: by it a folder is known as one
whose frames may be replaced, and a film that was interrupted as not whole.
"""
from collections.abc import Iterable
import os
import pathlib
import re

import numpy as np

from msg_gan_jax.files.atomic import write_json
from msg_gan_jax.report import grids

ABOUT = 'frames.json'
_FRAME = re.compile(r'frame_\d{5,}\.png')
# What a kill leaves of a file that was being written; see files.atomic.
_HALF = re.compile(r'\.(frame_\d{5,}\.png|frames\.json)\..+\.tmp')


def is_folder(path: str | os.PathLike) -> bool:
  """Whether a path means a folder: it has '/' at its end, or is one."""
  return os.fspath(path).endswith(('/', os.sep)) or os.path.isdir(path)


def check(path: str | os.PathLike) -> None:
  """Refuses a folder whose files are not frames that were written here.

  Raises:
    ValueError: it has other files, or is none.
  """
  folder = pathlib.Path(path)
  if not folder.exists():
    return
  if not folder.is_dir():
    raise ValueError(f'path: {folder} is a file; wanted a folder for frames.')
  names = sorted(x.name for x in folder.iterdir())
  ours = ABOUT in names
  others = [x for x in names if not _HALF.fullmatch(x) and not (
      ours and (x == ABOUT or _FRAME.fullmatch(x)))]
  if others:
    raise ValueError(
        f'path: {folder} has other files than frames of a film of ours, such '
        f'as {others[0]!r}; wanted a new or an empty folder, or one with '
        f'{ABOUT}, whose frames are replaced.')


def write(path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float,
          count: int) -> None:
  """Writes frame_00000.png and so on, one at a time, each whole or not at all.

  Frames that are there are removed as soon as the first new one is drawn: there
  are never frames of two films.

  Args:
    path: of the folder; it is made.
    frames: uint8 [H, W, 3], an iterable, all of one size.
    fps: frames a second, for whoever makes a film of them.
    count: how many frames there are.

  Raises:
    ValueError: see `check`.
  """
  folder = pathlib.Path(path)
  check(folder)
  for i, frame in enumerate(frames):
    if not i:
      folder.mkdir(parents=True, exist_ok=True)
      _clear(folder)
      write_json(folder / ABOUT, {'frames': count, 'fps': fps})
    grids.save(folder / f'frame_{i:05d}.png', frame)


def _clear(folder):
  """Removes the frames, and frames.json last: until then they are known."""
  names = [x.name for x in folder.iterdir()]
  for name in sorted(names, key=lambda name: name == ABOUT):
    (folder / name).unlink()
