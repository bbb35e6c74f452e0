"""Makes batches of real images from (seed, images shown) alone."""
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.arrays.mesh import replicated, split_rows
from msg_gan_jax.config import schema
from msg_gan_jax.data.order import Order
from msg_gan_jax.data.source import Source
from msg_gan_jax.files import cores

# Images that a thread decodes at a time: enough to outweigh the 25 to 100 us
# that grain takes for an element, and few enough to share a batch evenly.
PART = 8
AHEAD_BYTES = 1e9  # Streams decode two batches ahead, but not more than this.


class Batch(NamedTuple):
  """Real images for one step or several, and their labels.

  Attributes:
    images: uint8 [n, B, H, W, C], a batch for each D update, and for G's where
      it has its own; points, [.., 1, 1, 2], are float32.
    labels: int32 [n, B].
  """
  images: jax.Array
  labels: jax.Array


class Batches(Protocol):
  """The real images of training, by how many were shown before."""

  def at(self, images_shown: int, shape: tuple[int, int]) -> Batch:
    """Returns images number images_shown .. images_shown + n * B - 1.

    Args:
      images_shown: real images shown since the start of training.
      shape: (n, B), n being the D updates in one step or several, and B the
        batch on all devices together.

    Returns:
      Batch of global arrays, uint8 [n, B, H, W, C] (points: float32) and
      int32 [n, B], split along B over the mesh's axis 'data'.

    Raises:
      ValueError: B does not divide among the devices.
    """

  def close(self) -> None:
    """Stops what runs in the background."""


def batch_like(source: Source, shape: tuple[int, int],
               mesh: jax.sharding.Mesh) -> Batch:
  """What `at` returns for this shape, as jax.ShapeDtypeStruct."""
  pictures = source.images(np.arange(1))
  like: list[Any] = [
      jax.ShapeDtypeStruct((*shape, *more), kind, sharding=split_rows(mesh, 1))
      for more, kind in ((pictures.shape[1:], pictures.dtype), ((), np.int32))]
  return Batch(*like)


def open_batches(source: Source, config: schema.Config,
                 mesh: jax.sharding.Mesh | None = None) -> Batches:
  """Opens the batches of a source.

  Small sets lie on the device and larger ones stream; their batches are equal
  bit for bit.

  Args:
    source: exactly what training shall see.
    config: the settings.
    mesh: devices in one axis 'data', or None for one device.
  """
  order = Order(len(source), config.seed, config.data.mirror)
  if resident_bytes(source, config, mesh):
    return Resident(source, order, mesh)
  return Streamed(source, order, config.data.threads, mesh)


def resident_bytes(source: Source, config: schema.Config,
                   mesh: jax.sharding.Mesh | None = None) -> int:
  """What all pictures take of each device; 0 where they are streamed."""
  size = len(source) * _bytes_of_one(source)
  fits = size * _copies(mesh) <= config.data.device_gb * 1e9
  return size if fits else 0


def _bytes_of_one(source):
  return source.images(np.arange(1)).nbytes


def _copies(mesh):
  """Counts how often one memory holds a replicated array: CPUs share it."""
  if mesh is None:
    return 1
  return max(1, sum(d.platform == 'cpu' for d in mesh.local_devices))


class Resident:
  """Batches of a set that lies on every device; implements Batches."""

  def __init__(self, source: Source, order: Order,
               mesh: jax.sharding.Mesh | None = None) -> None:
    self._order, self._mesh = order, mesh
    every = np.arange(len(source))
    self._pixels = _replicate(source.images(every), mesh)
    self._labels = _replicate(source.labels(every), mesh)
    split: dict[str, Any] = {}
    if mesh is not None:
      # A numpy array must enter whole; XLA splits the indices, not the images.
      split = dict(
          in_shardings=replicated(mesh), out_shardings=split_rows(mesh, 1))
    self._gather = jit(_gather, **split)

  def at(self, images_shown: int, shape: tuple[int, int]) -> Batch:
    _check(shape, self._mesh)
    indices, flips = self._order(_numbers(images_shown, shape))
    return Batch(
        *self._gather(self._pixels, self._labels, indices, flips))

  def close(self) -> None:
    pass


