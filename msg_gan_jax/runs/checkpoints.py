"""Checkpoints of a run: written in the background, verified when read."""
from collections.abc import Callable, Mapping, Sequence
import contextlib
import datetime
import hashlib
import os
import pathlib
import shutil
from typing import Any, Self

import jax

from msg_gan_jax.files import disk
from msg_gan_jax.runs import (
  fingerprints,
  milestones,
  orbax_storage,
  processes,
  refusals,
  space,
  verification,
)

_HALF = '.orbax-checkpoint-tmp'  # What is behind the name of a half one.


class DamagedError(ValueError):
  """There are checkpoints, but none is read: damaged, or under wrong names."""


class Checkpoints:
  """The checkpoints of one run, a folder for each, named by real images shown.

  Every array's fingerprint is kept beside it and compared when it is read:
  orbax itself loads flipped bits without a word. In a run of several
  processes all of them make the same calls, and share the folder.

  Args:
    path: the folder; it is created unless read_only.
    keep: how many of the latest stay. An older one is deleted only once a
      newer one lies complete on the disk.
    read_only: for another run's checkpoints: nothing is moved or deleted.
    keep_every: images; milestones stay too, see runs/milestones.py.
    also: which of the steps stay too, as those do.

  Attributes:
    passed_over: lines about the damaged checkpoints that the last `restore`
      had to skip.
    check_disk: whether a checkpoint that has no room is refused.
    notes: what was saved beside the arrays of the checkpoint that the last
      `restore` has read; {} if it had none.
  """

  def __init__(self, path: str | os.PathLike, keep: int = 2,
               read_only: bool = False, keep_every: int = 0,
               also: Callable[[list[int]], list[int]] = lambda steps: []):
    self.path = pathlib.Path(os.path.abspath(path))
    self.keep, self.read_only = keep, read_only
    self.keep_every, self._also = keep_every, also
    self.check_disk = True
    self.passed_over: list[str] = []
    self.notes: dict[str, Any] = {}
    self._manager: Any = None
    # What this object wrote or read back: {images: description of leaves}.
    self._known: dict[int, dict[str, list]] = {}
    if not read_only:
      if jax.process_index() == 0:
        self.path.mkdir(parents=True, exist_ok=True)
      self._remove_leftovers()
      processes.meet('checkpoints:open')

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *_: object) -> None:
    self.close()

  def steps(self) -> list[int]:
    """Images shown at each finished checkpoint, oldest first; not verified."""
    if not self.path.is_dir():
      return []
    return sorted(int(x.name) for x in self.path.iterdir()
                  if x.name.isdigit() and x.is_dir() and not x.is_symlink())

  def save(self, images: int, tree: Any,
           notes: Mapping[str, Any] | None = None) -> bool:
    """Starts to write a tree; its buffers may be donated on return.

    Args:
      images: real images shown, the checkpoint's name; not below the latest.
      tree: any tree of jax arrays.
      notes: plain JSON that belongs to it, such as sums of a record that is
        not yet due.

    Returns:
      Whether anything had to be written; False if the same tree is there
      already, with the notes that it was saved with.

    Raises:
      OSError: the disk refused this checkpoint, or the one before, which was
        still being written; older ones are intact.
      ValueError: a leaf that is not an array, or there are newer checkpoints.
    """
    if self.read_only:
      raise ValueError(f'checkpoints {self.path}: opened to read only.')
    images = int(images)
    leaves = fingerprints.named(tree, f'checkpoints {self.path}')
    about = fingerprints.describe(leaves)
    self.wait()
    latest = processes.from_main(max(self.steps(), default=-1))
    if images < latest:
      raise ValueError(
          f'checkpoints {self.path}: asked to save at {images} images, but '
          f'there is a checkpoint of {latest}. Continue from that one, or '
          'choose another workdir=FOLDER.')
    if images == latest:
      if self._known.get(images) == about or verification.holds(
          self.path / str(images), images, leaves, about):
        return False
      # It is damaged, or of another state: it is moved away, but not lost.
      self._move_aside([images])
      self._reopen()
    if self.check_disk:
      space.check_save(
          self.path, images, self.steps(), space.bytes_of(leaves))
    if self._manager is None:
      self._manager = orbax_storage.open_manager(self.path, self._stay)
    try:
      orbax_storage.save(self._manager, images, leaves, about, notes or {})
    except Exception as error:
      raise self._failed(images, error) from error
    self._known = {images: about}
    return True

  def wait(self) -> None:
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

  def close(self) -> None:
    """Waits, and ends the threads; the object can still be used."""
    self.wait()
    self._reopen()

  def restore(self, like: Any, partial: bool = False, place: str | None = None,
              images: int | None = None) -> tuple[int, Any] | None:
    """The newest intact checkpoint, verified bit by bit.

    Damaged ones that are newer are moved to `damaged/` once an intact one is
    found; if none is, everything stays as it is.

    Args:
      like: the tree to fill: arrays, or jax.ShapeDtypeStruct with the
        sharding to restore to (without one: the default device).
      partial: read only the leaves of `like`, and leave the others; a subtree
        that is not wanted is None.
      place: what errors begin with, such as 'config.train.init_from'.
      images: real images shown, to read that checkpoint and not the newest.

    Returns:
      (images, tree), or None if there is no checkpoint.

    Raises:
      DamagedError: there are checkpoints, but none is intact; or newer ones
        than the newest that is have each other's names.
      ValueError: an intact one has other leaves, shapes or types than `like`;
        or there is none of `images`.
    """
    self.wait()
    self.passed_over, self.notes = [], {}
    place = place or f'checkpoints {self.path}'
    wanted = fingerprints.named(like, place)
    damaged: list[tuple[int, str]] = []
    renamed = False
    for step in reversed(self._candidates(images, place)):
      leaves, about, notes, why, holds = verification.read(
          self.path / str(step), step, wanted, partial, place)
      if leaves is not None:
        # A whole one under a wrong name must not give way to an older one.
        if renamed and (names := self._right_names()):
          raise DamagedError(refusals.misnamed(
              self.path, damaged, names, place))
        if not partial:
          self._known = {step: about}
        self._settle(damaged)
        self.notes = notes
        return step, jax.tree.unflatten(
            jax.tree.structure(like), leaves.values())
      damaged.append((step, why))
      renamed = renamed or holds is not None
    if damaged:
      raise DamagedError(refusals.none_intact(
          self.path, damaged, self._right_names() if renamed else {}, place,
          images is not None))
    aside = processes.from_main(len(list(self.path.glob('damaged/*'))))
    if aside:  # There were some: to begin at zero now would hide it.
      raise ValueError(
          f'{place}: there are no checkpoints in {self.path}, but {aside} in '
          'its folder damaged/. Move one back, named by its images alone, or '
          'begin anew in another workdir=FOLDER.')
    return None

  def _right_names(self):
    """{name: what it holds} of folders that can be named by what they hold.

    A copy cannot where its original has that name.
    """
    names: dict[int, int] = {}
    for step in reversed(self.steps()):
      record, _ = orbax_storage.attempt(
          orbax_storage.read_record, self.path / str(step))
      held = processes.from_main(record['images'] if record else step)
      if held != step and held not in names.values():
        names[step] = held
    while taken := [step for step, held in names.items()
                    if held not in names and held in self.steps()]:
      for step in taken:
        del names[step]
    return names

  def _candidates(self, images, place):
    """Steps that may be read, oldest first: all, or the one asked for."""
    steps = self.steps()
    if images is not None and images not in steps:
      raise ValueError(
          f'{place}: no checkpoint of {images} images in {self.path}; there '
          f'are: {steps or "none"}.')
    steps = steps if images is None else [images]
    _all_see(steps, place)
    return steps

  def set_aside(self, steps: Sequence[int], folder: str) -> None:
    """Moves checkpoints to a folder here, to be found there by a person."""
    self._move_aside(steps, folder)
    self._reopen()

  def prune(self) -> None:
    """Deletes what does not stay: what a kill kept from going."""
    self.wait()
    steps = self.steps()
    self.delete([step for step, stays in zip(
        steps, self._stay(steps), strict=True) if not stays])

  def delete(self, steps: Sequence[int]) -> None:
    """Deletes checkpoints; half of one is never taken for a whole one."""
    # All have looked once they agree; none of them deletes any before.
    if not processes.from_main(len(steps)):
      return
    self._reopen()
    if jax.process_index() == 0:
      for step in steps:
        os.replace(self.path / str(step), self.path / f'{step}{_HALF}-old')
    self._remove_leftovers()
    processes.meet('checkpoints:delete')

  def _stay(self, steps):
    """Which of the steps stay, oldest first."""
    also = self._also(steps)
    return [stays or step in also for step, stays in zip(
        steps, milestones.kept(steps, self.keep, self.keep_every),
        strict=True)]

  def notes_of(self, images: int) -> dict[str, Any]:
    """What was saved beside the arrays of a checkpoint; {} if it is damaged."""
    record, _ = orbax_storage.attempt(
        orbax_storage.read_record, self.path / str(images))
    return record['notes'] if record and record['images'] == images else {}

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

  def _move_aside(self, steps, folder='damaged'):
    """{images: its new place below the folder}."""
    # The same step may be damaged twice: the time tells them apart.
    now = datetime.datetime.now().strftime('%Y%m%d-%H%M%S-%f')
    moved = {images: f'{folder}/{images}-{now}' for images in steps}
    if jax.process_index() == 0:
      (self.path / folder).mkdir(exist_ok=True)
      for images, name in moved.items():
        os.replace(self.path / str(images), self.path / name)
    processes.meet('checkpoints:aside')
    return moved

  def _remove_leftovers(self):
    """Deletes what a writer that was killed, or failed, left half-written."""
    if jax.process_index() == 0:
      for folder in self.path.glob(f'*{_HALF}*'):
        shutil.rmtree(folder, ignore_errors=True)

  def _failed(self, images, error):
    """The error to raise for a write that failed; frees what it left."""
    self._known = {}
    self._reopen()
    self._remove_leftovers()
    orbax_storage.let_go(error)
    why = (disk.told(error, self.path) if disk.is_full(error) else
           f'{orbax_storage.one_line(error)}. Repair the disk, and give the '
           'same command again.')
    return OSError(
        f'{self.path}: could not write the checkpoint of {images} images; '
        f'older ones are intact: {self.steps() or "there are none"}. {why}')

  def _reopen(self):
    """Forgets the manager, whose list of steps may be wrong by now."""
    manager, self._manager = self._manager, None
    if manager is not None:
      with contextlib.suppress(Exception):  # `wait` has raised it already.
        manager.close()


def _all_see(steps, place):
  """Raises where processes see different folders."""
  digest = hashlib.sha256(repr(steps).encode()).digest()
  mine = int.from_bytes(digest[:4], 'big')
  if not processes.all_agree(mine == processes.from_main(mine)):
    raise ValueError(
        f'{place}: the processes of this run see different checkpoints '
        f'(process {jax.process_index()}: {steps}). The workdir must lie '
        'on a file system that all of them share.')
