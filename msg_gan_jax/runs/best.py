"""The best checkpoint by a score, kept beside the latest ones."""
import math

import jax
import numpy as np

from msg_gan_jax.runs.checkpoints import Checkpoints

FOLDER = 'best'


class Best:
  """Keeps the state whose score was best so far; one checkpoint.

  Args:
    path: the run's folder.
    images: real images shown where this process starts. A best of more images
      is of a future that was lost; it is set aside, and comes again.
    scores: those that the run has had so far.
    lower: whether less is better.
  """

  def __init__(self, path, images, scores=(), lower=True):
    self._checkpoints = Checkpoints(path / FOLDER, keep=1)
    self._checkpoints.set_aside_beyond(images)
    self._sign = 1 if lower else -1
    self._best = math.inf
    if self._checkpoints.steps():  # Or what had those scores is not here.
      self._best = min((self._sign * x for x in scores if not math.isnan(x)),
                       default=math.inf)

  def offer(self, images, tree, score):
    """Saves the tree if its score is the best; returns whether it is.

    Args:
      images: real images shown.
      tree: see Checkpoints.save.
      score: a number; that of process 0 counts.
    """
    better = not math.isnan(score) and self._sign * score < self._best
    if jax.process_count() > 1:
      from jax.experimental import multihost_utils
      better = bool(multihost_utils.broadcast_one_to_all(np.asarray(better)))
    if better:
      self._best = self._sign * score
      self._checkpoints.save(images, tree)
    return better

  def close(self):
    self._checkpoints.close()
