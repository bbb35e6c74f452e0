"""Checkpoints of a run: written in the background, verified when read."""
import datetime
import difflib
import functools
import hashlib
import json
import logging
import math
import os
import pathlib
import shutil

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

# The layout below a step's folder. A file of another format is refused, and
# is not taken for a damaged one.
FORMAT = 1


def fingerprint(tree):
  """A hex digest of names, shapes, types and bits of every leaf of a tree.

  Equal for equal bits under any sharding and device count; NaNs and signed
  zeros count by their bits.
  """
  text = json.dumps(_describe(_named(tree, 'fingerprint')), sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:16]


class Checkpoints:
  """The checkpoints of one run, a folder for each, named by real images shown.

  Every array's fingerprint is kept beside it and compared when it is read:
  orbax itself loads flipped bits without a word. In a run of several
  processes all of them make the same calls, and share the folder.

  Args:
    path: the folder; it is created unless read_only.
    keep: how many of the latest stay. An older one goes only once a newer
      one lies complete on the disk.
    read_only: for another run's checkpoints: nothing is moved or deleted.

  Attributes:
    passed_over: lines about the damaged checkpoints that the last `restore`
      had to skip.
  """

  def __init__(self, path, keep=2, read_only=False):
    self.path = pathlib.Path(os.path.abspath(path))
    self.keep, self.read_only = keep, read_only
    self.passed_over = []
    self._manager = None
    # What this object wrote or read back: {images: description of leaves}.
    self._known = {}
    if not read_only:
      if jax.process_index() == 0:
        self.path.mkdir(parents=True, exist_ok=True)
      self._remove_leftovers()
      _meet('checkpoints:open')

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.close()

  def steps(self):
    """Images shown at each finished checkpoint, oldest first; not verified."""
    if not self.path.is_dir():
      return []
    return sorted(int(x.name) for x in self.path.iterdir()
                  if x.name.isdigit() and x.is_dir())

  def save(self, images, tree):
    """Starts to write a tree; its buffers may be donated on return.

    Args:
      images: real images shown, the checkpoint's name; not below the latest.
      tree: any tree of jax arrays.

    Returns:
      Whether anything had to be written: not so where the same tree is there
      already.

    Raises:
      OSError: the disk refused this checkpoint, or the one before, which was
        still being written; older ones are intact.
      ValueError: a leaf that is no array, or newer checkpoints lie there.
    """
    if self.read_only:
      raise ValueError(f'checkpoints {self.path}: opened to read only.')
    images = int(images)
    leaves = _named(tree, f'checkpoints {self.path}')
    about = _describe(leaves)
    self.wait()
    latest = _from_main(max(self.steps(), default=-1))
    if images < latest:
      raise ValueError(
          f'checkpoints {self.path}: asked to save at {images} images, but '
          f'there is a checkpoint of {latest}. Continue from that one, or '
          'choose another --workdir.')
    if images == latest:
      if self._holds(images, leaves, about):
        return False
      # It is damaged, or of another state: out of the way, but not lost.
      self._move_aside([images])
      self._reopen()
    ocp = _orbax()
    try:
      self._open_manager().save(images, force=True, args=ocp.args.Composite(
          # orbax refuses empty arrays; their shape is all there is to them.
          state=ocp.args.StandardSave(
              {name: x for name, x in leaves.items() if x.size}),
          record=ocp.args.JsonSave(_sealed(
              {'format': FORMAT, 'images': images, 'leaves': about}))))
    except Exception as error:
      raise self._failed(images, error) from error
    self._known = {images: about}
    return True

  def wait(self):
    """Blocks until what was saved lies on the disk.

    Raises:
      OSError: it could not be written; older checkpoints are intact.
    """
    if self._manager is None:
      return
    try:
      self._manager.wait_until_finished()
    except Exception as error:
      raise self._failed(next(iter(self._known), 0), error) from error

  def close(self):
    """Waits, and ends the threads; the object can still be used."""
    self.wait()
    self._reopen()

  def restore(self, like, partial=False, place=None):
    """The newest intact checkpoint, verified bit by bit.

    Damaged ones that are newer are moved to `damaged/`, once an intact one
    is found; where none is, everything stays as it is.

    Args:
      like: the tree to fill: arrays, or jax.ShapeDtypeStruct with the
        sharding to restore to (without one: the default device).
      partial: read only the leaves of `like`, and let the rest be; a subtree
        that is not wanted is None.
      place: what errors begin with, as 'config.train.init_from'.

    Returns:
      (images, tree), or None where there is no checkpoint.

    Raises:
      ValueError: there are checkpoints, but none is intact; or an intact one
        has other leaves, shapes or types than `like`.
    """
    self.wait()
    self.passed_over = []
    place = place or f'checkpoints {self.path}'
    wanted = _named(like, place)
    steps, damaged = self.steps(), []
    _all_see(steps, place)
    for images in reversed(steps):
      folder = self.path / str(images)
      why = record = None
      try:
        record = _read_record(folder, images)
      except Exception as error:  # orbax and json raise a dozen classes.
        why = _one_line(error)
      if _everyone(why is None):
        # Not damage but another program: never passed over in silence.
        _compare(record, wanted, partial, f'{place}: {folder}')
        try:
          leaves = _read_leaves(folder, wanted)
        except Exception as error:
          why = _one_line(error)
        if _everyone(why is None):
          bad = _first_difference(record['leaves'], _describe(leaves))
          if bad is None:
            self._settle(damaged)
            if not partial:
              self._known = {images: record['leaves']}
            return images, jax.tree.unflatten(
                jax.tree.structure(like), leaves.values())
          why = f'the data of {bad!r} are not those that were saved'
      damaged.append((images, why or 'another process could not read it'))
    if damaged:
      raise ValueError(
          f'{place}: none of the checkpoints in {self.path} is intact:\n' +
          ''.join(f'  {images}: {why}\n' for images, why in damaged) +
          'Nothing was changed. Restore the folder from a copy, or begin '
          'anew in another --workdir.')
    return None

  def _holds(self, images, leaves, about):
    """Whether the checkpoint that is there is whole, and of this tree."""
    if self._known.get(images) == about:
      return True
    try:
      found = self._read_for_save(images, leaves)
    except Exception:
      found = None
    if not _everyone(found is not None):
      return False
    return _describe(found) == about

  def _read_for_save(self, images, leaves):
    folder = self.path / str(images)
    _compare(_read_record(folder, images), leaves, False, '')
    return _read_leaves(folder, leaves)

  def _settle(self, damaged):
    """Moves damaged checkpoints aside, and says so in `passed_over`."""
    moved = {}
    if damaged and not self.read_only:
      moved = self._move_aside([images for images, _ in damaged])
      self._reopen()
    self.passed_over = [
        f'checkpoint {images} is damaged: {why}' +
        (f'; moved to {moved[images]}' if images in moved else '')
        for images, why in damaged]

  def _move_aside(self, steps):
    """{images: its new place below damaged/}."""
    # A person looks for the newest first, so the name ends in the time.
    time = datetime.datetime.now().strftime('%Y%m%d-%H%M%S-%f')
    moved = {images: f'damaged/{images}-{time}' for images in steps}
    if jax.process_index() == 0:
      (self.path / 'damaged').mkdir(exist_ok=True)
      for images, name in moved.items():
        os.replace(self.path / str(images), self.path / name)
    _meet('checkpoints:aside')
    return moved

  def _remove_leftovers(self):
    """Deletes what a writer that was killed, or failed, left half-written."""
    if jax.process_index() == 0:
      for folder in self.path.glob('*.orbax-checkpoint-tmp*'):
        shutil.rmtree(folder, ignore_errors=True)

  def _failed(self, images, error):
    """The error to raise for a write that failed; frees what it left."""
    self._known = {}
    self._reopen()
    self._remove_leftovers()
    return OSError(
        f'checkpoints {self.path}: could not write the checkpoint of {images} '
        f'images: {_one_line(error)}. Older checkpoints are intact: '
        f'{self.steps() or "there are none"}. Make room or repair the disk, '
        'and start the same command again.')

  def _open_manager(self):
    if self._manager is None:
      ocp = _orbax()
      self._manager = _manager_class()(
          self.path, options=ocp.CheckpointManagerOptions(
              max_to_keep=self.keep, enable_async_checkpointing=True,
              # Their metadata are not needed, and may be what is damaged.
              lightweight_initialize=True, save_root_metadata=False))
    return self._manager

  def _reopen(self):
    """Forgets the manager, whose list of steps may be wrong by now."""
    manager, self._manager = self._manager, None
    if manager is not None:
      try:
        manager.close()
      except Exception:
        pass  # What failed was raised by `wait`.


