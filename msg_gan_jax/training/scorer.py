"""What config.evaluate asks to be measured in training."""
from collections.abc import Callable, Iterable, Mapping
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.indices import at_random
from msg_gan_jax.config import Config, errors, tables
from msg_gan_jax.config.schema import Evaluate
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.files import console
from msg_gan_jax.gan import schedules
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.sampling import labels_like
from msg_gan_jax.gan.state import State
from msg_gan_jax.metrics import evaluate, pair, sets, table, text
from msg_gan_jax.metrics.features.table import parse as parse_spec
from msg_gan_jax.metrics.functional.checks import TooFewError
from msg_gan_jax.metrics.protocols import PROTOCOLS, Protocol
from msg_gan_jax.metrics.table import METRICS
from msg_gan_jax.training.summary import SCORES, SWD_MEAN

# What the metrics' errors call arguments, these are called in a config.
_NAMES = {name: f'config.evaluate.{name}' for name in (
    'metrics', 'protocol', 'features', 'weights_file')}


def check(settings: Evaluate) -> tuple[list[str], str]:
  """Refuses names that no table has, before anything is computed.

  Args:
    settings: config.evaluate.

  Returns:
    (rows of METRICS, the one by which the best checkpoint is kept or '').

  Raises:
    ValueError: an unknown metric, protocol or feature, or a `best` that is not
      measured.
  """
  metrics = [*table.named(settings.metrics)]
  best = settings.best if metrics or settings.best == 'swd' else ''
  with errors.naming(_NAMES):
    for name in metrics:
      METRICS.check(name)
    parse_spec(
        settings.features or PROTOCOLS.look_up(settings.protocol).features)
  if best and best not in ('swd', *metrics):
    raise ValueError(
        f'config.evaluate.best: {best!r} is not measured; '
        + tables.nearest(best, ['swd', *metrics]) + " Or '' for none.")
  return metrics, best


class Scorer:
  """Scores samples by the metrics of config.evaluate; reals only once.

  Args:
    splits: see data.sources.open_source; of pictures.
    config: Config.
    gan: Gan whose samples they are; None does for metrics that do not walk
      through latents.
    say: prints a line for people.

  Weights are looked for, and a classifier is trained, here and not when the
  first measurement is due.

  Attributes:
    metrics: rows of METRICS, without those that need more pictures.
    left_out: {row: why it is left out}.
    weights: 'ema' or 'raw': which of G's draw the samples.
    count: how many samples are wanted.

  Raises:
    ValueError: what `check` refuses, weights that are missing, or a metric that
      this data set or GAN does not have.
  """

  def __init__(self, splits: Splits, config: Config, gan: Gan | None = None,
               say: Callable[[str], Any] = console.say):
    settings = config.evaluate
    self._gan = gan
    self.metrics, self._best = check(settings)
    protocol, self._real, _ = reals_of(
        splits, PROTOCOLS[settings.protocol])
    self.weights = protocol.weights
    self._measured_by = {
        name: getattr(settings, name)
        for name in ('protocol', 'features', 'count')}
    self.count = settings.count or protocol.n_fake or len(self._real)
    self.left_out: dict[str, str] = {}
    self._classes = splits.train.classes if gan is None or gan.classes else ()
    for name, why in self._too_few(protocol):
      self._leave_out(name, why)
    self._options = pair.Options(
        dataclasses.replace(protocol, n_fake=self.count),
        settings.protocol, settings.features, settings.weights_file,
        config.data.cache_dir, say, held_out=splits.held_out,
        train=splits.train, averaged=schedules.averages(config))
    if 'ppl' in self.metrics and jax.process_count() > 1:
      raise ValueError(
          'config.evaluate.metrics: ppl draws pictures in one process only, '
          'and this run has several. Leave it out; the finished run is scored '
          'on the command line, by mode=evaluate with metrics=ppl.')
    if not self.metrics:  # Those of the protocol would be opened.
      return
    placeholders = placeholder_fakes(self._real, self._classes)
    self._pair = pair.Pair(self._real, placeholders, self._options)
    try:  # Together: weights of which several taps are wanted are read once.
      self._open(self.metrics)
    except TooFewError:
      for name in [*self.metrics]:
        try:
          self._open((name,))
        except TooFewError as error:
          self._leave_out(name, f'{name} ({str(error).rstrip(".")})')

  def _open(self, metrics):
    with errors.naming(_NAMES):
      evaluate.open_features(self._pair, metrics)

  def _too_few(self, protocol):
    """[(row, why)] of those that need more pictures than there are."""
    everything = len(self._real)
    real = self._real.labels(at_random(everything, min(
        everything, protocol.n_real or everything)))
    fake = labels_like(real, self.count)
    # Samples without classes are an error for what compares these.
    reasons = [(name, table.too_few(name, protocol, real, fake))
               for name in self.metrics if everything < 2 or self._classes
               or not METRICS[name].of_class]
    return [(name, why) for name, why in reasons if why]

  def _leave_out(self, name, why):
    self.left_out[name] = why
    self.metrics.remove(name)
    if self._best == name and name != 'swd':  # That of the summary stays.
      self._best = ''

  @property
  def judge(self) -> dict[str, Any]:
    """What the score that chooses the best checkpoint depends on, as JSON.

    {} where none is kept. Scores of two judges must not be compared.
    """
    if self._best in ('', 'swd'):
      return {'metric': self._best} if self._best else {}
    return {'metric': self._best, **self._measured_by}

  @property
  def lower(self) -> bool:
    """Whether less is better of the score that chooses the best checkpoint."""
    return bool(self._best) and METRICS[self._best].lower_is_better

  def sought(self, values: Mapping[str, Any]) -> float:
    """That score in a record of metrics.jsonl, or nan."""
    return score_in(self._best, values) if self._best else np.nan

  def measure(
      self, fake: np.ndarray, labels: np.ndarray | None = None,
      state: State | None = None
  ) -> tuple[dict[str, float], str, dict[str, Any]]:
    """Scores of samples.

    Args:
      fake: uint8 [count, H, W, C].
      labels: int [count] that they were drawn with, or None.
      state: that of the GAN, for metrics that walk through latents.

    Returns:
      (values by their names in records, text for people, record for JSON).
    """
    if labels is not None:
      labels = labels[:len(fake)]
    paths = None
    if 'ppl' in self.metrics and self._gan and state is not None:
      paths = paths_of(self._gan, state)
    self._pair = self._pair.with_fake(sets.Samples(
        fake, labels, () if labels is None else self._classes, paths=paths))
    scores, record = evaluate.compute(self._pair, self.metrics)
    values = {evaluate.key(x, self._options): x.value for x in scores}
    return values, '\n'.join(text.sheet(scores, record)), text.finite(record)


