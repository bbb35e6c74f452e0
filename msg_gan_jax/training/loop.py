"""The loop: gives a GAN time and disk.

It keeps order and safety: it reads the logs, refuses numbers that are not
finite, runs the observers that are due, writes their record, and saves.
"""
from collections.abc import Callable, Sequence
import contextlib
import itertools
import os
from typing import Any

import jax
from jax.sharding import Mesh
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.config import Config, schema
from msg_gan_jax.data.batches import batch_like, open_batches
from msg_gan_jax.data.sources import Splits, open_source
from msg_gan_jax.files import console
from msg_gan_jax.files.progress import beside_bars
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.devices import check_batch
from msg_gan_jax.runs import records
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.config_file import as_begun
from msg_gan_jax.runs.load import state_like
from msg_gan_jax.runs.told import Told
from msg_gan_jax.runs.versions import last_digest
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import first_start, initial_state, kept, monitor
from msg_gan_jax.training.ahead import Ahead
from msg_gan_jax.training.clock import Clock
from msg_gan_jax.training.dynamics import dynamics_of
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


def train(config: schema.Settings, workdir: str | os.PathLike,
          say: Callable[[str], Any] = console.say,
          observers: Sequence[Observer] = (),
          writers: Sequence[records.Writer] = (),
          experiment: str = '', show: Show | None = None,
          make: Callable[[Config], Gan] | None = None) -> int:
  """Trains until config.train.total_images, or until a signal.

  The same call continues a run that was stopped, killed or broken off.

  Args:
    config: Config, or what `parse` takes: a ConfigDict or a nested dict.
    workdir: the run's folder; the result is config.json, metrics.jsonl,
      samples/, checkpoints/, versions.json and summary.json in it.
    say: prints a line for people; called by the first process only.
    observers: what looks at the run besides losses, stability, grids and
      scores; see training/observers.py.
    writers: where records and grids go besides the folder; see
      runs/records.py. They are closed at the end, whatever ends the run.
    experiment: FILE or FILE:ARGUMENT that the config came from; the run keeps
      a copy, for rows that it registers. '' is none.
    show: shows how far it is, in place of a line on stderr; see Progress.
    make: makes the GAN in place of `build`; see kept.gan_of.

  Returns:
    The number of the signal that ended it, or 0 if it reached its end.

  Raises:
    ValueError: bad settings, a changed config, or another process at work.
    DivergedError: a loss, gradient or parameter is not finite.
    OSError: the disk refused something.
  """
  config = schema.parse(config)
  mesh = data_mesh()
  check_batch(config, mesh)
  build(config)  # What is wrong is told before any picture is read.
  main = jax.process_index() == 0
  say = beside_bars(say) if main else (lambda *unused: None)
  with contextlib.ExitStack() as stack:
    own = stack.enter_context(
        contextlib.closing(records.Many(*writers if main else ())))
    folder = stack.enter_context(Workdir(workdir, main, say, experiment))
    stop = stack.enter_context(Stop(at_once=True))
    if main:
      say = told = Told(folder.path, say)
      stack.callback(told.keep)
    config = as_begun(config, folder.path)
    folder.check(config)
    records.path_in(folder.path)  # What is in its way is told before all else.
    splits = open_source(config)
    notes = initial_state.notes(config, splits)
    if reason := first_start.reason(config, splits):
      say(f'augment: {reason}')
    config = first_start.with_choices(config, splits)
    gan = (make or build)(config)
    if notes and last_digest(folder.path) != splits.train.digest():
      for note in notes:  # Once, and again where other pictures are read.
        say(f'note: {note}')
    checkpoints = stack.enter_context(Checkpoints(
        folder.path / 'checkpoints', config.train.keep_checkpoints,
        keep_every=config.train.keep_every_images))
    run = Run(config, gan, mesh, folder, splits, checkpoints, say, observers,
              own, show)
    stack.callback(run.close)
    if main:
      told.images = lambda: run.images
    stop.at_once = False
    return run.train(stop)
  say('stopped before training began; nothing is lost, and the same command '
      'continues')
  return stop.signal


