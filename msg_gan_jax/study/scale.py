"""On which scale values are compared: by their differences, or by ratios.

The differences of values that go over many factors are those of the worst runs
alone, and nothing like normal. Ratios treat small values and large ones alike.
"""
from collections.abc import Mapping
import math
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.metrics.functional.training_seeds import OverSeeds, over_seeds
from msg_gan_jax.report.tables import number
from msg_gan_jax.study.comparison import Difference, paired

WIDE = 10.  # Largest beside smallest, from which on ratios are compared.
UNSEEN = 100.  # A factor from which on it does not matter how large it is.


def is_wide(values: Any) -> bool:
  """Whether values go over so many factors that equal ratios are shown."""
  values = np.asarray(values, np.float64)
  values = values[np.isfinite(values)]
  return len(values) > 0 and values.min() > 0 and (
      values.max() > WIDE * values.min())


class Scale(NamedTuple):
  """How values are compared.

  Attributes:
    ratios: whether by ratios: means are geometric, and intervals and tests are
      of logarithms. Values are positive then.
  """
  ratios: bool

  def there(self, values: Any) -> Any:
    """Values, on the scale on which they are compared."""
    return np.log(values) if self.ratios else np.asarray(values, np.float64)

  def back(self, compared: float) -> float:
    """A value from there: a mean of values, or a ratio of two of them."""
    return math.exp(min(compared, 700.)) if self.ratios else float(compared)

  def mean(self, values: Any) -> float:
    """The mean of positive values is geometric where ratios are compared."""
    return self.back(float(np.mean(self.there(values))))

  def over_seeds(self, values: Any) -> OverSeeds:
    """The mean over seeds and its interval; `std` is that of the scale."""
    found = over_seeds(self.there(values))
    return found._replace(mean=self.back(found.mean), low=self.back(found.low),
                          high=self.back(found.high))

  def paired(self, first: Mapping[int, float],
             second: Mapping[int, float]) -> Difference:
    """`comparison.paired` of values on this scale, and not brought back."""
    a, b = ({seed: float(self.there(x)) for seed, x in values.items()}
            for values in (first, second))
    return paired(a, b)

  @property
  def mean_name(self) -> str:
    """What a mean is called."""
    return 'geometric mean' if self.ratios else 'mean'

  def size(self, difference: float) -> str:
    """'a difference of 1.25', 'a factor of 1.25': how far two are apart."""
    if not self.ratios:
      return f'a difference of {number(difference, 3)}'
    factor = self.back(difference)
    return ('more than a factor of 100' if factor > UNSEEN else
            f'a factor of {number(factor, 3)}')
