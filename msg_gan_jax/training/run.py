"""A run in memory: its steps, and what is due between them.

It keeps order and safety: it reads the logs, refuses numbers that are not
finite, runs the observers that are due, writes their record, and saves.
"""
from collections.abc import Callable, Iterator, Sequence
import contextlib
import itertools
from typing import Any

import jax
from jax.sharding import Mesh
import numpy as np

from msg_gan_jax.arrays.mesh import replicated
from msg_gan_jax.config import Config
from msg_gan_jax.data.batches import batch_like, open_batches
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.gan import hyper
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs import records, rollbacks
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.load import state_like
from msg_gan_jax.runs.rollbacks import Rollback
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import divergence, initial_state, kept, monitor
from msg_gan_jax.training.ahead import Ahead
from msg_gan_jax.training.clock import Clock
from msg_gan_jax.training.divergence import DivergedError
from msg_gan_jax.training.dynamics import dynamics_of
from msg_gan_jax.training.first_cause import Repeat
from msg_gan_jax.training.groups import Groups
from msg_gan_jax.training.means import Means
from msg_gan_jax.training.observers import (
  Grid,
  Losses,
  Moment,
  Observer,
  Stability,
  View,
  measurement,
)
from msg_gan_jax.training.progress_line import Progress, Show
from msg_gan_jax.training.recorder import Recorder
from msg_gan_jax.training.results import say_where_they_are
from msg_gan_jax.training.saver import Saver
from msg_gan_jax.training.stop import Stop

UNREAD = 512  # Calls whose logs lie unread, where nothing is due for long.


