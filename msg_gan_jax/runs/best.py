"""The best checkpoint by a score, kept beside the latest ones."""
from collections.abc import Callable, Mapping
import math
import pathlib
import shutil
from typing import Any

import jax

from msg_gan_jax.files import console
from msg_gan_jax.runs import processes
from msg_gan_jax.runs.checkpoints import Checkpoints

FOLDER = 'best'
LATEST = 'checkpoints'  # The folder of the latest ones in that of a run.
# Folders in FOLDER of what is whole, and is the best no more.
LOST, UNKNOWN = 'of_lost_steps', 'of_unknown_score'


class Best:
  """Keeps the state whose score was best so far, as one checkpoint.

  Its score lies beside it, in its notes. Where that is unknown, the checkpoint
  stays until another state has a score, and is then set aside, not deleted.
  The one before stays until a checkpoint of the latest is as far as the new
  one: a run that is killed before goes on with what was its best there.

  Args:
    path: the run's folder.
    images: real images shown where this process starts. A best checkpoint of
      more images comes from steps that the run has lost, and will take again
      to the same bits. It is deleted.
    scores: returns {images: score} of the run's records, which know that of a
      checkpoint without notes; they are read for such a one alone.
    lower: whether less is better.
    judge: what the scores are, as plain JSON; those of another judge are not
      compared.
    say: prints a line for people.
    others: whether the steps will be others, as under new settings. What is
      of lost ones is then set aside, in place of what was there so before.
    check_disk: see Checkpoints.
  """

  def __init__(self, path: pathlib.Path, images: int,
               scores: Callable[[], Mapping[int, float]] = dict,
               lower: bool = True,
               judge: Any = None, say: Callable[[str], Any] = console.say,
               others: bool = False, check_disk: bool = True):
    self._latest = Checkpoints(path / LATEST, read_only=True)
    self._checkpoints = Checkpoints(path / FOLDER, keep=1, also=self._safe)
    self._checkpoints.check_disk = check_disk
    self._leave_lost(images, others, say)
    self._sign, self._judge = 1 if lower else -1, judge
    # inf where there is none yet, nan where its score is unknown.
    self._best = math.inf
    if steps := self._checkpoints.steps():
      score, why = self._score_of(steps[-1], scores)
      self._best = self._sign * score
      if math.isnan(score):
        say(f'warning: {self._checkpoints.path / str(steps[-1])}: its score is '
            f'{why}. Once another state is measured, that one is the best, and '
            f'this one moves to {self._checkpoints.path / UNKNOWN}')

  def _safe(self, steps):
    """The newest best as far as the newest of the latest ones."""
    reached = max(self._latest.steps(), default=-1)
    return [step for step in steps if step <= reached][-1:]

  def _leave_lost(self, images, others, say):
    """Takes away what is of steps that the run has lost."""
    lost = [step for step in self._checkpoints.steps() if step > images]
    if processes.from_main(len(lost)):
      folder = self._checkpoints.path / LOST
      # What a start has changed is known to process 0.
      if processes.from_main(int(others)):
        if jax.process_index() == 0:
          shutil.rmtree(folder, ignore_errors=True)
        self._checkpoints.set_aside(lost[-1:], LOST)
        say(f'warning: the best checkpoint, of {lost[-1]:,} images, is of '
            f'steps that are lost; moved to {folder}')
      else:
        say(f'the best checkpoint, of {lost[-1]:,} images, is of steps that '
            'are lost; it comes again')
    self._checkpoints.delete(
        [step for step in self._checkpoints.steps() if step > images])
    self._checkpoints.prune()

  def _score_of(self, images, scores):
    """The score of a checkpoint that lies there, or nan, and why."""
    noted = self._checkpoints.notes_of(images).get('score')
    if noted is None:  # It is older than such notes.
      return scores().get(images, math.nan), 'lost'
    if noted['judge'] != self._judge:
      return math.nan, 'of another measure'
    return noted['value'], ''

  def offer(self, images: int, tree: Any, score: float) -> bool:
    """Saves the tree if its score is the best; returns whether it is.

    Args:
      images: real images shown.
      tree: see Checkpoints.save.
      score: a number or nan; only that of process 0 counts.
    """
    # No score is worse than one that is unknown.
    better = not (math.isnan(score) or self._sign * score >= self._best)
    better = bool(processes.from_main(int(better)))
    if better:
      if processes.from_main(int(math.isnan(self._best))):
        self._checkpoints.set_aside(self._checkpoints.steps(), UNKNOWN)
      self._best = self._sign * score
      self._checkpoints.save(images, tree, {
          'score': {'value': float(score), 'judge': self._judge}})
    return better

  def wait(self) -> None:
    """Blocks until what was saved lies on the disk."""
    self._checkpoints.wait()

  def prune(self) -> None:
    """Deletes the one before, where the latest ones are as far as the new."""
    self._checkpoints.prune()

  def close(self) -> None:
    """Waits, and ends what runs in the background."""
    self._checkpoints.close()
