"""One number, with its error, its reference, and where it comes from."""
from collections.abc import Mapping
import types
from typing import Any, NamedTuple

import numpy as np


class Score(NamedTuple):
  """One number.

  Attributes:
    name: what it is, such as 'fid' or 'precision'.
    value: a Python float; nan where it has no meaning, and `warnings` say why.
    error: its standard error over the samples, or None. Training seeds are
      another matter, see text.rows.
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
  about: Mapping[str, Any] = types.MappingProxyType({})
  warnings: tuple[str, ...] = ()


def error_of_share(share: float, n: int) -> float:
  """Standard error of a share of n independent pictures."""
  return float(np.sqrt(share * (1 - share) / n))


def with_class_names(values: Mapping[int, float],
                     classes: tuple[str, ...]) -> dict[str, float]:
  """{name of a class: value} of {its number: value}."""
  return {classes[int(k)]: float(v) for k, v in values.items()}
