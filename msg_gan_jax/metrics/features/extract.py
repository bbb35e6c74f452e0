"""Pictures of any number -> features: sharded, in batches, none left out."""
from concurrent import futures
import hashlib
import json

import jax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
import numpy as np

from msg_gan_jax.files import cache, progress
from msg_gan_jax.metrics.functional import running_moments

VERSION = 1  # Of what is cached; a change that moves a feature adds 1.
MOST_BYTES = 2**32  # Of features that are kept in memory.
BAR_FROM = 4096  # Pictures; fewer are done before a bar could be read.


def features(source, extractor, indices=None, title='pictures', devices=None):
  """The features of pictures.

  Args:
    source: source.Source.
    extractor: features.Extractor.
    indices: which pictures; None is all.
    title: what they are, for the person who waits.
    devices: over which a batch is split; None is all of this process.

  Returns:
    {tap: float32 [n, d]}, in the order of `indices`.

  Raises:
    ValueError: no pictures, or a feature that is not finite.
  """
  indices = np.arange(len(source)) if indices is None else np.asarray(indices)
  parts = [
      {tap: np.asarray(x)[:count] for tap, x in found.items()}
      for found, count in _batches(source, extractor, indices, title, devices)]
  found = {tap: np.concatenate([part[tap] for part in parts])
           for tap in parts[0]}
  for tap, values in found.items():
    bad = np.flatnonzero(~np.isfinite(values).all(1))
    if len(bad):
      raise ValueError(
          f'{title}: {extractor.name} of picture {indices[bad[0]]} is not '
          f'finite, at the tap {tap}; {len(bad)} are so.')
  return found


def moments(source, extractor, tap, indices=None, title='pictures',
            devices=None):
  """Moments of features that are summed on the device, and not kept.

  Args:
    tap: of which features; the rest as for `features`.

  Returns:
    frechet.Moments, of compensated float32 sums.
  """
  indices = np.arange(len(source)) if indices is None else np.asarray(indices)
  add, sums = jax.jit(running_moments.add), None
  for found, count in _batches(source, extractor, indices, title, devices):
    x = found[tap]
    if sums is None:  # About a row of their own, sums lose fewer digits.
      sums = running_moments.start(x[0])
    sums = add(sums, x, np.arange(len(x)) < count)
  return running_moments.finish(sums)


def _batches(source, extractor, indices, title, devices):
  """Yields ({tap: [B, d] on the device}, how many rows count) until all did."""
  if not len(indices):
    raise ValueError(f'{title}: no pictures.')
  devices = devices or jax.local_devices()
  mesh = Mesh(np.asarray(devices), ('data',))
  rows, same = NamedSharding(mesh, P('data')), NamedSharding(mesh, P())
  # All batches have one shape, or there would be a second program for the last.
  size = min(extractor.batch, len(indices))
  size = -(-size // len(devices)) * len(devices)
  run = jax.jit(extractor.apply, in_shardings=(same, rows), out_shardings=same)
  params = jax.device_put(extractor.params, same)

  def read(start):
    some = indices[start:start + size]
    # Filled up with the last one, which is cut off again.
    return source.images(np.pad(some, (0, size - len(some)), mode='edge'))

  with futures.ThreadPoolExecutor(1) as reader, progress.bar(
      total=len(indices), desc=f'{extractor.name} of {title}',
      unit=' pictures', disable=len(indices) < BAR_FROM) as bar:
    ahead = reader.submit(read, 0)
    for start in range(0, len(indices), size):
      images = ahead.result()
      if start + size < len(indices):
        ahead = reader.submit(read, start + size)
      count = min(size, len(indices) - start)
      yield run(params, jax.device_put(images, rows)), count
      bar.update(count)


def kept(source, extractor, indices, title, cache_dir='', devices=None):
  """As `features`, from the cache folder where the same was computed before.

  What is kept depends on the content: the pictures' digest, their indices and
  the extractor's. Where the folder takes nothing, nothing is kept.
  """
  found = {}

  def compute():
    if not found:
      found.update(features(source, extractor, indices, title, devices))
    return found

  facts = [source.digest(), hashlib.sha256(
      np.asarray(indices, np.int64).tobytes()).hexdigest(),
           extractor.digest, VERSION]
  loaded = {}
  for tap, width in extractor.taps.items():
    key = hashlib.sha256(json.dumps(
        ['features', tap, *facts]).encode()).hexdigest()

    def produce(append, tap=tap):
      append(np.ascontiguousarray(compute()[tap]).view(np.uint8))
      return {'extractor': extractor.name, 'tap': tap}

    try:
      rows, _ = cache.fetch(cache.folder(cache_dir), key, (4 * width,),
                            len(indices), produce)
    except OSError:  # No room for it: it is computed at every start.
      return compute()
    loaded[tap] = np.ascontiguousarray(rows).view(np.float32)
  return loaded
