"""The best checkpoint by a score, kept beside the latest ones."""
from collections.abc import Callable, Mapping
import math
import pathlib
from typing import Any

from msg_gan_jax.files import console
from msg_gan_jax.runs import processes
from msg_gan_jax.runs.checkpoints import Checkpoints

FOLDER = 'best'


class Best:
  """Keeps the state whose score was best so far, as one checkpoint.

  Its score lies beside it, in its notes. Where that is unknown, the checkpoint
  stays until another state has a score, and is then set aside, not deleted.

  Args:
    path: the run's folder.
    images: real images shown where this process starts. A best checkpoint of
      more images comes from steps that the run has lost; it is set aside, and
      will be reached again.
    scores: {images: score} of the run's records, which know that of a
      checkpoint without notes.
    lower: whether less is better.
    judge: what the scores are, as plain JSON; those of another judge are not
      compared.
    say: prints a line for people.
  """

  def __init__(self, path: pathlib.Path, images: int,
               scores: Mapping[int, float] | None = None, lower: bool = True,
               judge: Any = None, say: Callable[[str], Any] = console.say):
    self._checkpoints = Checkpoints(path / FOLDER, keep=1)
    self._checkpoints.set_aside_beyond(images)
    self._sign, self._judge = 1 if lower else -1, judge
    # inf where there is none yet, nan where its score is unknown.
    self._best = math.inf
    if steps := self._checkpoints.steps():
      score, why = self._score_of(steps[-1], scores or {})
      self._best = self._sign * score
      if math.isnan(score):
        say(f'warning: {self._checkpoints.path / str(steps[-1])}: its score is '
            f'{why}. Once another state is measured, that one is the best, and '
            f'this one moves to {self._checkpoints.path / "damaged"}')

  def _score_of(self, images, scores):
    """The score of a checkpoint that lies there, or nan, and why."""
    noted = self._checkpoints.notes_of(images).get('score')
    if noted is None:  # It is older than such notes.
      return scores.get(images, math.nan), 'lost'
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
        self._checkpoints.set_aside(self._checkpoints.steps())
      self._best = self._sign * score
      self._checkpoints.save(images, tree, {
          'score': {'value': float(score), 'judge': self._judge}})
    return better

  def wait(self) -> None:
    """Blocks until what was saved lies on the disk."""
    self._checkpoints.wait()

  def close(self) -> None:
    """Waits, and ends what runs in the background."""
    self._checkpoints.close()