class Run:
  """A run in memory.

  Args:
    config, gan, mesh: what is trained, and on which devices.
    folder: Workdir, checked for this config.
    splits: see data.sources.open_source.
    checkpoints: Checkpoints of the run; the newest intact one is restored.
    say: prints a line for people.
    observers: those that come after the loop's own; whoever has made them
      closes them.
    own, show: what else takes records and pictures, and is closed by who has
      opened it; see `train`.
    rolled: times that the run went back; those beyond its checkpoint are
      forgotten.
    calls: numbers of calls for Stop.wanted, to go on from.

  Attributes:
    images: real images shown so far.
    state: State.
    key: of all that is drawn at random in steps.
    rollbacks: those that State is built on.
    calls: see there.
    config, gan, folder, say, source, main: what it was made of.
    observers: those that are due run in this order, which is also that of
      their values in a record.

  Raises:
    ValueError: a checkpoint, or another run to begin from, that does not fit;
      what the observers refuse.
  """

  def __init__(self, config: Config, gan: Gan, mesh: Mesh, folder: Workdir,
               splits: Splits, checkpoints: Checkpoints,
               say: Callable[[str], Any], observers: Sequence[Observer],
               own: records.Writer, show: Show | None = None,
               rolled: tuple[Rollback, ...] = (),
               calls: Iterator[int] | None = None):
    self.config, self.gan, self.say, self._show = config, gan, say, show
    self.folder, self.source, self._mesh = folder, splits.train, mesh
    self._folder = folder.path
    self.main = self._main = jax.process_index() == 0
    root = jax.random.key(config.seed)
    self._init_key, self._step_key, z_key = (
        jax.random.fold_in(root, i) for i in range(3))
    z = monitor.fixed_latents(gan, z_key)
    self._render = kept.renderer_of(gan, mesh)
    self._step = kept.step_of(gan, mesh)
    # Images shown after each step of a call, and its logs.
    self._recent: list[tuple[range, dict[str, jax.Array]]] = []
    self._groups = Groups(gan, config.train.total_images, self._stops)
    self._like = state_like(gan, replicated(mesh))
    newest = max(checkpoints.steps(), default=0)  # Unless it is damaged.
    # Where another Run has gone before, its programs are there.
    self._ahead = Ahead(lambda: [] if calls else self._lower_first(newest))
    self._batches = open_batches(splits.train, config, mesh)
    self._saver = Saver(folder.path, checkpoints, say, folder.check_ours)
    self._clock: Any = None  # Until it trains.
    self.rollbacks = rolled
    self.images, self.state, before = self._restore(say)
    self.calls = calls or itertools.count(
        self.images // gan.phase(self.images).images + 1)
    variety = monitor.variety_of_reals(splits.train)
    changed = folder.start(
        config, self.images, splits.train.digest(), jax.devices(),
        splits.about(), splits.train.classes if gan.classes else ())
    for line in changed:
      say(f'changed: {line}')
    self._recorder = Recorder(
        self._folder if self._main else None, self.images, own,
        config.train.tensorboard, checkpoints.notes)
    lost = self._recorder.lost()
    folder.note(self.images, [*self._saver.origin, *lost])
    for line in lost:
      say(f'warning: {line}')
    self._losses = Losses(
        config.train.log_every_images, Means(checkpoints.notes.get('means')))
    self._stability = Stability(len(splits.train), z[:monitor.GRID], before)
    self._measurement = measurement(config, gan, splits, self._view())
    if scorer := self._measurement.scorer:
      # After a rollback, which another way begins at, no best comes again.
      self._saver.keep_best(
          scorer, self.images, lambda: self._recorder.by_images(scorer.sought),
          bool(changed) or any(
              x.images == self.images for x in self.rollbacks))
    self.observers: list[Observer] = [
        self._losses, self._stability,
        Grid(config.train.sample_every_images, gan, z, splits.train, variety),
        self._measurement,
        *dynamics_of(config, gan, splits, self._step, self._batches, self.key),
        *observers]
    self._others = len(observers)

  def _restore(self, say):
    """(images, State, samples as the epoch began) to go on from.

    Noise and rates are those that a run has after its rollbacks.
    """
    images, state, before = initial_state.restore_or_create(
        self._saver, self.gan, self.config, self._init_key, self._like, say)
    kept_ones = tuple(x for x in self.rollbacks if x.images <= images)
    if self.main and kept_ones != self.rollbacks:
      rollbacks.write(self._folder, kept_ones)
    self.rollbacks = kept_ones
    self.key = jax.random.fold_in(
        self._step_key, len(kept_ones)) if kept_ones else self._step_key
    rates = hyper.start(self.config)
    return images, divergence.slowed(state, kept_ones, {
        name: float(rates[name]) for name in hyper.RATES}), before

  def _lower_first(self, images):
    """The programs of the first whole group after `images` real images.

    Observers are not there yet to say what is due before it ends. Where that
    makes the first group smaller, a whole one comes soon after.
    """
    if images >= self.config.train.total_images:
      return []
    phase, size = self.gan.phase(images), self._groups.size(images)
    batch = batch_like(self.source, phase.reads(images, size)[1], self._mesh)
    return self._step.lower(self._like, batch, self._step_key, phase)

  def train(self, stop: Stop) -> int:
    """Steps until the end, or until a signal; returns its number."""
    total = self.config.train.total_images
    if self.images >= total:
      self._measurement.run(self._view())
      return 0
    self.say(f'{self._folder}: {total:,} images, '
             f'{self._stability.every:,} in an epoch, '
             f'{jax.device_count()} {jax.devices()[0].device_kind}')
    progress = Progress(
        total, self.images, silent=not self._main, show=self._show)
    called = set()
    with contextlib.closing(progress):
      if not self.images:
        with progress.apart('compiling'):
          self._observe(self._due(Moment(0, 0)), {})
      self._clock = Clock(self.images, progress.trained_seconds)
      while self.images < total:
        phase, count = self._groups.at(self.images)
        batches = self._batches.at(*phase.reads(self.images, count))
        first = (phase, count) not in called
        called.add((phase, count))
        if first:  # Steps that wait for their device are training still.
          jax.block_until_ready(self._recent)
        with progress.apart('compiling') if first else contextlib.nullcontext():
          self._ahead.wait()
          self.state, logs = self._step(self.state, batches, self.key, phase)
        shown = range(self.images + phase.images,
                      self.images + (count + 1) * phase.images, phase.images)
        self.images = shown[-1]
        self._recent.append((shown, logs))
        stopped = stop.wanted(next(self.calls))
        moment = Moment(self.images - phase.images, self.images,
                        self.images >= total)
        read = self._after_step(moment, stopped, progress)
        progress.write(self.images, read, until=next(iter(logs.values())))
        if stopped:
          break
    self._saver.wait()
    if self.images < total:
      self.say(f'stopped and saved at {self.images:,} images; the same command '
               'continues')
      return stop.signal
    say_where_they_are(self._folder, self.say)
    return 0

  def _after_step(self, moment, stopped, progress):
    """Does all that is due at this moment; returns the logs, if it read them.

    A record is due by the images alone, so that a run that was stopped or
    killed has the same records as one that was not.
    """
    saving = stopped or self._saves(moment)
    due = self._due(moment)
    if not due and not saving:
      return self._read() if len(self._recent) >= UNREAD else {}
    # This comes first: what is not finite must not be recorded or drawn.
    logs = self._read()
    divergence.check(self.state, self.images)
    with progress.apart(
        '' if due == [self._losses] else 'measuring', brief=True):
      self._look(due, logs, moment, saving)
    return logs

  def _look(self, due, logs, moment, saving):
    """Runs what is due, writes its record, and saves if it is time to."""
    self.folder.check_ours()
    try:
      values = self._observe(due, logs)
    except Exception:
      # What went wrong here must not cost the training. Of several processes
      # it may be this one alone, and the others would not come to save.
      if saving and jax.process_count() == 1:
        self._save(wait=True)
      raise
    if values:
      self._recorder.write(self.images, values, self._clock.read(self.images))
    if moment.passed(self._losses.every):  # And not at an end between two.
      self._losses.means.clear()
    if saving:
      self._save()
    self._recorder.hand_on(lambda: saving or self._save(wait=True))

  def _stops(self, moment):
    """Whether there is something to do between this step and the next."""
    return self._saves(moment) or bool(self._due(moment))

  def _saves(self, moment):
    return moment.ended or moment.passed(
        self.config.train.checkpoint_every_images)

  def _due(self, moment):
    return [observer for observer in self.observers if observer.due(moment)]

  def _observe(self, due, logs):
    """What all observers that are due have for the record."""
    view = self._view(logs)
    return {name: value for observer in due
            for name, value in observer.run(view).items()}

  def _view(self, logs=None):
    return View(
        self.images, self.state, logs or {}, self._render, self._folder,
        self._main, self.say,
        lambda tag, picture: self._recorder.picture(tag, self.images, picture),
        lambda score: self._saver.offer(self.images, self._snapshot(), score))

  def _snapshot(self):
    """What a checkpoint holds."""
    return {'state': self.state, 'before': self._stability.before}

  def _read(self):
    """The last step's logs, once all are finite and in the next means."""
    recent, self._recent = jax.device_get(self._recent), []
    for shown, of_call in recent:
      for i, images in enumerate(shown):
        logs = {name: float(np.atleast_1d(x)[i]) for name, x in of_call.items()}
        if bad := monitor.not_finite(logs):
          terms = ' and '.join(f'{name} = {logs[name]}' for name in bad)
          raise DivergedError(
              f'{terms} in the step that ended at {images:,} images', images)
        self._losses.means.add(logs)
    return logs

  def _save(self, wait=False):
    self._saver.save(self.images, self._snapshot(), {
        'means': self._losses.means.saved(), **self._recorder.note()})
    if wait:
      self._saver.wait()

  def close(self) -> None:
    """Ends what runs in the background, and closes files."""
    self._batches.close()
    self._recorder.close()
    self._saver.close()
    for observer in self.observers[:len(self.observers) - self._others]:
      observer.close()

  # What is asked of a run that has diverged.

  def begin(self) -> tuple[int, State]:
    """(images, State) of the newest checkpoint that is intact.

    What it was that the run went on from, once more. Its own State is gone.
    """
    self._recent.clear()
    self.state = None
    self._saver.wait()
    images, state, _ = self._restore(lambda line: None)
    return images, state

  def repeat(self) -> Repeat:
    """Repeats steps of it."""
    return Repeat(self.gan, self._mesh, self._step, self._batches, self.key)

  def call_at(self, images: int) -> tuple[Phase, int]:
    """(Phase, steps) of the call after `images` real images."""
    return self._groups.at(images)

  def rate(self) -> float:
    """Real images a second since the last record."""
    return self._clock.read(self.images)['images_per_second'] if (
        self._clock) else 0.