class Streamed:
  """Batches of a set that threads read ahead; implements Batches.

  What follows the last batch is ready, for as many updates; for more of them,
  and for all else (a resumed run, another batch size), reading starts anew.
  """

  def __init__(self, source: Source, order: Order, threads: int = 0,
               mesh: jax.sharding.Mesh | None = None) -> None:
    self._source, self._order, self._mesh = source, order, mesh
    self._threads = threads or cores.available()
    self._parts: Any = None
    self._next: tuple | None = None

  def at(self, images_shown: int, shape: tuple[int, int]) -> Batch:
    _check(shape, self._mesh)
    images_shown, (n, size) = int(images_shown), shape
    if self._next != (images_shown, size) or n > self._most:
      self._start(images_shown, shape)
    self._next = None  # After an error, the next call starts anew.
    parts = [next(self._parts) for _ in range(n * self._parts_in_update)]
    self._next = images_shown + n * size, size
    return Batch(*(
        self._place(np.concatenate(p), shape)
        for p in zip(*parts, strict=True)))

  def close(self) -> None:
    if self._parts is not None:
      self._parts.close()
    self._parts, self._next = None, None

  def _start(self, images_shown, shape):
    import grain  # It takes 0.7 s, and sets on the device do not need it.
    self.close()
    self._rows = _rows(shape, self._mesh)
    # This process's columns of the first update; the next are a batch further.
    n, size = shape
    self._most = n  # What is read ahead is enough for so many updates.
    numbers = images_shown + self._rows.astype(np.int64)
    parts = _Parts(self._source, self._order, numbers, size, max(
        1, min(PART, n * len(numbers) // (2 * self._threads))))
    self._parts_in_update = parts.in_update
    room = int(AHEAD_BYTES // (parts.size * _bytes_of_one(self._source)))
    ahead = max(2 * self._threads, min(2 * n * parts.in_update, room))
    self._parts = iter(grain.MapDataset.source(parts).to_iter_dataset(
        grain.ReadOptions(num_threads=self._threads,
                          prefetch_buffer_size=ahead)))

  def _place(self, local, shape):
    """This process's columns, flat [n * rows, ...] -> a global array."""
    local = local.reshape(shape[0], len(self._rows), *local.shape[1:])
    if self._mesh is None:
      return jnp.asarray(local)

    def shard(index):
      first, last, _ = index[1].indices(shape[1])
      return local[:, np.searchsorted(self._rows, np.arange(first, last))]

    return jax.make_array_from_callback(
        (*shape, *local.shape[2:]), split_rows(self._mesh, 1), shard)


class _Parts:
  """Parts of this process's side of one update after another, for grain.

  Args:
    numbers: int [n], image numbers of this process in the first update.
    step: image numbers from an update to the next.
    size: numbers in a part; the last of an update may be shorter.
  """

  def __init__(self, source, order, numbers, step, size):
    self.source, self.order = source, order
    self.numbers, self.step, self.size = numbers, step, size
    self.in_update = -(-len(numbers) // size)

  def __len__(self):
    return 2**40  # Training decides where it ends.

  def __getitem__(self, k):
    update, part = divmod(int(k), self.in_update)
    numbers = self.numbers[part * self.size:(part + 1) * self.size]
    indices, flips = self.order(numbers + update * self.step)
    images = self.source.images(indices)
    images = np.where(
        flips[:, None, None, None], images[:, :, ::-1], images)
    return images, self.source.labels(indices)


def _gather(pixels, labels, indices, flips):
  images = pixels.at[indices].get(mode='promise_in_bounds')
  images = jnp.where(
      flips[..., None, None, None], jnp.flip(images, -2), images)
  return images, labels.at[indices].get(mode='promise_in_bounds')


def _numbers(images_shown, shape):
  return int(images_shown) + np.arange(
      shape[0] * shape[1], dtype=np.int64).reshape(shape)


def _check(shape, mesh):
  if mesh is not None and shape[1] % mesh.shape['data']:
    raise ValueError(
        f'config.train.batch: {shape[1]} images do not divide among '
        f"{mesh.shape['data']} devices; wanted a multiple of it.")


def _replicate(array, mesh):
  # device_put would first compare the whole set among processes.
  if mesh is None:
    return jnp.asarray(array)
  return jax.make_array_from_callback(
      array.shape, replicated(mesh), lambda index: array[index])


def _rows(shape, mesh):
  """-> sorted columns of a batch that this process's devices hold."""
  if mesh is None:
    return np.arange(shape[1])
  held = split_rows(mesh, 1).addressable_devices_indices_map(shape).values()
  return np.unique(np.concatenate(
      [np.arange(*columns.indices(shape[1])) for _, columns in held]))
