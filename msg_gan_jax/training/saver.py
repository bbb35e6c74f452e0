"""What a run saves and reads back, and refuses to save."""
from collections.abc import Callable, Mapping
import pathlib
from typing import Any

import jax
from jax.sharding import Sharding

from msg_gan_jax.config import Config
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs import processes, space
from msg_gan_jax.runs.best import Best
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.config_file import read_config
from msg_gan_jax.training import divergence, monitor
from msg_gan_jax.training.scorer import Scorer


class Saver:
  """The checkpoints of a run in training: the latest ones, and the best.

  One is on its way to the disk at a time. Processes meet while they write, and
  would mistake the meetings of two checkpoints for each other. A checkpoint is
  begun once the best so far lies on the disk, so that whoever goes on from it
  finds that.

  Args:
    folder: that of the run; errors name it.
    checkpoints: Checkpoints of the run.
    say: prints a line for people.
    check: raises an error where nothing may be saved any more.

  Attributes:
    origin: lines about where the first State is from, for the run's record.
  """

  def __init__(self, folder: pathlib.Path, checkpoints: Checkpoints,
               say: Callable[[str], Any],
               check: Callable[[], Any] = lambda: None):
    self._folder, self._checkpoints, self._say = folder, checkpoints, say
    self._check = check
    self._best: Best | None = None
    self.origin: list[str] = []

  def keep_best(self, scorer: Scorer, images: int,
                scores: Callable[[], Mapping[int, float]],
                changed: bool) -> None:
    """Keeps the best of what is offered from now on, if settings want it.

    Args:
      scorer: knows what the score depends on, and whether less is better.
      images: real images shown where this process starts.
      scores: returns {images: score} of records.
      changed: whether this start has changed what the run does.
    """
    if scorer.judge:
      self._best = Best(
          self._folder, images, scores, scorer.lower, scorer.judge, self._say,
          changed or bool(self._checkpoints.passed_over),
          self._checkpoints.check_disk)

  def offer(self, images: int, snapshot: Mapping[str, Any],
            score: float) -> None:
    """Keeps a state as the best, if it is.

    Args:
      images, snapshot: as of `save`.
      score: a number or nan; only that of process 0 counts.

    Raises:
      OSError: the disk refused it, or a checkpoint before.
    """
    if self._best and not monitor.not_finite_leaves(snapshot['state']):
      self._checkpoints.wait()
      self._best.offer(images, snapshot, score)

  def restore(self, state: Any, before: Any,
              sharding: Sharding) -> tuple[int, State, Any] | None:
    """(images, state, samples of the fixed latents as the epoch began).

    Args:
      state: see runs.load.state_like.
      before: such samples.
      sharding: of those that are read.

    Returns:
      What the newest intact checkpoint holds; None if there is none yet.

    Raises:
      ValueError: see Checkpoints.restore.
    """
    restored = self._checkpoints.restore({
        'state': state,
        'before': jax.tree.map(lambda x: jax.ShapeDtypeStruct(
            x.shape, x.dtype, sharding=sharding), before)},
        place=f'workdir {self._folder}')
    for line in self._checkpoints.passed_over:
      self._say(f'warning: {line}')
    if restored is None:
      return None
    images, tree = restored
    return images, tree['state'], tree['before']

  def settle(self, config: Config, images: int, tree: Any) -> None:
    """Ends what a kill has left, and looks whether there is room for the run.

    What does not stay is deleted, now that the newest was read; where another
    number of them is to stay than before, only with the next save.

    Args:
      config: that the run goes on under.
      images: real images shown so far.
      tree: what is saved, as arrays or their shapes.

    Raises:
      OSError: not even one checkpoint has room, and config.train.check_disk.
    """
    there = (self._folder / 'config.json').exists()
    if processes.from_main(int(there)):
      before, train = read_config(self._folder)[0].train, config.train
      if (before.keep_checkpoints, before.keep_every_images) == (
          train.keep_checkpoints, train.keep_every_images):
        self._checkpoints.prune()
    self._checkpoints.check_disk = config.train.check_disk
    if config.train.check_disk and (warning := space.check_run(
        self._folder, config, images, len(self._checkpoints.steps()),
        space.bytes_of(tree))):
      self._say(f'warning: {warning}')

  def save(self, images: int, snapshot: Mapping[str, Any],
           notes: Mapping[str, Any]) -> None:
    """Starts to write a checkpoint.

    Args:
      images: real images shown.
      snapshot: the tree of arrays, with 'state'.
      notes: see Checkpoints.save.

    Raises:
      DivergedError: see divergence.check; nothing is saved.
      OSError: the disk refused this checkpoint, or the one before.
      ValueError: of `check`.
    """
    divergence.check(snapshot['state'], images)
    self._check()
    try:
      self._wait_for_best()
    except Exception:
      # What went wrong there must not cost the training. Of several processes
      # it may be this one alone, and the others would not come to save.
      if jax.process_count() == 1:
        self._checkpoints.save(images, snapshot, notes)
      raise
    self._checkpoints.save(images, snapshot, notes)

  def wait(self) -> None:
    """Blocks until what was saved lies on the disk."""
    self._checkpoints.wait()
    if self._best:
      self._best.prune()

  def close(self) -> None:
    """Ends what runs in the background for the best checkpoint."""
    if self._best:
      self._best.close()

  def _wait_for_best(self):
    if self._best:
      self._best.wait()
