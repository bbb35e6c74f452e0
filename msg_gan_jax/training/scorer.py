"""What config.evaluate asks to be measured in training."""
import dataclasses

import jax
import numpy as np

from msg_gan_jax import tables
from msg_gan_jax.evaluation import measures, report, scores, sets
from msg_gan_jax.evaluation import pair as pair_lib
from msg_gan_jax.evaluation.protocols import PROTOCOLS
from msg_gan_jax.training import scoring

SWD = 'swd_mean'  # Measured always, by evaluate.Judge.
_FLAGS = 'metrics', 'protocol', 'features', 'weights_file'


def scorer(*args, **settings):
  """A Scorer; its errors name settings of a config and no flags."""
  try:
    return Scorer(*args, **settings)
  except ValueError as error:
    text = str(error)
    for flag in _FLAGS:
      text = text.replace(f'--{flag}', f'config.evaluate.{flag}')
    raise ValueError(text) from error


class Scorer:
  """Scores samples by the metrics of config.evaluate; reals only once.

  Args:
    splits: of data.open, of pictures.
    config: Config.
    gan: Gan, for what walks through latents.
    say: prints a line for people.

  Weights are looked for, and a classifier is trained, here and not when the
  first measurement is due.

  Raises:
    ValueError: an unknown metric, protocol or feature, a metric that this data
      set or GAN does not have, or a `best` that is not measured.
  """

  def __init__(self, splits, config, gan=None, say=print):
    evaluate = config.evaluate
    self._gan, self._best = gan, evaluate.best
    words = (word.strip() for word in evaluate.metrics.split(','))
    self.metrics = [word for word in words if word]
    if not self.metrics and self._best != 'swd':
      self._best = ''
    protocol, self._real, _ = scoring.reals_of(
        splits, PROTOCOLS[evaluate.protocol])
    self.weights = protocol.weights
    self.count = evaluate.count or protocol.n_fake or len(self._real)
    self._options = pair_lib.Options(
        dataclasses.replace(protocol, n_fake=self.count),
        evaluate.protocol, evaluate.features, evaluate.weights_file,
        config.data.cache_dir, say, held_out=splits.held_out,
        train=splits.train)
    self._classes = splits.train.classes
    for name in self.metrics:
      measures.METRICS[name]
    if self._best and self._best not in ('swd', *self.metrics):
      raise ValueError(
          f'config.evaluate.best: {self._best!r} is not measured; '
          + tables.nearest(self._best, ['swd', *self.metrics])
          + " Or '' for none.")
    if 'ppl' in self.metrics and jax.process_count() > 1:
      raise ValueError('--metrics: ppl draws pictures in one process only; '
                       'wanted --mode=evaluate, after a run of several.')
    labelled = gan is None or gan.classes
    some = sets.Arrays(  # What fakes will be like.
        self._real.images(np.arange(min(2, len(self._real)))),
        np.arange(2) % 2 if labelled else None,
        self._classes if labelled else (), 'samples')
    self._pair = pair_lib.Pair(self._real, some, self._options)
    scores.prepare(self._pair, self.metrics)

  @property
  def lower(self):
    """Whether less is better, of what the best checkpoint is chosen by."""
    return self._best.startswith(measures.LOWER)

  def sought(self, values):
    """That score of a record of metrics, or nan."""
    if not self._best:
      return np.nan
    if self._best == 'swd':
      return values.get(SWD, np.nan)
    names = measures.NAMES.get(self._best, (self._best,))
    return next((value for key, value in values.items()
                 if measures.name_of(key) in names), np.nan)

  def measure(self, fake, labels=None, state=None):
    """Scores of samples.

    Args:
      fake: uint8 [count, H, W, C].
      labels: int [count] that they were drawn with, or None.
      state: of the generator, for what walks through latents.

    Returns:
      (values by their names in records, text for people, record for JSON).
    """
    if labels is not None:
      labels = labels[:len(fake)]
    fakes = sets.Arrays(fake, labels, () if labels is None else self._classes,
                        'samples')
    if 'ppl' in self.metrics:
      fakes.paths = scoring.paths_of(self._gan, state)
    self._pair = self._pair.with_fake(fakes)
    found, record = scores.of_pair(self._pair, self.metrics)
    values = {scores.key(x, self._options): x.value for x in found}
    return values, '\n'.join(report.sheet(found, record)), record