def score_in(metric: str, values: Mapping[str, Any]) -> float:
  """The score by which a metric judges, in a record; nan where it is not.

  Args:
    metric: a row of METRICS, or 'swd', which is in every measurement.
    values: {name: number} of a record.
  """
  key = key_in(metric, values)
  return values[key] if key else np.nan


def key_in(metric: str, names: Iterable[str]) -> str:
  """Which of the names in a record is that score's; '' where none is."""
  if metric == 'swd':
    return SWD_MEAN if SWD_MEAN in names else ''
  names = [*names]
  return next((key for score in table.score_names(metric) for key in names
               if table.score_of_key(key) == score), '')


def is_score(name: str) -> bool:
  """Whether a value of a record says how samples compare with reals."""
  return name in SCORES or bool(table.score_of_key(name))


def placeholder_fakes(real: Source, classes: tuple[str, ...],
                      name: str = 'samples') -> sets.Samples:
  """Two real pictures in place of samples that are not drawn yet."""
  few = np.arange(min(2, len(real)))
  return sets.Samples(
      real.images(few), few % 2 if classes else None, classes, name)


def reals_of(splits: Splits, protocol: Protocol) -> tuple[
    Protocol, Source, list[str]]:
  """What samples are compared with, as far as the data set has it.

  Args:
    splits: see data.sources.open_source.
    protocol: a row of PROTOCOLS.

  Returns:
    (the protocol as it is followed, the real pictures, lines of warning).
  """
  if protocol.reals == 'train':
    return protocol, splits.train, []
  if splits.held_out is not None:
    return protocol, splits.held_out, []
  return dataclasses.replace(protocol, reals='train'), splits.train, [
      'no pictures are held out: samples are compared with those that the '
      'generator has learned from.']


def paths_of(gan: Gan, state: State, weights: str = 'ema') -> sets.Paths:
  """Paths through w if the generator has a mapping, else through z.

  Args:
    gan, state: of the generator.
    weights: 'ema' or 'raw'.
  """
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
