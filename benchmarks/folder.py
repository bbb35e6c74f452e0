"""How fast a folder is decoded for the first time, beside bare Pillow.

  python benchmarks/folder.py /data/faces --resolution=64

The folder source, with an empty cache, and a plain loop of Pillow in turn.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np
from PIL import Image

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from msg_gan_jax.data import decode, folder, pictures, tree


def bare(files, resolution):
  """uint8 [n, resolution, resolution, 3]: open, convert, crop, resize."""
  pixels = np.empty((len(files), resolution, resolution, 3), np.uint8)
  for row, name in enumerate(files):
    with Image.open(name) as image:
      image = image.convert('RGB')
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    if image.size != (side, side):
      image = image.crop((left, top, left + side, top + side))
    if side != resolution:
      image = image.resize((resolution, resolution), Image.Resampling.LANCZOS)
    pixels[row] = np.asarray(image)
  return pixels


def _timed(function):
  start = time.perf_counter()
  result = function()
  return result, time.perf_counter() - start


def main():
  flags = argparse.ArgumentParser(
      description=__doc__,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('path', help='the folder of the pictures')
  flags.add_argument('--resolution', type=int, default=32)
  flags.add_argument('--threads', type=int, default=0, help="ours; 0 is the "
                     "source's own choice")
  flags.add_argument('--repeats', type=int, default=5)
  options = flags.parse_args()
  try:
    found = tree.scan(options.path)
    files = [os.path.join(found.root, name) for name in found.files]
    for name in files:  # Neither shall be the one that waits for the disk.
      pathlib.Path(name).read_bytes()
    bare(files[:8], options.resolution)  # Pillow loads its readers.
    recipe = decode.Recipe(
        options.resolution, options.resolution, 3, 'center_crop', 'lanczos')
    ours, theirs = [], []
    for _ in range(options.repeats):
      with tempfile.TemporaryDirectory() as cache:
        source, seconds = _timed(lambda cache=cache: pictures.Pictures(
            folder.Folder(options.path), recipe, cache_dir=cache,
            threads=options.threads))
        ours.append(len(files) / seconds)
        pixels, seconds = _timed(lambda: bare(files, options.resolution))
        theirs.append(len(files) / seconds)
        same = (source.images(np.arange(len(files))) == pixels).all((1, 2, 3))
  except (ValueError, OSError) as error:
    sys.exit(f'error: {error}')
  for name, rates in (('folder source', ours), ('bare Pillow', theirs)):
    print(f'{name:14} {statistics.median(rates):9.0f} files/s, '
          f'{min(rates):.0f} to {max(rates):.0f}')
  ratio = statistics.median(ours) / statistics.median(theirs)
  pairs = (f'{a / b:.2f}' for a, b in zip(ours, theirs, strict=True))
  print(f'ratio of medians {ratio:.2f}; of each pair {" ".join(pairs)}')
  print(f'{len(files):,} files, {same.mean():.2%} of the pictures are the same '
        'in both')


if __name__ == '__main__':
  main()
