"""What a run does once its numbers are not finite: config.train.on_divergence.

What is promised: the logs of every step are read before anything is recorded,
drawn, measured or saved, and all of State is looked at then, too. What is not
finite is found at the next such moment, and the logs after run.UNREAD calls
without one. Nothing that comes after it is written down.
"""
from typing import TYPE_CHECKING

import jax

from msg_gan_jax.files.atomic import append_json
from msg_gan_jax.gan.state import State
from msg_gan_jax.report.text import duration, plural
from msg_gan_jax.runs import processes, rollbacks
from msg_gan_jax.runs.read import WARNINGS
from msg_gan_jax.runs.rollbacks import Rollback
from msg_gan_jax.runs.versions import now, read_versions
from msg_gan_jax.training import failed_step, monitor
from msg_gan_jax.training.stop import Stop

if TYPE_CHECKING:
  from msg_gan_jax.training.run import Run


class DivergedError(ValueError):
  """A number of the training is not finite any more.

  Args:
    text: for people.
    images: real images shown where it was found.
  """

  def __init__(self, text: str, images: int = 0):
    super().__init__(text)
    self.images = images


def check(state: State, images: int) -> None:
  """Refuses a State that is not finite.

  Raises:
    DivergedError: names an array of it.
  """
  if bad := monitor.not_finite_leaves(state):
    more = f' and {len(bad) - 1} more' if len(bad) > 1 else ''
    raise DivergedError(
        f'{bad[0]}{more} not finite at {images:,} images', images)


def slowed(state: State, before: tuple[Rollback, ...],
           rates: dict[str, float]) -> State:
  """State with the learning rates that a run has after rollbacks.

  Args:
    state: that training goes on with.
    before: all rollbacks before it; of none State stays as it is.
    rates: {name in State.hyper: rate} as set.
  """
  if not before:
    return state
  factor = rollbacks.rate(before)
  return state.replace(hyper={**state.hyper, **{
      name: jax.device_put(jax.numpy.float32(rate * factor),
                           state.hyper[name].sharding)
      for name, rate in rates.items()}})


def go_back(run: 'Run', error: DivergedError,
            stop: Stop) -> tuple[Rollback, ...]:
  """What a run goes on with that has diverged: its rollbacks, with a new one.

  Args:
    run: it has met the error; its State is gone after this.
    error: says what was found.
    stop: a signal ends the search for the first cause.

  Raises:
    DivergedError: the run ends here; the text has the first cause.
  """
  train, folder = run.config.train, run.folder
  origin, why = _look_back(run, error, stop)
  text = f'{error}. {why}'
  if run.main:
    append_json(folder.path / WARNINGS, {
        'text': f'the run diverged: {text}', 'date': now(),
        'images': error.images,
        'diverged': len(read_versions(folder.path / 'versions.json'))})
  processes.meet('diverged')  # Who ends now ends the one that writes.
  done = len(run.rollbacks)
  if train.on_divergence == 'stop' or done >= train.rollbacks:
    good = (f'The last good checkpoint has {origin:,} images' if origin else
            'There is no checkpoint yet')
    tried = f' after {plural(done, "rollback")}' if done else ''
    raise DivergedError(
        f'{folder.path}: {text} Training stopped{tried}; nothing of it was '
        f'saved. {good}. Lower rates, or a penalty, may help: '
        'config.optimizer.g_rate, config.optimizer.d_rate, '
        'config.objective.penalty. '
        + ('' if done else 'config.train.on_divergence=rollback goes on by '
           'itself. ') + f'To repeat it: {failed_step.command(folder.path)}',
        error.images)
  rolled = *run.rollbacks, Rollback(error.images, origin, train.rollback_rate)
  line = (f'rollback {done + 1} of at most {train.rollbacks}, from '
          f'{error.images:,} to {origin:,} images: {text} From there on noise '
          'is drawn anew, and both learning rates are '
          f'{rollbacks.rate(rolled):g} times what is set')
  run.say(line)
  # In this order: who is killed in between meets the same once more.
  folder.note(origin, [line])
  if run.main:
    rollbacks.write(folder.path, rolled)
  return rolled


def _look_back(run, error, stop):
  """(images of the last good checkpoint, a sentence about the first cause)."""
  rate = run.rate()
  images, state = run.begin()
  origin = failed_step.origin_of(images, state, run.key)
  size = run.gan.phase(images).images
  steps, failure, calls = (error.images - images) // size, None, list[int]()
  repeat = run.repeat()
  if run.config.train.first_cause:
    about = (f', about {duration((error.images - images) / rate)}'
             if rate else '')
    run.say(f'{error}. {plural(steps, "step")} from {images:,} images on '
            f'{"is" if steps == 1 else "are"} repeated to find the first cause'
            f'{about} and a compilation; --config.train.first_cause=false '
            'leaves that out')

    def call_at(shown):
      phase, count = run.call_at(shown)
      calls.append(count)
      return phase, count

    failure = repeat.search(
        images, state, error.images, call_at,
        lambda: stop.wanted(next(run.calls)))
  del state
  pictures = repeat.gathered(failure.call) if (
      failure and run.config.train.failed_pictures) else None
  if run.main:
    failed_step.write(
        run.folder.path, run.config, run.source, origin, error.images, failure,
        calls if failure else (), pictures)
  return images, _why(run, failure, stop)


def _why(run, failure, stop):
  """A sentence about the first cause."""
  if failure and not run.main:
    return 'The first process names the first cause.'
  if failure:
    named = plural(len(failure.bad_pictures), 'picture')
    return f'First cause: {failure}' + (
        f', by {named} of them.' if failure.bad_pictures else '.')
  if not run.config.train.first_cause:
    return 'The first cause was not looked for.'
  if stop.signal:
    return 'The search for the first cause was stopped.'
  return ('Repeated, the same steps are finite: a device or its memory may '
          'have failed.')
