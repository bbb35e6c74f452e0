"""How long a study's runs take, by one of them that is trained for a moment."""
import dataclasses
import tempfile
import time
from typing import NamedTuple

from msg_gan_jax.config import Config
from msg_gan_jax.gan.build import build
from msg_gan_jax.report.text import duration
from msg_gan_jax.training import kept, loop

MOMENT = 10.  # Seconds of training.


class Timing(NamedTuple):
  """Seconds of a run on this machine.

  Attributes:
    compiling: more, of the first run of a program.
    starting: of every run: data, parameters, what is compiled already.
    measuring: of one measurement.
    rate: images a second in between.
  """
  compiling: float
  starting: float
  measuring: float
  rate: float

  def of(self, config: Config) -> float:
    """Seconds of a whole run of these settings, without compiling."""
    train = config.train
    measured = -(-train.total_images // train.measure_every_images)
    return (self.starting + measured * self.measuring
            + train.total_images / self.rate)

  def words(self, config: Config, runs: int, programs: int) -> str:
    """What that is for a whole study.

    Args:
      config: of its runs.
      runs: how many there are.
      programs: how many are compiled.
    """
    one = self.of(config)
    whole = runs * one + programs * self.compiling
    return (
        f'{duration(whole)} with one worker here: a run {duration(one)} '
        f'({self.rate:,.0f} img/s, start {self.starting:.1f} s, a measurement '
        f'{self.measuring:.1f} s), and a program {self.compiling:.0f} s to '
        'compile')


def time_of(config: Config) -> Timing:
  """Trains a run three times in temporary folders, for a moment each.

  The first time compiles, the second does not, and the third is for the speed.

  Args:
    config: of the run.
  """
  step = build(config).phase(0).images
  first, again = (_seconds(_short(config, 2 * step)) for _ in range(2))
  watch = _seconds(_short(config, config.train.total_images), MOMENT)
  starting = max(0., again.whole - again.measuring)
  return Timing(
      max(0., first.whole - again.whole), starting,
      again.measuring / max(1, again.measured), watch.rate)


class _Enough(BaseException):
  """A run was watched for long enough."""


class _Watch:
  """Looks at a run through what it shows of itself.

  Attributes:
    whole, measuring: seconds of the run, and those in which it measured.
    measured: how many measurements that were.
    rate: images a second.
  """

  def __init__(self, moment=0.):
    self._moment, self._began = moment, time.monotonic()
    self._measuring_since = 0.
    self._first: tuple[float, int] | None = None
    self.whole = self.measuring = self.rate = 0.
    self.measured = 0

  def show(self, images, words):
    now = time.monotonic()
    self.whole = now - self._began
    if self._measuring_since:
      self.measuring += now - self._measuring_since
      self._measuring_since = 0.
    if words.startswith('measuring'):
      self._measuring_since, self.measured = now, self.measured + 1
    trained = now - self.measuring
    if words.endswith(' ...') or not images:
      return
    if self._first is None:
      self._first = trained, images
    seconds, shown = trained - self._first[0], images - self._first[1]
    if shown and seconds > 0:
      self.rate = shown / seconds
      if self._moment and seconds > self._moment:
        raise _Enough


def _seconds(config, moment=0.):
  """A _Watch of a run."""
  watch = _Watch(moment)
  with tempfile.TemporaryDirectory() as folder:
    began = time.monotonic()
    try:
      loop.train(config, folder, lambda line: None, show=watch.show,
                 make=kept.gan_of)
    except _Enough:
      return watch
    watch.whole = time.monotonic() - began
  return watch


def _short(config, images):
  """The Config with so many images, and all that is due at their end alone."""
  train = dataclasses.replace(
      config.train, total_images=images, **{
          f'{what}_every_images': images
          for what in ('measure', 'sample', 'checkpoint')})
  return dataclasses.replace(config, train=train)
