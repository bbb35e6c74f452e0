"""The best checkpoint by a score, kept beside the latest ones."""
from collections.abc import Iterable
import math
import pathlib
from typing import Any

from msg_gan_jax.runs import processes
from msg_gan_jax.runs.checkpoints import Checkpoints

FOLDER = 'best'


class Best:
  """Keeps the state whose score was best so far, as one checkpoint.

  Args:
    path: the run's folder.
    images: real images shown where this process starts. A best checkpoint of
      more images comes from steps that the run has lost; it is set aside, and
      will be reached again.
    scores: those that the run has had so far.
    lower: whether less is better.
  """

  def __init__(self, path: pathlib.Path, images: int,
               scores: Iterable[float] = (), lower: bool = True):
    self._checkpoints = Checkpoints(path / FOLDER, keep=1)
    self._checkpoints.set_aside_beyond(images)
    self._sign = 1 if lower else -1
    self._best = math.inf
    if self._checkpoints.steps():  # Else what had the best score is lost.
      self._best = min((self._sign * x for x in scores if not math.isnan(x)),
                       default=math.inf)

  def offer(self, images: int, tree: Any, score: float) -> bool:
    """Saves the tree if its score is the best; returns whether it is.

    Args:
      images: real images shown.
      tree: see Checkpoints.save.
      score: a number or nan; only that of process 0 counts.
    """
    better = not math.isnan(score) and self._sign * score < self._best
    better = bool(processes.from_main(int(better)))
    if better:
      self._best = self._sign * score
      self._checkpoints.save(images, tree)
    return better

  def close(self) -> None:
    """Waits until what was saved lies on the disk."""
    self._checkpoints.close()
