"""How fast a folder is decoded for the first time, beside bare Pillow.

  python benchmarks/folder.py /data/faces --resolution=64
  python benchmarks/folder.py --made=13000 --resolution=64
  python benchmarks/folder.py --made=2000 --resolution=256 --profile

The folder source, with an empty cache, and a plain loop of Pillow alternate on
the same cores. The loop runs in one thread and in one a core, and its faster
rate counts; with --threads both have as many. --made makes a set of its own,
three of four as JPEG and one as PNG, a quarter of them grey: drawn heads of 25
to 350 px, or, for more than 64 pixels, heads with the texture of photographs,
1.25 to 4 times as large as what they become.
"""
import argparse
import collections
from concurrent import futures
import contextlib
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time
from unittest import mock

import numpy as np
from PIL import Image, ImageFile
import throughput  # beside this file

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from msg_gan_jax.data import decode, decoder, picture_files, pictures
from msg_gan_jax.data.drawn import avatars
from msg_gan_jax.data.stores import folder
from msg_gan_jax.files import cache

# What --profile counts apart: name, and where Pillow or this project does it.
STAGES = {
    'read the file': (folder.Folder, '_read_file'),
    'open': (Image, 'open'),
    'decode': (ImageFile.ImageFile, 'load'),
    'convert': (Image.Image, 'convert'),
    'crop': (Image.Image, 'crop'),
    'resize': (Image.Image, 'resize'),
    'verify what is kept': (cache, '_sha256'),
    'flush to the disk': (cache, 'flush_to_disk'),
}


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


def make(folder, count, resolution, seed=0):
  """`count` picture files in a folder, for a source of this resolution."""
  rng = np.random.default_rng(seed)
  heads = avatars.Avatars(64, 384).images(np.arange(64))
  shortest, longest = 25, 350
  texture = None
  if resolution > 64:
    shortest, longest = 5 * resolution // 4, 4 * resolution
    texture = _texture(rng, 2 * longest)
  os.makedirs(folder, exist_ok=True)
  for i in range(count):
    width, height = (int(x) for x in rng.integers(shortest, longest + 1, 2))
    image = Image.fromarray(heads[i % 64])
    left, top = rng.integers(0, 32, 2)
    image = image.crop((left, top, left + 352, top + 352))
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    if texture is not None:
      left, top = rng.integers(0, longest, 2)
      grain = texture[top:top + height, left:left + width, None]
      image = Image.fromarray(
          (np.asarray(image) + grain).clip(0, 255).astype(np.uint8))
    if rng.random() < .25:
      image = image.convert('L')
    kind = 'png' if rng.random() < .25 else 'jpg'
    image.save(os.path.join(folder, f'{i:05}.{kind}'), quality=90)


def _texture(rng, side):
  """int16 [side, side] of deviation 20, whose spectrum falls as 1/frequency.

  That is how photographs look, and so what it costs to decode them (Field 1987,
  doi:10.1364/JOSAA.4.002379).
  """
  rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)
  frequency = np.maximum(np.hypot(rows, columns), 1 / side)
  waves = np.fft.rfft2(rng.standard_normal((side, side)))
  texture = np.fft.irfft2(waves / frequency, (side, side))
  return (20 * texture / texture.std()).astype(np.int16)


class Stages:
  """Processor seconds in each stage, without the stages that it calls."""

  def __init__(self):
    self.seconds = collections.Counter()
    self._inside = threading.local()

  def timed(self, stage, function):
    """The same function, whose time is counted."""
    def run(*args, **kwargs):
      before = getattr(self._inside, 'seconds', 0.)
      self._inside.seconds = 0.
      result, passed = _timed(
          lambda: function(*args, **kwargs), time.thread_time)
      self.seconds[stage] += passed - self._inside.seconds
      self._inside.seconds = before + passed
      return result
    return run

  @contextlib.contextmanager
  def counted(self):
    """Counts what STAGES names, and what takes the decoded pictures."""
    read_all = decoder.Decoder.read_all

    def read(reader, append):
      return read_all(reader, self.timed('hash and write', append))

    with contextlib.ExitStack() as stack:
      stack.enter_context(mock.patch.object(decoder.Decoder, 'read_all', read))
      for stage, (owner, name) in STAGES.items():
        stack.enter_context(mock.patch.object(
            owner, name, self.timed(stage, getattr(owner, name))))
      yield


def profile(read, bare_read, count):
  """Prints milliseconds a picture in each stage, of one thread each."""
  columns = {}
  for name, function in (('folder source', read), ('bare Pillow', bare_read)):
    stages = Stages()
    with stages.counted():
      (_, clock), processor = _timed(
          lambda function=function: _timed(function), time.process_time)
    rest = processor - stages.seconds.total()
    columns[name] = {**stages.seconds, 'the rest': rest,
                     'processor in all': processor, 'by the clock': clock}
  print(*throughput.table({
      stage: {f'{name}, ms': f'{1e3 * seconds.get(stage, 0) / count:.3f}'
              for name, seconds in columns.items()}
      for stage in columns['folder source']}), sep='\n')


def _timed(function, clock=time.perf_counter):
  start = clock()
  result = function()
  return result, clock() - start


def main():
  flags = argparse.ArgumentParser(
      description=__doc__,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('path', nargs='?', help='the folder of the pictures')
  flags.add_argument('--made', type=int, default=0,
                     help='how many pictures to make instead')
  flags.add_argument('--resolution', type=int, default=32)
  flags.add_argument('--threads', type=int, default=0, help="of both; 0 is the "
                     "source's own choice, and Pillow's faster one")
  flags.add_argument('--repeats', type=int, default=5)
  flags.add_argument('--profile', action='store_true', help='also print where '
                     'the time goes, in one thread')
  options = flags.parse_args()
  if bool(options.path) == bool(options.made):
    flags.error('wanted a path, or --made, and not both')
  with contextlib.ExitStack() as stack:
    path = options.path
    if options.made:
      path = stack.enter_context(tempfile.TemporaryDirectory())
      make(path, options.made, options.resolution)
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

  def read(cache_dir, threads=options.threads):
    return pictures.Pictures(
        folder.Folder(path), recipe, cache_dir=cache_dir, threads=threads)

  rates = {'folder source': [], 'second start': []}
  for _ in range(options.repeats):
    with tempfile.TemporaryDirectory() as cache_dir:
      for each in rates['folder source'], rates['second start']:
        source, seconds = _timed(lambda where=cache_dir: read(where))
        each.append(len(files) / seconds)
    for threads in sorted({options.threads} if options.threads else {
        1, os.cpu_count() or 1}):
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
  if options.profile:
    with tempfile.TemporaryDirectory() as cache_dir:
      profile(lambda: read(cache_dir, 1), lambda: bare(files, size, 1),
              len(files))


if __name__ == '__main__':
  main()
