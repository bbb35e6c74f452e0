"""Pictures that are projected, and the files of what was found."""
from collections.abc import Iterable, Mapping, Sequence
import json
import os
from typing import Any

import numpy as np

from msg_gan_jax.analysis.generator.projection import Projection
from msg_gan_jax.config import schema
from msg_gan_jax.data import decode, picture_files
from msg_gan_jax.files import plain
from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import figure, grids, lettering, text

_SHOWN = 16  # Pictures in the figure; the numbers are of all.


def read(paths: Iterable[str],
         data: schema.Data) -> tuple[list[str], np.ndarray]:
  """(names, uint8 [n, H, W, C]) of pictures, as a run sees its own.

  Args:
    paths: files and folders; from a folder all pictures directly in it.
    data: settings of the run: the size of its pictures, and how they get it.

  Raises:
    ValueError: a path that is not there, a folder without pictures, or a
      picture that cannot be read.
  """
  if data.channels not in decode.MODES:
    raise ValueError(
        f'paths: this run draws {data.channels} channels; files have '
        f'{", ".join(map(str, decode.MODES))}.')
  files = [file for path in paths for file in _files(path)]
  recipe = decode.recipe_of(data)
  pictures = []
  for file in files:
    try:
      pictures.append(decode.decode(plain.read(file), recipe)[0])
    except Exception as error:  # PIL raises many kinds.
      raise ValueError(
          f'paths: cannot read {file!r}: {error}.') from error
  return [os.path.basename(file) for file in files], np.stack(pictures)


def _files(path: str) -> list[str]:
  path = os.path.expanduser(path)
  if os.path.isfile(path):
    return [path]
  if not os.path.isdir(path):
    raise ValueError(
        f'paths: there is no file or folder {path!r}; the nearest folder is '
        f'{picture_files.nearest_folder(os.path.abspath(path))!r}.')
  files = [os.path.join(path, name) for name in sorted(os.listdir(path))
           if picture_files.is_picture(name) and name[0] != '.']
  if not files:
    raise ValueError(
        f'paths: there are no pictures in {path!r}; looked for '
        f'{" ".join(decode.EXTENSIONS)}.')
  return files


def write(folder: str | os.PathLike, names: Sequence[str], targets: np.ndarray,
          result: Projection, about: Mapping[str, Any]) -> list[str]:
  """Writes what was found into a folder; returns the paths.

  projections.png is the figure: target, start, projection and their difference.
  projections.json has the numbers. w.npy or z.npy has the points, a row for
  each picture, as --w_file and --z_file read them. Each projection has a .png.

  Args:
    folder: made if need be.
    names: of the pictures.
    targets: uint8 [n, H, W, C].
    result: of projection.project.
    about: {'points': 'w' or 'z', 'steps': .., ..}, how it was found.
  """
  os.makedirs(folder, exist_ok=True)

  def path(name):
    return os.path.join(folder, name)

  rows = [{'picture': name, 'distance': float(after),
           'distance_at_start': float(before), 'psnr': float(psnr)}
          for name, before, after, psnr in zip(
              names, result.before, result.after, result.psnr, strict=True)]
  grids.save(path('projections.png'), _figure(targets, result, rows, about))
  paths = [path('projections.png'), path('projections.json'),
           path(f'{about["points"]}.npy')]
  with replacing(paths[1]) as temporary:
    with open(temporary, 'w', encoding='utf-8') as file:
      json.dump({**about, 'pictures': rows}, file, indent=1)
  np.save(paths[2], result.points)
  for i, image in enumerate(result.images):
    paths.append(path(f'{i:05d}.png'))
    grids.save(paths[-1], image)
  return paths


def _figure(targets, result, rows, about):
  tiles = []
  for target, start, image in zip(
      targets[:_SHOWN], result.start, result.images, strict=False):
    difference = np.abs(target.astype(int) - image).astype(np.uint8)[..., :3]
    tiles.append([figure.tile(x) for x in (target, start, image, difference)])
  return figure.draw(
      [figure.Band(None, tiles)],
      (f'projection into {about["points"]}', f'{about["steps"]:,} steps'),
      above=('picture', 'start', 'projection', 'difference'),
      beside=[(text.legible(text.short(row['picture']), lettering.can_write),
               f'{row["psnr"]:.1f} dB, distance {row["distance"]:.2g}')
              for row in rows[:_SHOWN]])