class Run:
  """A run in memory.

  Args:
    config, gan, mesh: what is trained, and on which devices.
    folder: Workdir, checked for this config.
    splits: see data.sources.open_source.
    checkpoints: Checkpoints of the run; the newest intact one is restored.
    say: prints a line for people.
    observers: those that come after the loop's own.
    own, show: what else takes records and pictures, and is closed by who has
      opened it; see `train`.

  Attributes:
    images: real images shown so far.
    state: State.
    observers: those that are due run in this order, which is also that of
      their values in a record.

  Raises:
    ValueError: a checkpoint, or another run to begin from, that does not fit;
      what the observers refuse.
  """

  def __init__(self, config: Config, gan: Gan, mesh: Mesh, folder: Workdir,
               splits: Splits, checkpoints: Checkpoints,
               say: Callable[[str], Any], observers: Sequence[Observer],
               own: records.Writer, show: Show | None = None):
    self.config, self.gan, self.say, self._show = config, gan, say, show
    self._folder = folder.path
    self._main = jax.process_index() == 0
    root = jax.random.key(config.seed)
    init_key, self._key, z_key = (
        jax.random.fold_in(root, i) for i in range(3))
    z = monitor.fixed_latents(gan, z_key)
    self._render = kept.renderer_of(gan, mesh)
    self._step = kept.step_of(gan, mesh)
    # Images shown after each step of a call, and its logs.
    self._recent: list[tuple[range, dict[str, jax.Array]]] = []
    self._groups = Groups(gan, config.train.total_images, self._stops)
    like = state_like(gan, replicated(mesh))
    newest = max(checkpoints.steps(), default=0)  # Unless it is damaged.
    self._ahead = Ahead(
        lambda: self._lower_first(like, newest, splits.train, mesh))
    self._batches = open_batches(splits.train, config, mesh)
    self._saver = Saver(folder.path, checkpoints, say)
    self.images, self.state, before = initial_state.restore_or_create(
        self._saver, gan, config, init_key, like, say)
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
    folder.note(self.images, lost)
    for line in lost:
      say(f'warning: {line}')
    self._losses = Losses(
        config.train.log_every_images, Means(checkpoints.notes.get('means')))
    self._stability = Stability(len(splits.train), z[:monitor.GRID], before)
    self._measurement = measurement(config, gan, splits, self._view())
    if scorer := self._measurement.scorer:
      self._saver.keep_best(
          scorer, self.images, self._recorder.by_images(scorer.sought))
    self.observers: list[Observer] = [
        self._losses, self._stability,
        Grid(config.train.sample_every_images, gan, z, splits.train, variety),
        self._measurement,
        *dynamics_of(config, gan, splits, self._step, self._batches, self._key),
        *observers]

  def _lower_first(self, like, images, source, mesh):
    """The programs of the first whole group after `images` real images.

    Observers are not there yet to say what is due before it ends. Where that
    makes the first group smaller, a whole one comes soon after.
    """
    if images >= self.config.train.total_images:
      return []
    phase, size = self.gan.phase(images), self._groups.size(images)
    batch = batch_like(source, phase.reads(images, size)[1], mesh)
    return self._step.lower(like, batch, self._key, phase)

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
    calls = itertools.count(
        self.images // self.gan.phase(self.images).images + 1)
    with contextlib.closing(progress):
      if not self.images:
        with progress.apart('compiling'):
          self._observe(self._due(Moment(0, 0)), {})
      clock = Clock(self.images, progress.trained_seconds)
      while self.images < total:
        phase, count = self._groups.at(self.images)
        batches = self._batches.at(*phase.reads(self.images, count))
        first = (phase, count) not in called
        called.add((phase, count))
        if first:  # Steps that wait for their device are training still.
          jax.block_until_ready(self._recent)
        with progress.apart('compiling') if first else contextlib.nullcontext():
          self._ahead.wait()
          self.state, logs = self._step(self.state, batches, self._key, phase)
        shown = range(self.images + phase.images,
                      self.images + (count + 1) * phase.images, phase.images)
        self.images = shown[-1]
        self._recent.append((shown, logs))
        stopped = stop.wanted(next(calls))
        moment = Moment(self.images - phase.images, self.images,
                        self.images >= total)
        read = self._after_step(moment, stopped, clock, progress)
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

  def _after_step(self, moment, stopped, clock, progress):
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
    with progress.apart(
        '' if due == [self._losses] else 'measuring', brief=True):
      self._look(due, logs, moment, saving, clock)
    return logs

  def _look(self, due, logs, moment, saving, clock):
    """Runs what is due, writes its record, and saves if it is time to."""
    try:
      values = self._observe(due, logs)
    except Exception:
      if saving:  # What went wrong here must not cost the training.
        self._save(wait=True)
      raise
    if values:
      self._recorder.write(self.images, values, clock.read(self.images))
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
          self._saver.refuse(
              f'{terms} in the step that ended at {images:,} images')
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
    for observer in self.observers:
      observer.close()
