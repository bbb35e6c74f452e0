"""A folder of picture files as a source: decoded once, kept, memory-mapped."""
import collections
from concurrent import futures
import contextlib
import errno
import hashlib
import json
import os
import sys
import threading
import warnings

import numpy as np
import tqdm

from msg_gan_jax.data import cache, decode, tree

VERSION = 1  # Of the cache; a change of decode.py that moves a pixel adds 1.
CHUNK_BYTES = 16_000_000  # What a thread decodes at a time, at most 64 files.
# Below 5 kB a file PIL spends its time under the interpreter's lock, and a
# second thread is in the way: 32 px 109 -> 106 us, 128 px 139 -> 182 us, and
# only at 256 px (6.5 kB) 410 -> 342 us.
ONE_THREAD_BYTES = 5_000
FEW = 8  # So few are decoded by the caller, which may be one of many threads.
BAR_FROM = 2_000  # Fewer files are done before a bar could be read.
# An open file too many is this process's fault, and not the picture's.
NOT_THE_FILES_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Folder:
  """Pictures in a folder; implements source.Source.

  Args:
    path: the folder; see tree.scan for what may lie in it.
    resolution: height and width that every picture gets.
    channels: 1, 3 or 4.
    resize: 'center_crop', 'pad' (black, or clear when channels=4), 'stretch'.
    filter: 'lanczos' or 'area'.
    on_bad: what a broken file does, 'error' or 'skip'.
    cache_dir: where decoded pictures are kept; '' is the user's cache folder.
    cache_gb: sets up to this size are decoded once and kept; of larger ones
      only the notes are kept, and `images` decodes.
    threads: that decode; 0 is one a core, or one in all for small files.

  Raises:
    ValueError: nothing to read, or a broken file with on_bad='error'.
  """

  def __init__(self, path, resolution, channels=3, resize='center_crop',
               filter='lanczos', on_bad='error', cache_dir='', cache_gb=4.,
               threads=0):
    if channels not in decode.MODES:
      raise ValueError(
          f'config.data.channels: a folder has pictures of 1 (grey), 3 '
          f'(colour) or 4 (with alpha) channels, found {channels}.')
    self._recipe = decode.Recipe(resolution, channels, resize, filter)
    self._skip = on_bad == 'skip'
    self._tree = tree.scan(path)
    self._cache_dir = os.path.abspath(
        os.path.expanduser(cache_dir or cache.default_folder()))
    self._threads = threads or self._best_threads()
    self._pool, self._pool_lock = None, threading.Lock()
    self.name = os.path.basename(self._tree.root) or self._tree.root
    self.shape = (resolution, resolution, channels)
    self.classes = self._tree.classes
    size = len(self._tree.files) * self._row_bytes()
    self._pixels = None
    about = self._read(streamed=size > cache_gb * 1e9)
    bad = {name for name, _ in about['skipped']}
    kept = [i for i, f in enumerate(self._tree.files) if f not in bad]
    self._files = [self._tree.files[i] for i in kept]
    self._labels = np.array([self._tree.labels[i] for i in kept], np.int32)
    self.notes = self._notes(about)
    self._digest = self._whole_digest(about['sha256'])

  def __len__(self):
    return len(self._files)

  def images(self, indices):
    indices = np.asarray(indices)
    if self._pixels is not None:
      return self._pixels[indices]
    pixels = np.empty((len(indices), *self.shape), np.uint8)
    for row, picture in enumerate(self._map(self._one, indices)):
      pixels[row] = picture
    return pixels

  def labels(self, indices):
    return self._labels[np.asarray(indices)]

  def factors(self, indices):
    return {}

  def digest(self):
    """Of all pixels; of names, sizes and times where the set is streamed."""
    return self._digest

  def _read(self, streamed):
    """Pixels, when they are kept, and what is known of them."""
    if streamed:
      self._kept = 'streamed from the files'
      try:
        return cache.fetch(self._cache_dir, self._key('streamed'), None, 0,
                           lambda _: self._produce(None))[1]
      except OSError as error:
        self._complain(error)
        return self._produce(None)
    self._kept = self._cache_dir
    rows = len(self._tree.files)
    try:
      self._pixels, about = cache.fetch(
          self._cache_dir, self._key('decoded'), self.shape, rows,
          self._produce)
      return about
    except OSError as error:
      self._complain(error)
    self._kept = 'in memory'
    pixels, count = np.empty((rows, *self.shape), np.uint8), 0

    def append(block):
      nonlocal count
      pixels[count:count + len(block)] = block
      count += len(block)

    about = self._produce(append)
    self._pixels = pixels[:count]
    return about

  def _complain(self, error):
    print(f'config.data.cache_dir: {self._cache_dir!r} does not take the '
          f'decoded pictures: {error}. They are decoded at every start.',
          file=sys.stderr)

  def _produce(self, append):
    """Decodes all files; append(block) in order, or only looks when None."""
    only_look = append is None and not self._skip
    read = self._look if only_look else self._decode
    seen, skipped, digest = collections.Counter(), [], hashlib.sha256()
    with self._quiet(), self._bar() as bar:
      for pixels, seen_here, bad in self._in_order(read):
        if append is not None and len(pixels):
          digest.update(pixels)
          append(pixels)
        seen.update(seen_here)
        skipped += bad
        bar.update(len(bad) + sum(seen_here.values()))
    if len(skipped) == len(self._tree.files):
      raise ValueError(
          f'config.data.path: all {len(skipped)} picture files in '
          f'{self._tree.root!r} are broken; the first is {skipped[0][0]!r}: '
          f'{skipped[0][1]}.')
    return {
        'skipped': skipped,
        'seen': [[*kind, count] for kind, count in seen.most_common()],
        'sha256': digest.hexdigest() if append is not None else '',
    }

  def _in_order(self, read):
    """Results of read(chunk of files), in order, a few of them ahead."""
    size = max(1, min(64, CHUNK_BYTES // self._row_bytes()))
    files = self._tree.files
    chunks = (files[i:i + size] for i in range(0, len(files), size))
    waiting = collections.deque()
    with futures.ThreadPoolExecutor(self._threads) as pool:
      try:
        for chunk in chunks:
          waiting.append(pool.submit(read, chunk))
          if len(waiting) > 2 * self._threads:
            yield waiting.popleft().result()
        while waiting:
          yield waiting.popleft().result()
      finally:
        pool.shutdown(wait=False, cancel_futures=True)

  def _decode(self, files):
    """-> (pixels of the good files, Counter of Seen, [[bad file, why]])."""
    pixels = np.empty((len(files), *self.shape), np.uint8)
    seen, bad, count = [], [], 0
    for name in files:
      try:
        pixels[count], found = decode.decode(self._path(name), self._recipe)
      except Exception as error:  # PIL raises many kinds.
        bad.append(self._bad(name, error))
      else:
        seen.append(found)
        count += 1
    return pixels[:count], collections.Counter(seen), bad

  def _look(self, files):
    seen = []
    for name in files:
      try:
        seen.append(decode.look(self._path(name)))
      except Exception as error:
        self._bad(name, error)
    return (), collections.Counter(seen), []

  def _one(self, index):
    name = self._files[index]
    try:
      return decode.decode(self._path(name), self._recipe)[0]
    except Exception as error:
      raise self._broken(name, error) from error

  def _bad(self, name, error):
    if (not self._skip or isinstance(error, MemoryError)
        or getattr(error, 'errno', None) in NOT_THE_FILES_FAULT):
      raise self._broken(name, error) from error
    return [name, f'{type(error).__name__}: {error}']

  def _broken(self, name, error):
    return ValueError(
        f'config.data.path: cannot read {self._path(name)!r}: {error} '
        f"({type(error).__name__}). Remove it, or set config.data.on_bad="
        "'skip'.")

  def _map(self, function, items):
    if self._threads == 1 or len(items) <= FEW:
      return map(function, items)
    with self._pool_lock:
      if self._pool is None:
        self._pool = futures.ThreadPoolExecutor(self._threads)
    return self._pool.map(function, items)

  def _path(self, name):
    return f'{self._tree.root}/{name}'

  def _row_bytes(self):
    return self._recipe.resolution**2 * self._recipe.channels

  def _best_threads(self):
    mean = np.mean([size for size, _ in self._tree.stats])
    return 1 if mean < ONE_THREAD_BYTES else os.cpu_count() or 1

  @contextlib.contextmanager
  def _quiet(self):
    # PIL warns of odd EXIF and of 90 megapixels without naming the file; at
    # twice that it raises, and that is an error here too.
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')
      yield

  def _bar(self):
    total = len(self._tree.files)
    return tqdm.tqdm(total=total, desc=f'Reading {self.name}', unit=' files',
                     file=sys.stderr, disable=total < BAR_FROM,
                     mininterval=.5 if sys.stderr.isatty() else 10)

  def _key(self, kind):
    """Of all that the pixels depend on, short of the bytes of the files."""
    # The root too: two unpacked archives may share names, sizes and times.
    return self._hash(kind, self._skip, self._tree.root)

  def _hash(self, *more):
    digest = hashlib.sha256(json.dumps(
        [VERSION, self._recipe, *more]).encode())
    digest.update(os.fsencode('\0'.join(self._tree.files)))
    digest.update(np.array(self._tree.stats, np.int64).tobytes())
    return digest.hexdigest()

  def _whole_digest(self, pixels):
    labelled = json.dumps(
        [pixels or self._hash(), self._recipe, self.classes]).encode()
    return hashlib.sha256(labelled + self._labels.tobytes()).hexdigest()

  def _notes(self, about):
    seen = [(decode.Seen(*row[:-1]), row[-1]) for row in about['seen']]
    sizes, modes = collections.Counter(), collections.Counter()
    for one, count in seen:
      sizes[f'{one.width}x{one.height}'] += count
      modes[one.mode] += count
    per_class = np.bincount(self._labels, minlength=len(self.classes))
    streamed = self._pixels is None
    return {
        'path': self._tree.root,
        'pictures': len(self),
        'per_class': dict(zip(self.classes, per_class.tolist(), strict=False)),
        'sizes': dict(sizes.most_common(5)),
        'different_sizes': len(sizes),
        'widths': _span(one.width for one, _ in seen),
        'heights': _span(one.height for one, _ in seen),
        'modes': dict(modes.most_common()),
        'decisions': _decisions(self._recipe, seen),
        'skipped': about['skipped'],
        'kept': self._kept,
        'digest_of': ('names, sizes and times of the files' if streamed
                      else 'pixels and labels'),
        **self._tree.notes,
    }


def _span(values):
  values = list(values)
  return [min(values), max(values)]


def _decisions(recipe, seen):
  """How many pictures were changed, and how; only what did happen."""
  size, mode = recipe.resolution, decode.MODES[recipe.channels]
  made = {'center_crop': 'cropped to the middle square',
          'pad': 'padded with ' + ('nothing' if mode == 'RGBA' else 'black'),
          'stretch': 'stretched to a square'}[recipe.resize]
  edge = max if recipe.resize == 'pad' else min
  done = collections.Counter()
  for one, count in seen:
    side = edge(one.width, one.height)
    for happened, what in (
        (one.turned, 'turned as their EXIF says'),
        (one.mode.startswith('I'), '16-bit grey scaled to 8 bits'),
        (one.alpha and mode != 'RGBA', 'alpha laid on white'),
        (one.mode != mode, f'converted from {one.mode} to {mode}'),
        (one.width != one.height, made),
        (side < size, f'scaled up with {recipe.filter}'),
        (side > size, f'scaled down with {recipe.filter}'),
    ):
      if happened:
        done[what] += count
  return dict(done.most_common())
