"""What D finds real or fake: in one picture, and in a set that it ranks."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import Programs, in_batches
from msg_gan_jax.analysis.discriminator.rules import INTEGRATED
from msg_gan_jax.analysis.discriminator.shown import Shown

AT_ONCE = 4


class Evidence(NamedTuple):
  """Shares that pixels have in the logits of n pictures.

  Attributes:
    numbers: int [n] of the pictures.
    shares: for each level, coarse to fine, float32 [n, h, w]; positive speaks
      for real. All of a picture add up to its logit less that of mid-grey;
      where D looks at the batch, those of AT_ONCE pictures do so together.
    logits: float32 [n], beside each other.
    grey: the logit of mid-grey, beside others of it.
  """
  numbers: np.ndarray
  shares: tuple[np.ndarray, ...]
  logits: np.ndarray
  grey: float

  def sums(self) -> np.ndarray:
    """float [n, levels]: what each level has to say."""
    return np.stack([x.sum((1, 2)) for x in self.shares], 1)


def evidence(judge: Judge, shown: Shown,
             numbers: Sequence[int] | np.ndarray) -> Evidence:
  """Integrated gradients of the logit, of each pixel of each level.

  Pictures are beside each other in the order given, AT_ONCE at a time; where D
  looks at the batch, each is a part of what is said of the others.

  Args:
    judge: D.
    shown: the pictures.
    numbers: of those that are looked at.

  Source: Sundararajan et al. 2017 (arXiv:1703.01365); mid-grey is their
  baseline.
  """
  numbers = np.asarray(numbers)
  programs = Programs(judge, [LOGIT], INTEGRATED, AT_ONCE)
  found, logits, grey = [], list[np.ndarray](), 0.
  for rows in in_batches(len(numbers), AT_ONCE):
    some, own = numbers[rows], len(numbers) - rows[0]
    levels, labels = shown.levels(some), shown.labels(some)
    shares = programs.projected(
        judge, levels, labels, LOGIT, np.zeros((AT_ONCE, 3), np.int32))
    found.append([x[:own].sum(-1) for x in shares])
    logits.append(_logits(programs, judge, levels, labels)[:own])
    if not rows[0]:
      grey = float(_logits(programs, judge, tuple(
          np.zeros_like(x) for x in levels), labels)[0])
  return Evidence(numbers, tuple(
      np.concatenate(level) for level in zip(*found, strict=True)),
                  np.concatenate(logits), grey)


def _logits(programs, judge, levels, labels):
  return programs.maxima(judge, levels, labels)[LOGIT].values[:, 0]


class Ranking(NamedTuple):
  """Pictures by D's logit, the most real first.

  Attributes:
    numbers: int [n] of the pictures.
    logits: float [n].
    below: {kind: float [n]}: the share of the pictures of that kind with a
      lower logit, and half of those with the same.
  """
  numbers: np.ndarray
  logits: np.ndarray
  below: dict[str, np.ndarray]


def rank(shown: Shown, logits: np.ndarray, beside: Sequence[str]) -> Ranking:
  """Ranks all pictures, beside those of some kinds.

  Args:
    shown: the pictures.
    logits: float [n] of them.
    beside: kinds to compare with; one without pictures is left out.
  """
  order = np.argsort(-logits, kind='stable')
  return Ranking(order, logits[order], {
      kind: _below(logits[order], np.sort(logits[shown.numbers(kind)]))
      for kind in beside if len(shown.numbers(kind))})


def _below(logits, others):
  left, right = (np.searchsorted(others, logits, side=side)
                 for side in ('left', 'right'))
  return (left + right) / (2 * len(others))


def pairs_told(real: np.ndarray, fake: np.ndarray) -> float:
  """The share of pairs of a real and a fake of which D finds the real so.

  .5 is chance. It is the area below the curve of hits over false alarms.

  Args:
    real, fake: float [n], [m] logits.
  """
  return float(_below(real, np.sort(fake)).mean())
