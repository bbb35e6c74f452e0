"""Pictures of any number -> features: sharded, in batches, none left out."""
from collections.abc import Sequence
from concurrent import futures
import functools
import hashlib
import json

import jax
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import data_mesh, replicated, split_rows
from msg_gan_jax.data.mixed_sizes import MixedSizes
from msg_gan_jax.data.source import Source
from msg_gan_jax.files import cache, cores, progress
from msg_gan_jax.metrics.features.table import Extractor
from msg_gan_jax.metrics.functional import frechet, running_moments

VERSION = 1  # Of what is cached; a change that moves a feature adds 1.
MOST_BYTES = 2**32  # Of features that are kept in memory.
BAR_FROM = 4096  # Pictures; fewer are done before a bar could be read.


def features(source: Source, extractor: Extractor,
             indices: np.ndarray | None = None, title: str = 'pictures',
             devices: Sequence[jax.Device] | None = None) -> dict[
                 str, np.ndarray]:
  """The features of pictures.

  Args:
    source: the pictures.
    extractor: what features are taken by.
    indices: which pictures; None is all.
    title: what they are, for the person who waits.
    devices: over which a batch is split; None is all of this process.

  Returns:
    {tap: float32 [n, d]}, in the order of `indices`.

  Raises:
    ValueError: there are no pictures, or a feature is not finite.
  """
  indices = np.arange(len(source)) if indices is None else np.asarray(indices)
  parts = [
      {tap: np.asarray(x)[:count] for tap, x in batch.items()}
      for batch, count in _batches(source, extractor, indices, title, devices)]
  taps = {tap: np.concatenate([part[tap] for part in parts])
          for tap in parts[0]}
  for tap, values in taps.items():
    bad = np.flatnonzero(~np.isfinite(values).all(1))
    if len(bad):
      raise ValueError(
          f'{title}: {extractor.name} of picture {indices[bad[0]]} is not '
          f'finite, at the tap {tap}; {len(bad)} are so.')
  return taps


def moments(source: Source, extractor: Extractor, tap: str,
            indices: np.ndarray | None = None, title: str = 'pictures',
            devices: Sequence[jax.Device] | None = None) -> frechet.Moments:
  """Moments of features that are summed on the device, and not kept.

  Args:
    tap: which features; the other arguments are those of `features`.

  Returns:
    frechet.Moments, of compensated float32 sums.
  """
  indices = np.arange(len(source)) if indices is None else np.asarray(indices)
  add = jit(running_moments.add)
  sums: running_moments.Sums | None = None
  for batch, count in _batches(source, extractor, indices, title, devices):
    x = batch[tap]
    if sums is None:  # About a row of their own, sums lose fewer digits.
      sums = running_moments.start(x[0])
    sums = add(sums, x, np.arange(len(x)) < count)
  assert sums is not None  # _batches refuses an empty set.
  return running_moments.finish(sums)


def _batches(source, extractor, indices, title, devices):
  """Yields ({tap: [B, d] on the device}, how many rows count) until all did."""
  if not len(indices):
    raise ValueError(f'{title}: no pictures.')
  devices = devices or jax.local_devices()
  mesh = data_mesh(devices)
  rows, same = split_rows(mesh), replicated(mesh)
  # All batches have one shape, or there would be a second program for the last.
  size = min(extractor.batch, len(indices))
  size = -(-size // len(devices)) * len(devices)
  run = jit(extractor.apply, in_shardings=(same, rows), out_shardings=same)
  params = jax.device_put(extractor.params, same)

  def read(start):
    images = _images(source, extractor, indices[start:start + size])
    # Filled up with the last one, which is cut off again.
    fill = size - len(images)
    return np.concatenate([images, images[-1:].repeat(fill, 0)]) if (
        fill) else images

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


def _images(source, extractor, indices):
  """What the extractor is shown: uint8, or of several sizes float32."""
  if extractor.fit and isinstance(source, MixedSizes):
    # Decoding and products of matrices leave the interpreter's lock alone.
    with futures.ThreadPoolExecutor(cores.available()) as pool:
      return np.stack([*pool.map(
          lambda i: extractor.fit(source.own_size(i)), indices)])
  return source.images(indices)


def features_from_cache(
    source: Source, extractor: Extractor, indices: np.ndarray, title: str,
    cache_dir: str = '',
    devices: Sequence[jax.Device] | None = None) -> dict[str, np.ndarray]:
  """As `features`, from the cache folder where the same was computed before.

  What is kept depends on the content: the pictures' digest, their indices and
  the extractor's. Where the folder takes nothing, nothing is kept.
  """
  @functools.cache
  def compute():
    return features(source, extractor, indices, title, devices)

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
