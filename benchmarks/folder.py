"""How fast a folder is decoded for the first time, beside bare Pillow.

  python benchmarks/folder.py /data/faces --resolution=64
  python benchmarks/folder.py --made=13000 --resolution=64

The folder source, with an empty cache, and a plain loop of Pillow alternate on
the same cores. The loop runs in one thread and in one a core, and its faster
rate counts. The second command makes a set of its own: drawn heads of 25 to 350
px, three of four as JPEG and one as PNG, a quarter of them grey.
"""
import argparse
from concurrent import futures
import contextlib
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

from msg_gan_jax.data import decode, picture_files, pictures
from msg_gan_jax.data.drawn import avatars
from msg_gan_jax.data.stores import folder


def bare(files, resolution, threads):
  """uint8 [n, resolution, resolution, 3]: open, convert, crop, resize."""
  pixels = np.empty((len(files), resolution, resolution, 3), np.uint8)

  def one(row):
    with Image.open(files[row]) as image:
      image = image.convert('RGB')
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    if image.size != (side, side):
      image = image.crop((left, top, left + side, top + side))
    if side != resolution:
      image = image.resize((resolution, resolution), Image.Resampling.LANCZOS)
    pixels[row] = np.asarray(image)

  def some(rows):
    for row in rows:
      one(row)

  numbers = range(len(files))
  with futures.ThreadPoolExecutor(threads) as pool:
    list(pool.map(some, (numbers[i:i + 64] for i in numbers[::64])))
  return pixels


def make(folder, count, seed=0):
  """`count` picture files of 25 to 350 px in a folder."""
  rng = np.random.default_rng(seed)
  heads = avatars.Avatars(64, 384).images(np.arange(64))
  os.makedirs(folder, exist_ok=True)
  for i in range(count):
    width, height = (int(x) for x in rng.integers(25, 351, 2))
    image = Image.fromarray(heads[i % 64])
    left, top = rng.integers(0, 32, 2)
    image = image.crop((left, top, left + 352, top + 352))
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    if rng.random() < .25:
      image = image.convert('L')
    kind = 'png' if rng.random() < .25 else 'jpg'
    image.save(os.path.join(folder, f'{i:05}.{kind}'), quality=90)


def _timed(function):
  start = time.perf_counter()
  result = function()
  return result, time.perf_counter() - start


def main():
  flags = argparse.ArgumentParser(
      description=__doc__,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('path', nargs='?', help='the folder of the pictures')
  flags.add_argument('--made', type=int, default=0,
                     help='how many pictures to make instead')
  flags.add_argument('--resolution', type=int, default=32)
  flags.add_argument('--threads', type=int, default=0, help="ours; 0 is the "
                     "source's own choice")
  flags.add_argument('--repeats', type=int, default=5)
  options = flags.parse_args()
  if bool(options.path) == bool(options.made):
    flags.error('wanted a path, or --made, and not both')
  with contextlib.ExitStack() as stack:
    path = options.path
    if options.made:
      path = stack.enter_context(tempfile.TemporaryDirectory())
      make(path, options.made)
    try:
      compare(path, options)
    except (ValueError, OSError) as error:
      sys.exit(f'error: {error}')


def compare(path, options):
  """Prints both rates, their ratio, and what the source decided."""
  tree = picture_files.scan(path)
  files = [os.path.join(tree.root, name) for name in tree.files]
  for name in files:  # Neither shall be the one that waits for the disk.
    pathlib.Path(name).read_bytes()
  size = options.resolution
  recipe = decode.Recipe(size, size, 3, 'center_crop', 'lanczos')
  bare(files[:8], size, 1)  # Pillow loads its readers.
  rates = {'folder source': [], 'second start': []}
  for _ in range(options.repeats):
    with tempfile.TemporaryDirectory() as cache:
      def read(cache=cache):
        return pictures.Pictures(
            folder.Folder(path), recipe, cache_dir=cache,
            threads=options.threads)
      for name in ('folder source', 'second start'):
        source, seconds = _timed(read)
        rates[name].append(len(files) / seconds)
    for threads in sorted({1, os.cpu_count() or 1}):
      pixels, seconds = _timed(lambda n=threads: bare(files, size, n))
      rates.setdefault(f'bare Pillow, {threads} thread{"s" * (threads > 1)}',
                       []).append(len(files) / seconds)
    same = (source.images(np.arange(len(files))) == pixels).all((1, 2, 3))
  for name, each in rates.items():
    print(f'{name:22} {statistics.median(each):9.0f} files/s, '
          f'{min(each):.0f} to {max(each):.0f}')
  ours, _, *theirs = rates.values()
  best = max(theirs, key=statistics.median)
  ratio = statistics.median(ours) / statistics.median(best)
  pairs = (f'{a / b:.2f}' for a, b in zip(ours, best, strict=True))
  print(f'ratio of medians {ratio:.2f}; of each pair {" ".join(pairs)}')
  print(f'{len(files):,} files, {same.mean():.2%} of the pictures are the same '
        'in both')
  for what, count in source.notes['decisions'].items():
    print(f'  {what}: {count:,}')


if __name__ == '__main__':
  main()
