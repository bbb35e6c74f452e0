"""How long a study's runs take, by some that are trained for a moment."""
from collections.abc import Iterator, Sequence
import dataclasses
import math
import tempfile
import time
from typing import NamedTuple

from msg_gan_jax.config import Config
from msg_gan_jax.gan.build import build
from msg_gan_jax.report.text import duration, plural
from msg_gan_jax.study.plan import Planned, program_of
from msg_gan_jax.study.standing import words
from msg_gan_jax.training import kept, loop

MOMENT = 10.  # Seconds of training.
FEW = 4  # Programs of which each is timed.


class Timing(NamedTuple):
  """Seconds of a run on this machine.

  Attributes:
    compiling: more, of the first run of a program.
    starting: of every run: data, parameters, what is compiled already.
    measuring: of one measurement, with the grid and the checkpoint beside it.
    looking: of one grid and one checkpoint where nothing is measured.
    rate: images a second in between.
  """
  compiling: float
  starting: float
  measuring: float
  looking: float
  rate: float

  def of(self, config: Config) -> float:
    """Seconds of a whole run of these settings, without compiling."""
    train = config.train
    measured, drawn, saved = (-(-train.total_images // every) for every in (
        train.measure_every_images, train.sample_every_images,
        train.checkpoint_every_images))
    return (self.starting + measured * self.measuring
            + max(0, max(drawn, saved) - measured) * self.looking
            + train.total_images / self.rate)

  def words(self, config: Config) -> str:
    """What that is for a run of these settings."""
    return (
        f'a run {duration(self.of(config))} ({self.rate:,.0f} img/s, start '
        f'{self.starting:.1f} s, a measurement {self.measuring:.1f} s), its '
        f'program {self.compiling:.0f} s to compile')


def foresee(runs: Sequence[Planned], count: int) -> Iterator[str]:
  """Yields lines about how long runs take; some are trained for a moment.

  Runs of one program take equally long, for equally many images. Of up to FEW
  programs a run of each is trained, and of more one run in all.

  Args:
    runs: those that are to be trained, as far as they are known.
    count: how many there are to be; the others take what these do.
  """
  by_program: dict[str, list[Planned]] = {}
  for run in runs:
    by_program.setdefault(program_of(run.config), []).append(run)
  if not by_program:
    yield 'nothing is left to train'
    return
  alike = [*by_program.values()]
  timed = [(time_of(x[0].config), x) for x in (
      alike if len(alike) <= FEW else [runs])]
  seconds = sum(found.of(run.config) for found, x in timed for run in x)
  compiling = sum(found.compiling for found, _ in timed) * (
      len(alike) / len(timed))
  yield (f'{duration(seconds * count / len(runs) + compiling)} with one worker '
         f'here, for {plural(count, "run")}')
  for found, x in timed:
    yield f'{words(dict(x[0].point))}: {found.words(x[0].config)}'
  if len(alike) > len(timed):
    yield (f'that is of one program of {len(alike)}; others may take several '
           'times as long, as with more updates of D or other networks')


def time_of(config: Config) -> Timing:
  """Trains a run three times in temporary folders, for a moment each.

  The first time compiles, the second does not, and the third is for the speed.

  Args:
    config: of the run.
  """
  step = build(config).phase(0).images
  # A grid and a checkpoint, and then a measurement with another of each.
  first, again = (
      _watched(_due_at(config, 2 * step, 4 * step), looks=2) for _ in range(2))
  total = config.train.total_images
  watch = _watched(_due_at(config, total, total), moment=MOMENT)
  *looking, measuring = again.apart
  return Timing(
      max(0., first.whole - again.whole),
      max(0., again.whole - sum(again.apart)), measuring, sum(looking),
      watch.rate)


class _Enough(BaseException):
  """A run was watched for long enough."""


class _Watch:
  """Looks at a run through what it shows of itself.

  Attributes:
    whole: seconds of the run.
    apart: those of each time at which it did not train, but measured or drew.
    rate: images a second.

  Args:
    moment: seconds of training that are enough.
    looks: times apart that are enough.
  """

  def __init__(self, moment=math.inf, looks=math.inf):
    self._moment, self._looks = moment, looks
    self._began = time.monotonic()
    self._apart_since = 0.
    self._first: tuple[float, int] | None = None
    self.whole = self.rate = 0.
    self.apart: list[float] = []

  def show(self, images, words):
    now = time.monotonic()
    self.whole = now - self._began
    if self._apart_since:
      self.apart.append(now - self._apart_since)
      self._apart_since = 0.
      if len(self.apart) >= self._looks:
        raise _Enough
    if words.startswith('measuring'):
      self._apart_since = now
    trained = now - sum(self.apart)
    if words.endswith(' ...') or not images:
      return
    if self._first is None:
      self._first = trained, images
    seconds, shown = trained - self._first[0], images - self._first[1]
    if shown and seconds > 0:
      self.rate = shown / seconds
      if seconds > self._moment:
        raise _Enough


def _watched(config, **until):
  """A _Watch of a run, which ends it."""
  watch = _Watch(**until)
  with tempfile.TemporaryDirectory() as folder:
    began = time.monotonic()
    try:
      loop.train(config, folder, lambda line: None, show=watch.show,
                 make=kept.gan_of)
    except _Enough:
      return watch
    watch.whole = time.monotonic() - began
  return watch


def _due_at(config, looks, measures):
  """The Config with grids and checkpoints, and measurements, so often."""
  train = dataclasses.replace(
      config.train, measure_every_images=measures,
      sample_every_images=looks, checkpoint_every_images=looks)
  return dataclasses.replace(config, train=train)
