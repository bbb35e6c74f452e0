"""Opens a run, which gives a GAN time and disk, and lets it train."""
from collections.abc import Callable, Sequence
import contextlib
import functools
import os
from typing import Any

import jax

from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.config import Config, schema
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.files import console
from msg_gan_jax.files.progress import beside_bars
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.devices import check_batch
from msg_gan_jax.runs import records, rollbacks
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.config_file import as_begun
from msg_gan_jax.runs.told import Told
from msg_gan_jax.runs.versions import last_digest
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import divergence, first_start, initial_state
from msg_gan_jax.training.divergence import DivergedError
from msg_gan_jax.training.observers import Observer
from msg_gan_jax.training.progress_line import Show
from msg_gan_jax.training.run import Run
from msg_gan_jax.training.stop import Stop


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
    DivergedError: numbers are not finite, and the run may not go back.
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
    for observer in observers:
      stack.callback(observer.close)
    rolled, calls = rollbacks.read(folder.path), None
    while True:
      run = Run(config, gan, mesh, folder, splits, checkpoints, say, observers,
                own, show, rolled, calls)
      with contextlib.closing(run):
        if main:
          told.images = functools.partial(getattr, run, 'images')
        stop.at_once = False
        try:
          return run.train(stop)
        except DivergedError as error:
          rolled, calls = divergence.go_back(run, error, stop), run.calls
      if main:
        told.images = None
      del run  # Or there would be two of its arrays for a while.
      if stop.wanted(next(calls)):
        say('stopped where the run went back; the same command continues')
        return stop.signal
  say('stopped before training began; nothing is lost, and the same command '
      'continues')
  return stop.signal
