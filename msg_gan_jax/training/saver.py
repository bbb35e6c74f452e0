"""What a run saves and reads back, and refuses to save."""
from collections.abc import Callable, Mapping
import pathlib
from typing import Any, NoReturn

import jax
from jax.sharding import Sharding

from msg_gan_jax.files.atomic import append_json
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs.best import Best
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.read import WARNINGS
from msg_gan_jax.runs.versions import now, read_versions
from msg_gan_jax.training import monitor
from msg_gan_jax.training.scorer import Scorer


class DivergedError(ValueError):
  """A number of the training is not finite any more."""


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
  """

  def __init__(self, folder: pathlib.Path, checkpoints: Checkpoints,
               say: Callable[[str], Any]):
    self._folder, self._checkpoints, self._say = folder, checkpoints, say
    self._best: Best | None = None

  def keep_best(self, scorer: Scorer, images: int,
                scores: Mapping[int, float]) -> None:
    """Keeps the best of what is offered from now on, if settings want it.

    Args:
      scorer: knows what the score depends on, and whether less is better.
      images: real images shown where this process starts.
      scores: {images: score} of records.
    """
    if scorer.judge:
      self._best = Best(self._folder, images, scores, scorer.lower,
                        scorer.judge, self._say)

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

  def save(self, images: int, snapshot: Mapping[str, Any],
           notes: Mapping[str, Any]) -> None:
    """Starts to write a checkpoint.

    Args:
      images: real images shown.
      snapshot: the tree of arrays, with 'state'.
      notes: see Checkpoints.save.

    Raises:
      DivergedError: a number of the state is not finite; nothing is saved.
      OSError: the disk refused this checkpoint, or the one before.
    """
    if bad := monitor.not_finite_leaves(snapshot['state']):
      more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
      self.refuse(f'{bad[0]}{more} not finite at {images:,} images')
    try:
      self._wait_for_best()
    finally:  # What went wrong there must not cost the training.
      self._checkpoints.save(images, snapshot, notes)

  def wait(self) -> None:
    """Blocks until what was saved lies on the disk."""
    self._checkpoints.wait()
    self._wait_for_best()

  def close(self) -> None:
    """Ends what runs in the background for the best checkpoint."""
    if self._best:
      self._best.close()

  def _wait_for_best(self):
    if self._best:
      self._best.wait()

  def refuse(self, what: str) -> NoReturn:
    """Ends a run whose numbers are not finite; names its last good state.

    Raises:
      DivergedError: always.
    """
    self.wait()
    if jax.process_index() == 0:
      append_json(self._folder / WARNINGS, {
          'text': f'the run diverged: {what}', 'date': now(),
          'diverged': len(read_versions(self._folder / 'versions.json'))})
    steps = self._checkpoints.steps()
    good = (f'The last good checkpoint has {steps[-1]:,} images'
            if steps else 'There is no checkpoint yet')
    raise DivergedError(
        f'{self._folder}: {what}. Training stopped; nothing of it was '
        f'saved. {good}. Lower rates, or a penalty, may help: '
        'config.optimizer.g_rate, config.optimizer.d_rate, '
        'config.objective.penalty.')