def _orbax():
  """orbax, on first use: its import takes a second; its chatter silenced."""
  import orbax.checkpoint as ocp
  logger = logging.getLogger('absl')
  if _is_not_orbax not in logger.filters:
    logger.addFilter(_is_not_orbax)
  return ocp


def _is_not_orbax(record):
  # Its exceptions reach us as exceptions; printed too, they frighten.
  quiet = record.levelno < logging.ERROR or record.exc_info
  folder = os.path.join('orbax', 'checkpoint')
  return not (folder in record.pathname and quiet)


@functools.cache
def _manager_class():
  class Manager(_orbax().CheckpointManager):

    def reached_preemption(self, step):
      # The loop asks the preemption service at every step. A second caller,
      # from a thread and with an old step, would set its count back.
      del step
      return False

  return Manager


def _named(tree, place):
  """{'g.params.conv.kernel': leaf} in the tree's order."""
  found = {}
  for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
    name = jax.tree_util.keystr(path, simple=True, separator='.') or 'array'
    if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct):
      raise ValueError(
          f'{place}: {name!r} is {type(leaf).__name__} {leaf!r:.60}; wanted '
          'jax arrays only.')
    if name in found:
      raise ValueError(f'{place}: two leaves are called {name!r}.')
    found[name] = leaf
  return found


