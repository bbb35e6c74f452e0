"""What D finds real or fake: in one picture, and in a set that it ranks."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import Programs, in_batches
from msg_gan_jax.analysis.discriminator.projections import Pictures
from msg_gan_jax.analysis.discriminator.rules import INTEGRATED
from msg_gan_jax.analysis.discriminator.shown import Shown

STEPS = 64  # Of the integral.


class Evidence(NamedTuple):
  """Shares that pixels have in the logits of n pictures.

  Attributes:
    numbers: int [n] of the pictures.
    shares: for each level, coarse to fine, float32 [n, h, w]; positive speaks
      for real. All of a picture add up to its logit less that of mid-grey.
    logits: float32 [n], of each in its company: see Shown.beside.
    grey: float32 [n], logits of mid-grey in the same company.
    others: how many pictures a company has; 0 where D looks at each by itself.
    steps: of the integral.
  """
  numbers: np.ndarray
  shares: tuple[np.ndarray, ...]
  logits: np.ndarray
  grey: np.ndarray
  others: int
  steps: int

  def sums(self) -> np.ndarray:
    """float [n, levels]: what each level has to say."""
    return np.stack([x.sum((1, 2), np.float64) for x in self.shares], 1)

  def gaps(self) -> np.ndarray:
    """float [n]: the sum less what it should be, as its share.

    It is an error of the integral, and falls with the number of steps.
    """
    wanted = self.logits.astype(np.float64) - self.grey
    return np.abs(self.sums().sum(1) - wanted) / np.maximum(
        np.abs(wanted), np.finfo(np.float32).tiny)


def evidence(judge: Judge, shown: Shown, numbers: Sequence[int] | np.ndarray,
             steps: int = STEPS) -> Evidence:
  """Integrated gradients of the logit, of each pixel of each level.

  Where D looks at the batch, each picture is judged beside the same others,
  and it alone moves from mid-grey to itself.

  Args:
    judge: D.
    shown: the pictures, and those that stand beside them.
    numbers: of those that are looked at.
    steps: of the integral.

  Source: Sundararajan et al. 2017 (arXiv:1703.01365); mid-grey is their
  baseline.
  """
  numbers = np.asarray(numbers)
  programs = Programs(judge, [LOGIT], INTEGRATED, steps=steps)
  size = min(programs.at_once, len(numbers))
  places, found = np.zeros((size, 3), np.int32), []
  for rows in in_batches(len(numbers), size):
    some, own = numbers[rows], len(numbers) - rows[0]
    seen = (judge, Pictures(shown.levels(some), shown.labels(some)), LOGIT,
            places, programs.company(shown, some))
    shares = programs.projected(*seen)
    found.append([x[:own] for x in (
        programs.values(*seen), programs.values(*seen, share=0.),
        *(x.sum(-1) for x in shares))])
  logits, grey, *levels = map(np.concatenate, zip(*found, strict=True))
  return Evidence(
      numbers, tuple(levels), logits, grey, programs.others, steps)


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
