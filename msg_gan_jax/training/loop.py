"""The loop: gives a GAN time and disk."""
import contextlib
import importlib.util
import itertools
import time

import jax
import numpy as np

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.data import batches
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.files.atomic import write_json
from msg_gan_jax.gan import pyramid, schedules
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import check_batch, sharded_step
from msg_gan_jax.gan.sampling import labels_like, renderer, summary_latents
from msg_gan_jax.metrics.functional import training_stability
from msg_gan_jax.report import grids, scatter
from msg_gan_jax.runs import best, records
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.load import state_like
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import initial_state, monitor, summary
from msg_gan_jax.training import scorer as scorer_lib
from msg_gan_jax.training import stop as signals
from msg_gan_jax.training.progress_line import Progress


class DivergedError(ValueError):
  """A number of the training is not finite any more."""


def train(config, workdir, say=print):
  """Trains until config.train.total_images, or until a signal.

  The same call continues a run that was stopped, killed or broken off.

  Args:
    config: Config.
    workdir: the run's folder; the result is config.json, metrics.jsonl,
      samples/, checkpoints/, versions.json and summary.json in it.
    say: prints a line for people; called by the first process only.

  Returns:
    The number of the signal that ended it, 0 where it reached its end.

  Raises:
    ValueError: bad settings, a changed config, another process at work.
    DivergedError: a loss, gradient or parameter is not finite.
    OSError: the disk refused something.
  """
  over = data_mesh()
  check_batch(config, over)
  gan = build(config)
  main = jax.process_index() == 0
  say = say if main else (lambda *unused: None)
  with contextlib.ExitStack() as stack:
    folder = stack.enter_context(Workdir(workdir, main))
    folder.check(config)
    splits = open_source(config)
    for line in initial_state.check_classes(config.networks, splits):
      say(f'warning: {line}')
    stop = stack.enter_context(signals.Stop())
    checkpoints = stack.enter_context(Checkpoints(
        folder.path / 'checkpoints', config.train.keep_checkpoints))
    run = Run(config, gan, over, folder, splits, checkpoints, say)
    stack.callback(run.close)
    return run.train(stop)


class Clock:
  """Seconds of this start, and images a second since the last reading."""

  def __init__(self, images):
    self.first = self.last = time.perf_counter()
    self.images = images

  def read(self, images):
    now = time.perf_counter()
    shown, seconds = images - self.images, now - self.last
    self.images, self.last = images, now
    return {'seconds': round(now - self.first, 3),
            'images_per_second': round(shown / max(seconds, 1e-9), 2)}