def _describe(leaves):
  """{name: [dtype, shape, fingerprint as hex]} of named arrays."""
  sums = _fingerprints(leaves)
  return {name: [str(x.dtype), list(x.shape), f'{sums[name]:08x}']
          for name, x in leaves.items()}


def _fingerprints(leaves):
  """{name: uint32}, computed where the arrays are, in one program."""
  groups = {}  # One program cannot read arrays of different devices.
  for name, x in leaves.items():
    groups.setdefault(frozenset(x.sharding.device_set), []).append(name)
  found = {}
  for names in groups.values():
    arrays = [leaves[name] for name in names]
    meshes = [x.sharding.mesh for x in arrays
              if isinstance(x.sharding, jax.sharding.NamedSharding)]
    # Replicated, so that every process can read it.
    out = jax.sharding.NamedSharding(
        meshes[0], jax.sharding.PartitionSpec()) if meshes else None
    sums = np.asarray(_summing(out)(arrays))
    found.update(zip(names, sums.tolist(), strict=True))
  return found


@functools.lru_cache(maxsize=8)
def _summing(out):
  return jax.jit(lambda arrays: jnp.stack([_sum(x) for x in arrays]),
                 out_shardings=out)


def _sum(x):
  """uint32 that changes with any one word: sum of word_i * (2 i + 1).

  A change of one word by c != 0 changes it by c * odd, which is not 0 since
  odd numbers are invertible mod 2**32; more changes at once escape with
  probability 2**-32. The order of the sum does not matter, so any sharding
  gives the same bits. A word is an element, or half of one of 8 bytes.
  """
  if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
    x = jax.random.key_data(x)
  if jnp.issubdtype(x.dtype, jnp.complexfloating):
    x = jnp.stack([x.real, x.imag], -1)
  if x.dtype == bool:
    x = x.astype(jnp.uint8)
  word = {1: jnp.uint8, 2: jnp.uint16}.get(x.dtype.itemsize, jnp.uint32)
  words = lax.bitcast_convert_type(x, word).astype(jnp.uint32)
  # Counted by axes: a reshape to one axis would gather a sharded array.
  index, stride = jnp.zeros(words.shape, jnp.uint32), 1
  for axis in reversed(range(words.ndim)):
    along = lax.broadcasted_iota(jnp.uint32, words.shape, axis)
    index += along * jnp.uint32(stride % 2**32)
    stride *= words.shape[axis]
  return jnp.sum(words * (2 * index + 1), dtype=jnp.uint32)


