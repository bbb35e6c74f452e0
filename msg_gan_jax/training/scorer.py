"""What config.evaluate asks to be measured in training."""
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.config import errors, tables
from msg_gan_jax.metrics import evaluate, pair, sets, table, text
from msg_gan_jax.metrics.features.table import parse as parse_spec
from msg_gan_jax.metrics.protocols import PROTOCOLS
from msg_gan_jax.metrics.table import METRICS

SWD = 'swd_mean'  # Measured always, by evaluate.Judge.
# What the metrics' errors call arguments, these are called in a config.
_NAMES = {name: f'config.evaluate.{name}' for name in (
    'metrics', 'protocol', 'features', 'weights_file')}


def check(settings):
  """Refuses names that no table has, before anything is computed.

  Args:
    settings: config.evaluate.

  Returns:
    (rows of METRICS, by which of them the best checkpoint is kept: '' none).

  Raises:
    ValueError: an unknown metric, protocol or feature, or a `best` that is not
      measured.
  """
  words = (word.strip() for word in settings.metrics.split(','))
  metrics = [word for word in words if word]
  best = settings.best if metrics or settings.best == 'swd' else ''
  with errors.naming(_NAMES):
    for name in metrics:
      METRICS[name]
    parse_spec(
        settings.features or PROTOCOLS[settings.protocol].features)
  if best and best not in ('swd', *metrics):
    raise ValueError(
        f'config.evaluate.best: {best!r} is not measured; '
        + tables.nearest(best, ['swd', *metrics]) + " Or '' for none.")
  return metrics, best


class Scorer:
  """Scores samples by the metrics of config.evaluate; reals only once.

  Args:
    splits: of data.sources, of pictures.
    config: Config.
    gan: Gan, for what walks through latents.
    say: prints a line for people.

  Weights are looked for, and a classifier is trained, here and not when the
  first measurement is due.

  Raises:
    ValueError: what `check` refuses, weights that are missing, or a metric that
      this data set or GAN does not have.
  """

  def __init__(self, splits, config, gan=None, say=print):
    settings = config.evaluate
    self._gan = gan
    self.metrics, self._best = check(settings)
    protocol, self._real, _ = reals_of(
        splits, PROTOCOLS[settings.protocol])
    self.weights = protocol.weights
    self.count = settings.count or protocol.n_fake or len(self._real)
    self._options = pair.Options(
        dataclasses.replace(protocol, n_fake=self.count),
        settings.protocol, settings.features, settings.weights_file,
        config.data.cache_dir, say, held_out=splits.held_out,
        train=splits.train)
    self._classes = splits.train.classes
    if 'ppl' in self.metrics and jax.process_count() > 1:
      raise ValueError(
          'config.evaluate.metrics: ppl draws pictures in one process only; '
          'wanted --mode=evaluate, after a run of several.')
    some = placeholder_fakes(
        self._real, self._classes if gan is None or gan.classes else ())
    self._pair = pair.Pair(self._real, some, self._options)
    with errors.naming(_NAMES):
      if self.metrics:  # Of none, those of the protocol would be opened.
        evaluate.open_features(self._pair, self.metrics)

  @property
  def lower(self):
    """Whether less is better, of what the best checkpoint is chosen by."""
    return bool(self._best) and METRICS[self._best].lower_is_better

  def sought(self, values):
    """That score of a record of metrics, or nan."""
    if not self._best:
      return np.nan
    if self._best == 'swd':
      return values.get(SWD, np.nan)
    return next((
        value for name in table.score_names(self._best)
        for key, value in values.items() if table.score_of_key(key) == name),
        np.nan)

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
    fakes = sets.Samples(
        fake, labels, () if labels is None else self._classes,
        paths=paths_of(self._gan, state) if 'ppl' in self.metrics else None)
    self._pair = self._pair.with_fake(fakes)
    found, record = evaluate.compute(self._pair, self.metrics)
    values = {evaluate.key(x, self._options): x.value for x in found}
    return values, '\n'.join(text.sheet(found, record)), text.finite(record)


def placeholder_fakes(real, classes):
  """Two pictures for samples that are yet to be drawn."""
  few = np.arange(min(2, len(real)))
  return sets.Samples(real.images(few), few % 2 if classes else None, classes,
                     'samples')


def reals_of(splits, protocol):
  """(protocol, source.Source to compare with, lines of warning)."""
  if protocol.reals == 'train':
    return protocol, splits.train, []
  if splits.held_out is not None:
    return protocol, splits.held_out, []
  return dataclasses.replace(protocol, reals='train'), splits.train, [
      'no pictures are held out: samples are compared with those that the '
      'generator has learned from.']


def paths_of(gan, state, weights='ema'):
  """sets.Paths of a generator: through w where it has a mapping, else z."""
  state = gan.settle(state)

  def classes(n):
    return jnp.arange(n) % gan.classes if gan.classes else None

  def draw(key, n):
    z = gan.draw(key, n)
    return gan.latents(state, z, classes(n), weights=weights) if (
        gan.layers) else z

  def synthesize(w, key):
    return gan.synthesize(state, w, classes(len(w)), weights=weights,
                          key=key if gan.layers else None)[-1]

  return sets.Paths(draw, synthesize, 'w' if gan.layers else 'z')
