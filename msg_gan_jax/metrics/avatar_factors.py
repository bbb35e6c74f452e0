"""Which values of known factors a generator draws, and how evenly."""
import numpy as np

from msg_gan_jax.data.source import Source
from msg_gan_jax.metrics.pair import Pair
from msg_gan_jax.metrics.score import Score

SURE = .8  # Share of held-out pictures that a classifier must be right about.
HEAD = 'logits:'  # What the tap of a named factor begins with.


def overlap(real: np.ndarray, fake: np.ndarray, values: int) -> float:
  """Share of the reals' distribution that the fakes cover, 0 .. 1.

  Args:
    real, fake: int [n]: the value of each picture.
    values: how many there are.

  Returns:
    The sum of min(p, q) over the values: 1 less the total variation distance.

  Source: this project's.
  """
  p, q = (np.bincount(x, minlength=values) / len(x) for x in (real, fake))
  return float(np.minimum(p, q).sum())


def factor_specs(source: Source) -> tuple[str, ...]:
  """The logits that a classifier of this source has, one for each factor.

  Raises:
    ValueError: the source does not tell its factors.
  """
  factors = source.factors(np.arange(min(2, len(source))))
  names = [name for name, x in factors.items()
           if x.ndim == 1 and x.dtype.kind in 'iu']
  if len(names) < 2:
    raise ValueError(
        f'metrics: factors: of the pictures of {source.name} no factors are '
        'known; wanted those of the source avatars.')
  return tuple(f'classifier:{HEAD}{name}' for name in names)


def factor_scores(pair: Pair) -> list[Score]:
  """How much of each factor's values is covered, as Scores.

  A classifier looks at reals and at fakes alike, so its mistakes are on both
  sides; how often it is right about held-out reals stands beside. The mean is
  of factors that it is SURE of: what it guesses, any generator covers.

  Source: this project's.
  """
  accuracy = pair.extractors.get('classifier').about['held_out_accuracy']
  shares, floors = {}, {}
  for spec in factor_specs(pair.real.source):
    name = spec.rpartition(':')[-1]
    real, fake = pair.real.features(spec), pair.fake.features(spec)
    values, guess = real.shape[1], real.argmax(1)
    shares[name] = overlap(guess, fake.argmax(1), values)
    floors[name] = overlap(guess[::2], guess[1::2], values)
  rows = [Score(name=f'factor_{name}', value=shares[name], reals=floors[name],
               features='classifier', about={'classifier': accuracy[name]})
          for name in shares]
  sure = [name for name in shares if accuracy[name] >= SURE] or list(shares)
  return [Score(name='factors', value=float(np.mean([shares[x] for x in sure])),
               reals=float(np.mean([floors[x] for x in sure])),
               features='classifier', about={'of': sure}), *rows]