class Run:
  """A run in memory: the state, and what is done to it at which images."""

  def __init__(self, config, gan, over, folder, splits, checkpoints, say):
    self.config, self.gan, self.say = config, gan, say
    self.folder, self.splits = folder, splits
    self.checkpoints = checkpoints
    self.main = jax.process_index() == 0
    self.epoch_images = len(splits.train)
    same = replicated(over)
    root = jax.random.key(config.seed)
    init_key, self.key, z_key = (
        jax.random.fold_in(root, i) for i in range(3))
    self.z = monitor.fixed_latents(gan, z_key)
    self.render = renderer(gan, over)
    self.step = sharded_step(gan, over)
    self.listen = monitor.listener(gan)
    self.same, self.recent = same, []
    self.batches = batches.open_batches(splits.train, config, over)
    self.images, self.state, self.before = self._first(init_key, same)
    self.variety = monitor.variety_of_reals(splits.train)
    changed = folder.start(
        config, self.images, splits.train.digest(), jax.devices())
    for line in changed:
      say(f'changed: {line}')
    if self.main:
      self.metrics = records.Many(
          records.Metrics(folder.path),
          *([records.TensorBoard(folder.path / 'tensorboard')]
            if config.train.tensorboard else []))
      self.metrics.truncate(self.images)
    self.judge = summary.judge(splits)
    self.scorer = self.best = None
    if self.judge.can and not pyramid.are_points(gan.shapes[-1]):
      self.scorer = scorer_lib.Scorer(splits, config, gan, say)
      if config.evaluate.best:
        self.best = self._best()

  def _best(self):
    """Keeps the best checkpoint; knows what this run has had before."""
    path = self.folder.path / 'metrics.jsonl'
    had = [self.scorer.sought(record) for record in records.read(path)
           ] if self.main else ()
    return best.Best(self.folder.path, self.images, had, self.scorer.lower)

  def _first(self, key, same):
    """(images, state, fixed samples at the last epoch's begin)."""
    blank = monitor.blank(self.gan)
    like = {
        'state': state_like(self.gan, same),
        'before': jax.tree.map(lambda x: jax.ShapeDtypeStruct(
            x.shape, x.dtype, sharding=same), blank)}
    found = self.checkpoints.restore(like)
    for line in self.checkpoints.passed_over:
      self.say(f'warning: {line}')
    if found:
      images, tree = found
      done = images >= self.config.train.total_images
      self.say(f'{"done" if done else "continuing"} after {images:,} images')
      return images, tree['state'], tree['before']
    state = initial_state.fresh(self.gan, self.config, key, same)
    return 0, state, jax.jit(lambda: blank, out_shardings=same)()

  def train(self, stop):
    """Steps until the end, or until a signal; returns its number."""
    train, gan = self.config.train, self.gan
    if self.images >= train.total_images:
      self._measure()
      return 0
    self.say(f'{self.folder.path}: {train.total_images:,} images, '
             f'{self.epoch_images:,} in an epoch, '
             f'{jax.device_count()} {jax.devices()[0].device_kind}')
    if not self.images:  # the begin of the first epoch
      self.before = jax.device_put(
          self.render(self.state, self.z[:monitor.GRID]), self.same)
      self._look()
    progress = Progress(train.total_images, self.images)
    self.clock = Clock(self.images)
    steps = itertools.count(self.images // gan.phase(self.images).images + 1)
    with contextlib.closing(progress):
      while self.images < train.total_images:
        before, phase = self.images, gan.phase(self.images)
        self.state, logs = self.step(
            self.state, self.batches.at(before, (train.n_dis, phase.batch)),
            self.key, phase)
        self.images += phase.images
        self.recent.append((self.images, logs))
        stopped = stop.wanted(next(steps))
        read = self._tend(before, stopped)
        if self.main:
          progress.write(self.images, read)
        if stopped:
          break
    self.checkpoints.wait()
    if self.images < train.total_images:
      self.say(f'stopped and saved at {self.images:,} images; the same command '
               'continues')
      return stop.signal
    self._close()
    return 0

  def _tend(self, before, stopped):
    """All that is due at this number of images; returns logs, if read."""
    train, values = self.config.train, {}
    ended = self.images >= train.total_images

    def due(every):
      return ended or schedules.crossed(before, self.images, every)

    saving = due(train.checkpoint_every_images) or stopped
    logging = due(train.log_every_images)
    looking = due(train.sample_every_images)
    measuring = due(train.measure_every_images)
    # First of all: of what is not finite there are no records, no pictures.
    read = self._read() if (
        logging or saving or looking or measuring) else {}
    values |= read if logging else {}
    if schedules.crossed(before, self.images, self.epoch_images):
      values |= self._epoch()
    if looking:
      values |= self._look()
    if measuring:
      try:
        values |= self._measure()
      except Exception:
        if saving:  # What went wrong here must not cost the training.
          self._save()
          self.checkpoints.wait()
        raise
    # A record is due by the images alone, so that a run that was stopped or
    # killed has the same records as one that was not.
    if values and self.main:
      self.metrics.write(self.images, values, self.clock.read(self.images))
    if saving:
      self._save()
    return read

  def _read(self):
    """The last step's logs, once all since the last reading are finite."""
    recent, self.recent = jax.device_get(self.recent), []
    for images, logs in recent:
      if bad := monitor.not_finite(logs):
        self._diverged(
            f'{" and ".join(f"{b} = {logs[b]}" for b in bad)} in the step '
            f'that ended at {images:,} images')
    return {name: float(value) for name, value in recent[-1][1].items()}

  def _save(self):
    if bad := monitor.not_finite_leaves(self.state):
      more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
      self._diverged(f'{bad[0]}{more} not finite at {self.images:,} images')
    self.checkpoints.save(
        self.images, {'state': self.state, 'before': self.before})

  def _diverged(self, what):
    self.checkpoints.wait()
    steps = self.checkpoints.steps()
    good = (f'The last good checkpoint has {steps[-1]:,} images'
            if steps else 'There is no checkpoint yet')
    raise DivergedError(
        f'{self.folder.path}: {what}. Training stopped; nothing of it was '
        f'saved. {good}. Lower rates, or a penalty, may help: '
        'config.optimizer.g_rate, config.optimizer.d_rate, '
        'config.objective.penalty.')

  def _epoch(self):
    """How far the fixed samples moved since the last epoch began."""
    now = self.render(self.state, self.z[:monitor.GRID])
    moved = monitor.moved(jax.device_get(self.before), now)
    self.before = jax.device_put(now, self.same)
    return {'epoch': self.images // self.epoch_images, **moved}

  def _look(self):
    """A grid of the fixed latents at every scale, and their variety."""
    now = self.render(self.state, self.z)
    if self.main:
      folder = self.folder.path / 'samples'
      folder.mkdir(exist_ok=True)
      name = f'images_{self.images:010d}.png'
      grid = self._sheet(now)
      grids.save(folder / name, grid)
      self.metrics.images('samples', self.images, grid)
    if not self.images:
      return {}
    diversity = training_stability.pairwise(now[-1]) / max(self.variety, 1e-8)
    if diversity < monitor.COLLAPSE:
      self.say(
          f'warning: at {self.images:,} images the samples differ by only '
          f'{diversity:.0%} of what the reals do: G may have collapsed')
    few = tuple(level[:monitor.GRID] for level in now)
    return {'diversity': diversity, **monitor.consistency(few),
            **self.listen(self.state, few)}

  def _sheet(self, now):
    """The fixed samples as one picture; of points, over as many reals."""
    if pyramid.are_points(self.gan.shapes[-1]):
      real = self.splits.train.images(
          np.arange(min(len(self.splits.train), monitor.POINTS)))
      return scatter.scatter(real.reshape(-1, 2), now[-1].reshape(-1, 2))
    return grids.scales_side_by_side(
        tuple(level[:monitor.GRID] for level in now))

  def close(self):
    """Ends what runs in the background, and closes files."""
    self.batches.close()
    if self.main:
      self.metrics.close()
    if self.best:
      self.best.close()

  def _close(self):
    """Says where the pictures lie; draws the curves, if it can."""
    self.say(f'pictures: {self.folder.path / "samples"}')
    if not self.main:
      return
    if importlib.util.find_spec('matplotlib') is None:
      self.say("curves: pip install 'msg_gan_jax[plot]' draws them")
      return
    from msg_gan_jax.report import curves
    path = self.folder.path / 'curves.png'
    curves.plot(records.read(self.folder.path / 'metrics.jsonl'), path,
                title=self.folder.path.name)
    self.say(f'curves: {path}')

  def _measure(self):
    """Distances to the reals, printed, recorded, and in summary.json."""
    if not self.judge.can:
      return {}
    scorer = self.scorer if self.scorer and self.scorer.metrics else None
    fake, labels = self._samples(
        max(self.judge.count, scorer.count if scorer else 0))
    if scorer and scorer.weights == 'raw':
      raw, _ = self._samples(len(fake), 'raw')
    values = {}
    if self.main:
      found = self.judge.measure(fake[:self.judge.count])
      text, values = self.judge.table(found), self.judge.values(found)
      if scorer:
        scores, scored, found['scores'] = scorer.measure(
            (raw if scorer.weights == 'raw' else fake)[:scorer.count], labels,
            self.state)
        text, values = f'{text}\n{scored}', values | scores
      write_json(self.folder.path / 'summary.json', {
          'images': self.images, **found})
      self.say(f'after {self.images:,} images\n{text}')
    if self.best and not monitor.not_finite_leaves(self.state):
      self.best.offer(
          self.images, {'state': self.state, 'before': self.before},
          self.scorer.sought(values))
    return values

  def _samples(self, count, weights='ema'):
    """(uint8 [count, H, W, C], their labels or None); the same latents always.

    Classes are as frequent as among the reals. Each picture has noise of its
    own, where G has any: with the same for all they would be more alike than
    they are.
    """
    z = summary_latents(self.gan, count)
    labels = labels_like(
        self.judge.labels, count) if self.gan.classes else None
    noise = jax.random.key(0) if self.gan.layers else None
    return self.render(self.state, z, labels, weights, key=noise)[-1], labels