def _sealed(record):
  """The record with a digest of itself, so that it can be trusted."""
  text = json.dumps(record, sort_keys=True)
  return {**record, 'digest': hashlib.sha256(text.encode()).hexdigest()}


def _read_record(folder, images):
  record = _orbax().JsonCheckpointHandler().restore(_below(folder, 'record'))
  claimed = record.pop('digest', None)
  if _sealed(record)['digest'] != claimed or record['images'] != images:
    raise ValueError('its record is not the one that was saved')
  return record


def _read_leaves(folder, wanted):
  """{name: array} as the named leaves of `like` ask for."""
  ocp = _orbax()
  default = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  target = {
      name: jax.ShapeDtypeStruct(
          x.shape, x.dtype, sharding=x.sharding or default)
      for name, x in wanted.items() if math.prod(x.shape)}
  # The handler, not a manager: its barrier would hang where one process
  # fails to read and another does not.
  found = ocp.PyTreeCheckpointHandler().restore(
      _below(folder, 'state'), args=ocp.args.PyTreeRestore(
          item=target, partial_restore=True,
          restore_args=ocp.checkpoint_utils.construct_restore_args(target)))
  return {
      name: found[name] if name in found else jax.device_put(
          jnp.zeros(x.shape, x.dtype), x.sharding or default)
      for name, x in wanted.items()}


def _below(folder, item):
  """orbax wants its own kind of path."""
  from etils import epath
  return epath.Path(folder) / item


def _compare(record, wanted, partial, place):
  """Raises for the first leaf that is not what `wanted` asks for."""
  if record['format'] != FORMAT:
    raise ValueError(
        f'{place}: written in format {record["format"]}; this version of '
        f'msg_gan_jax reads format {FORMAT}.')
  other = ('The checkpoint was written by another version of the program, or '
           'under another config.')
  saved = record['leaves']
  for name, x in wanted.items():
    if name not in saved:
      close = difflib.get_close_matches(name, saved, n=1, cutoff=.5)
      hint = f'; the nearest is {close[0]!r}' if close else ''
      raise ValueError(f'{place}: it has no {name!r}{hint}. {other}')
    dtype, shape, _ = saved[name]
    if (str(x.dtype), list(x.shape)) != (dtype, shape):
      raise ValueError(
          f'{place}: {name!r} is {_kind(dtype, shape)}; wanted '
          f'{_kind(x.dtype, x.shape)}. {other}')
  for name in saved:
    if name not in wanted and not partial:
      raise ValueError(
          f'{place}: it has {name!r}, for which there is no place now. '
          f'{other}')


def _kind(dtype, shape):
  return f'{dtype}[{", ".join(str(n) for n in shape)}]'


def _first_difference(saved, found):
  return next((name for name in found if saved[name] != found[name]), None)


def _one_line(error):
  text = ' '.join(str(error).split())
  text = text if len(text) <= 300 else text[:297] + '...'
  return f'{type(error).__name__}: {text}' if text else type(error).__name__


def _meet(name):
  """A barrier of all processes."""
  if jax.process_count() > 1:
    from jax.experimental import multihost_utils
    multihost_utils.sync_global_devices(name)


def _from_main(number):
  """The number that process 0 has."""
  if jax.process_count() == 1:
    return number
  from jax.experimental import multihost_utils
  # As two words: jax would cut an int64 down.
  high, low = multihost_utils.broadcast_one_to_all(
      np.asarray(divmod(number, 2**31), np.int32))
  return int(high) * 2**31 + int(low)


def _everyone(fine):
  """Whether it is fine in every process, so that all take the same way."""
  if jax.process_count() == 1:
    return fine
  from jax.experimental import multihost_utils
  return bool(np.all(multihost_utils.process_allgather(np.asarray(fine))))


def _all_see(steps, place):
  """Raises where processes see different folders."""
  digest = hashlib.sha256(repr(steps).encode()).digest()
  mine = int.from_bytes(digest[:4], 'big')
  if not _everyone(mine == _from_main(mine)):
    raise ValueError(
        f'{place}: the processes of this run see different checkpoints '
        f'(process {jax.process_index()}: {steps}). Their --workdir must lie '
        'on a file system that all of them share.')
