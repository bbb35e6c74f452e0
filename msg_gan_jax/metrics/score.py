"""One number, with its error, its reference, and where it comes from."""
from typing import NamedTuple

import numpy as np


class Score(NamedTuple):
  """One number.

  Attributes:
    name: what it is: 'fid', 'precision', ...
    value: Python float; nan where it has no meaning, and `warnings` say why.
    error: its standard error over the samples, or None; training seeds are
      another matter, see report.rows.
    features: the spec it looks at, '' where it looks at pixels.
    reals: the same of one half of the reals against the other, or what they
      have by themselves, or None.
    about: plain values for a record.
    warnings: lines for people.
  """
  name: str
  value: float
  error: float | None = None
  features: str = ''
  reals: float | None = None
  about: dict = {}
  warnings: tuple = ()


def of_share(share, n):
  """Standard error of a share of n independent pictures."""
  return float(np.sqrt(share * (1 - share) / n))


def named(pair, by_class):
  """{class's name: value} of {its number: value}."""
  return {pair.real.classes[int(k)]: float(v) for k, v in by_class.items()}
