"""What a checkpoint is on disk; the one module that knows orbax."""
from collections.abc import Callable, Mapping
import functools
import gc
import hashlib
import json
import logging
import math
import os
import pathlib
import sys
import time
import traceback
from typing import Any, TypeVar
import warnings

import jax
import jax.numpy as jnp

# The layout below a step's folder. A checkpoint of another format is refused;
# it does not count as damaged.
FORMAT = 1
Result = TypeVar('Result')


_FOLDER = os.path.join('orbax', 'checkpoint')


@functools.cache
def _orbax():
  """orbax, on first use: its import takes a second; its chatter silenced.

  Its exceptions reach us as exceptions. Where one array cannot be written, it
  drops all others unfinished, and each would print a page of its own when it is
  collected, at any later time and in any thread.
  """
  import orbax.checkpoint as ocp
  logging.getLogger('absl').addFilter(_is_not_orbax)
  logging.getLogger('asyncio').addFilter(_is_no_task_of_orbax)
  sys.unraisablehook = functools.partial(_unraisable, sys.unraisablehook)
  return ocp


def _is_not_orbax(record):
  quiet = record.levelno < logging.ERROR or record.exc_info
  return not (_FOLDER in record.pathname and quiet)


def _is_no_task_of_orbax(record):
  error = record.exc_info[1] if record.exc_info else None
  return not (_FOLDER in record.getMessage() or _passed_orbax(error))


def _unraisable(hook, event):
  code = getattr(event.object, 'cr_code', None)
  # TensorStore tells a task that was dropped, which no Python called.
  of_tensorstore = event.object is None and isinstance(
      event.exc_value, RuntimeError) and (
          str(event.exc_value) == 'Event loop is closed')
  if not (of_tensorstore or _FOLDER in getattr(code, 'co_filename', '') or
          _passed_orbax(event.exc_value)):
    hook(event)


def _passed_orbax(error):
  """Whether an error came through a file of orbax."""
  return error is not None and any(
      _FOLDER in frame.f_code.co_filename
      for frame, _ in traceback.walk_tb(error.__traceback__))


@functools.cache
def _manager_class():
  base: Any = _orbax().CheckpointManager

  class Manager(base):

    def reached_preemption(self, step):
      # The loop asks the preemption service at every step. A second caller,
      # from a thread and with an old step, would set its count back.
      del step
      return False

  return Manager


class _Preserved:
  """orbax's policy of what stays: the steps that a function says."""

  def __init__(self, stays):
    self._stays = stays

  def should_preserve(self, checkpoints, *, context):
    del context
    return self._stays([x.step for x in checkpoints])


def open_manager(path: pathlib.Path,
                 stays: Callable[[list[int]], list[bool]]) -> Any:
  """orbax's writer of a folder of checkpoints.

  Args:
    path: the folder.
    stays: images of all checkpoints, oldest first -> which of them stay once a
      newer one lies complete on the disk.
  """
  options = _orbax().CheckpointManagerOptions(
      preservation_policy=_Preserved(stays), enable_async_checkpointing=True,
      # Their metadata are not needed, and may be what is damaged.
      lightweight_initialize=True, save_root_metadata=False)
  return _manager_class()(path, options=options)


def save(manager: Any, images: int, leaves: Mapping[str, jax.Array],
         about: Mapping[str, list], notes: Mapping[str, Any]) -> None:
  """Starts to write named arrays and the record of what they are.

  Args:
    manager: from `open_manager`.
    images: real images shown, the checkpoint's name.
    leaves: {name: array}.
    about: what fingerprints.describe says of them.
    notes: plain JSON that belongs to them.
  """
  args = _orbax().args
  manager.save(images, force=True, args=args.Composite(
      # orbax refuses empty arrays; their shape is all there is to them.
      state=args.StandardSave({name: x for name, x in leaves.items()
                               if math.prod(x.shape)}),
      record=args.JsonSave(_sealed({
          'format': FORMAT, 'images': images, 'leaves': about,
          'notes': dict(notes)}))))


def _sealed(record):
  """The record with a digest of itself, so that it can be trusted."""
  text = json.dumps(record, sort_keys=True)
  return {**record, 'digest': hashlib.sha256(text.encode()).hexdigest()}


def attempt(read: Callable[..., Result], *args: Any) -> tuple[
    Result | None, str | None]:
  """(what `read` returns, None), or (None, a line about why it failed).

  Raises:
    TypeError, AttributeError, NameError: a mistake in this program, which must
      not pass for damage.
  """
  try:
    return read(*args), None
  except Exception as error:  # orbax and json raise a dozen classes.
    if isinstance(error, TypeError | AttributeError | NameError) and (
        _is_ours(error)):
      raise
    why = one_line(error)
  let_go()
  return None, why


def let_go(error: BaseException | None = None) -> None:
  """Ends what orbax drops where it fails, which would warn when it ends.

  Args:
    error: whose frames hold it, and are emptied.
  """
  while error is not None:
    traceback.clear_frames(error.__traceback__)
    error = error.__cause__ or error.__context__
  with warnings.catch_warnings(action='ignore'):
    for _ in range(3):
      gc.collect()
      time.sleep(.02)


def read_record(folder: pathlib.Path) -> dict[str, Any]:
  """{'format', 'images', 'leaves', 'notes'} of a checkpoint, as it was saved.

  The notes of one that was written before there were any are {}.

  Raises:
    Exception: of many classes; it cannot be read, or was changed.
  """
  record = _orbax().JsonCheckpointHandler().restore(_below(folder, 'record'))
  if not isinstance(record, dict):
    raise ValueError('its record is not the one that was saved')
  claimed = record.pop('digest', None)
  if _sealed(record)['digest'] != claimed:
    raise ValueError('its record is not the one that was saved')
  return {'notes': {}, **record}


def read_leaves(folder: pathlib.Path,
                wanted: Mapping[str, Any]) -> dict[str, jax.Array]:
  """{name: array} with the shapes, types and shardings of `wanted`.

  Raises:
    Exception: of many classes; they cannot be read.
  """
  ocp = _orbax()
  default = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  target = {
      name: jax.ShapeDtypeStruct(
          x.shape, x.dtype, sharding=x.sharding or default)
      for name, x in wanted.items() if math.prod(x.shape)}
  # The handler, not a manager: its barrier would hang where one process
  # fails to read and another does not.
  arrays = ocp.PyTreeCheckpointHandler().restore(
      _below(folder, 'state'), args=ocp.args.PyTreeRestore(
          item=target, partial_restore=True,
          restore_args=ocp.checkpoint_utils.construct_restore_args(target)))
  return {
      name: arrays[name] if name in arrays else jax.device_put(
          jnp.zeros(x.shape, x.dtype), x.sharding or default)
      for name, x in wanted.items()}


def _below(folder, item):
  """The path of an item, of the kind that orbax wants."""
  from etils import epath
  return epath.Path(folder) / item


def one_line(error: Exception) -> str:
  """The class and the beginning of what an error says.

  Our own words need no class.
  """
  text = ' '.join(str(error).split())
  text = text if len(text) <= 300 else text[:297] + '...'
  if text and isinstance(error, ValueError) and _is_ours(error):
    return text
  return f'{type(error).__name__}: {text}' if text else type(error).__name__


def _is_ours(error):
  """Whether an error was raised in this package, and not below it."""
  last = error.__traceback__
  while last.tb_next:
    last = last.tb_next
  module = last.tb_frame.f_globals.get('__name__', '')
  return module.partition('.')[0] == __name__.partition('.')[0]
