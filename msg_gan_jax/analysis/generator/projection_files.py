"""Pictures that are projected, and the files of what was found."""
import json
import os

import numpy as np

from msg_gan_jax.data import decode, picture_files
from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import (
  contact_sheet,
  figure,
  grids,
  text,
)

_SHOWN = 16  # Pictures in the figure; the numbers are of all.


def read(paths, data):
  """(names, uint8 [n, H, W, C]) of pictures as the run sees its own.

  Args:
    paths: files and folders; of a folder all pictures that lie in it itself.
    data: config.Data: the size that is wanted, and how it is come by.

  Raises:
    ValueError: nothing there, no pictures, or one that cannot be read.
  """
  if data.channels not in decode.MODES:
    raise ValueError(
        f'--pictures: this run draws {data.channels} channels; files have '
        f'{", ".join(map(str, decode.MODES))}.')
  files = [file for path in paths for file in _files(path)]
  recipe = decode.Recipe(*data.shape, data.resize, data.filter)
  found = []
  for file in files:
    try:
      with open(file, 'rb') as opened:
        found.append(decode.decode(opened.read(), recipe)[0])
    except Exception as error:  # PIL raises many kinds.
      raise ValueError(
          f'--pictures: cannot read {file!r}: {error}.') from error
  return [os.path.basename(file) for file in files], np.stack(found)


def _files(path):
  path = os.path.expanduser(path)
  if os.path.isfile(path):
    return [path]
  if not os.path.isdir(path):
    raise ValueError(
        f'--pictures: no file or folder {path!r}; the nearest folder is '
        f'{picture_files.nearest_folder(os.path.abspath(path))!r}.')
  found = [os.path.join(path, name) for name in sorted(os.listdir(path))
           if picture_files.is_picture(name) and name[0] != '.']
  if not found:
    raise ValueError(
        f'--pictures: no pictures in {path!r}; looked for '
        f'{" ".join(decode.EXTENSIONS)}.')
  return found


def write(folder, names, targets, found, about):
  """Writes what was found into a folder; returns the paths.

  projections.png is the figure: target, start, projection and their difference.
  projections.json has the numbers, w.npy or z.npy the points, a row each, as
  --w_file and --z_file read them, and a .png each the pictures.

  Args:
    folder: made if need be.
    names: of the pictures.
    targets: uint8 [n, H, W, C].
    found: project.Found.
    about: {'points': 'w' or 'z', ...}, the protocol.
  """
  os.makedirs(folder, exist_ok=True)

  def path(name):
    return os.path.join(folder, name)

  rows = [{'picture': name, 'distance': float(after),
           'distance_at_start': float(before), 'psnr': float(psnr)}
          for name, before, after, psnr in zip(
              names, found.before, found.after, found.psnr, strict=True)]
  grids.save(path('projections.png'), _figure(targets, found, rows, about))
  paths = [path('projections.png'), path('projections.json'),
           path(f'{about["points"]}.npy')]
  with replacing(paths[1]) as temporary:
    with open(temporary, 'w', encoding='utf-8') as file:
      json.dump({**about, 'pictures': rows}, file, indent=1)
  np.save(paths[2], found.points)
  for i, image in enumerate(found.images):
    paths.append(path(f'{i:05d}.png'))
    grids.save(paths[-1], image)
  return paths


def _figure(targets, found, rows, about):
  tiles = []
  for target, start, image in zip(
      targets[:_SHOWN], found.start, found.images, strict=False):
    apart = np.abs(target.astype(int) - image).astype(np.uint8)[..., :3]
    tiles.append([figure.tile(x) for x in (target, start, image, apart)])
  return figure.draw(
      [figure.Band(None, tiles)],
      (f'projection into {about["points"]}', f'{about["steps"]:,} steps'),
      above=('picture', 'start', 'projection', 'difference'),
      beside=[(text.legible(text.short(row['picture']), contact_sheet.writes),
               f'{row["psnr"]:.1f} dB, distance {row["distance"]:.2g}')
              for row in rows[:_SHOWN]])
