"""The queue of a study: each trial is claimed by one worker, and none is lost.

A worker claims a trial by turning WAITING into RUNNING, which Optuna's storages
do atomically, and counts up a lease in the trial's attributes while it works.
Where the count stands still for longer than the lease, by the clock of whoever
looks, the worker is dead: the trial fails, the same work is enqueued again, and
the next worker continues its checkpoint. No two clocks are compared.

Each piece of work has a digest. Two workers may enqueue the same piece at once:
the older trial counts, and the newer one is told to be its copy.
"""
from collections.abc import Callable, Iterable, Mapping
import contextlib
import itertools
import json
import threading
import time
from typing import Any

from msg_gan_jax.files.process import me
from msg_gan_jax.study.alive import Watch
from msg_gan_jax.study.patience import PATIENCE, patiently
from msg_gan_jax.study.work import Claim, Trial, Work

LEASE = 60.  # Seconds.
DEADLY = 5  # Workers that a trial may kill before it got any further.
NAME = 'study'


class Queue:
  """The trials of a study in an Optuna storage.

  Args:
    stored: see `storage.open_storage`.
    lower: whether less is better.
    name: of the study in the storage.
    say: prints a line for people.
    lease: seconds after which a worker that is not heard of is dead.
    create: whether to make a study that is not there.

  Attributes:
    stopping: whether this process is to end; see patience.patiently.

  Raises:
    ValueError: no study of that name, or one that goes the other way.
  """

  def __init__(self, stored: Any, lower: bool = True, name: str = NAME,
               say: Callable[[str], Any] = lambda line: None,
               lease: float = LEASE, create: bool = True):
    import optuna
    self._states = optuna.trial.TrialState
    self._finished_error = optuna.exceptions.UpdateFinishedTrialError
    self._say, self._lease = say, lease
    self.stopping: Callable[[], bool] = lambda: False
    direction = 'minimize' if lower else 'maximize'
    if create:
      self.study = self._call(
          optuna.create_study, storage=stored, study_name=name,
          direction=direction, load_if_exists=True)
    else:
      try:
        self.study = self._call(
            optuna.load_study, storage=stored, study_name=name)
      except KeyError as error:
        raise ValueError(f'the storage has no study {name!r}.') from error
    if create and self.study.direction.name.lower() != direction:
      raise ValueError(
          f'the storage has another study {name!r}, in which '
          f'{"more" if lower else "less"} is better; wanted another name.')
    # Optuna's own, which keeps the finished trials of a database in memory.
    self._stored = self.study._storage
    self._watch = Watch(lease)
    self._later: dict[str, float] = {}  # {digest: until when it is left alone}

  def define(self, written: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps what the study is, or adds it to what the storage has of it.

    Args:
      written: see definition.dump.

    Returns:
      What the storage has now.

    Raises:
      ValueError: another study is there.
    """
    from msg_gan_jax.study.definition import joined  # And with it, jax.
    mine = json.loads(json.dumps(written))  # As it is read back.
    while True:
      there = self.definition()
      wanted = joined(there, mine) if there else mine
      if there == wanted:
        return wanted
      # And looked at again: others may add to it at once.
      self._call(self._stored.set_study_user_attr, self.study._study_id,
                 'definition', wanted)

  def definition(self) -> dict[str, Any]:
    """What `define` has kept; {} before."""
    return self._attrs().get('definition', {})

  def mark_whole(self, written: Mapping[str, Any]) -> None:
    """Keeps that all runs of a study are there, as it is defined here.

    Args:
      written: see definition.dump; one that has grown since is not whole.
    """
    if written and not self.is_whole():
      self._call(self._stored.set_study_user_attr, self.study._study_id,
                 'whole', dict(written))

  def is_whole(self, patience: float = PATIENCE) -> bool:
    """Whether all runs of the study, as it is defined now, are there.

    Args:
      patience: see patience.patiently.
    """
    attrs = self._attrs(patience=patience)
    return attrs.get('whole', '') == attrs.get('definition')

  def add(self, works: Iterable[Work]) -> int:
    """Enqueues what is not there yet.

    Returns:
      How many pieces were enqueued.
    """
    known = {trial.work.digest for trial in self.trials()}
    new = [work for work in works if work.digest not in known]
    for work in new:
      self._enqueue(work)
    return len(new)

  def claim(self) -> Claim | None:
    """The next piece of work, or None if none is waiting now."""
    self.recover()
    while True:
      number = self._pop()
      if number is None:
        return None
      trial = self._call(self._stored.get_trial, number)
      work = _work(trial)
      if self._is_copy(trial, work):
        self._end(number, self._states.FAIL, reason=_COPY)
        continue
      return Claim(number, work, threading.Event())

  @contextlib.contextmanager
  def held(self, claim: Claim, begins: int = 0):
    """A context in which the lease of a claim is renewed by a thread.

    Args:
      claim: of a piece of work.
      begins: how far an earlier worker has come with it, such as in images.
    """
    done = threading.Event()

    def renew():
      count = 0
      while not done.wait(self._lease / 4):
        count += 1
        try:
          self._set(claim.number, 'lease', [me(), count, begins])
        except self._finished_error:
          claim.lost.set()
          return
        except Exception as error:  # The work goes on; others may take over.
          self._say(f'warning: the lease of a trial is not renewed: {error}')

    try:
      self._set(claim.number, 'lease', [me(), 0, begins])
    except self._finished_error:  # It was suspended for long since the claim.
      claim.lost.set()
    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
      yield
    finally:
      done.set()
      thread.join()

  def finish(self, claim: Claim, value: float | None,
             record: Mapping[str, Any]) -> None:
    """Records what came of a piece of work.

    Args:
      claim: of it.
      value: by which it is judged; None if it diverged.
      record: plain JSON.
    """
    with contextlib.suppress(self._finished_error):  # Somebody took it over.
      self._set(claim.number, 'record', dict(record))
      if value is None:  # Optuna takes no trial as complete without a value.
        self._end(claim.number, self._states.PRUNED)
      else:
        self._end(claim.number, self._states.COMPLETE, [value])

  def fail(self, claim: Claim, reason: str) -> None:
    """Records that a piece of work cannot be done: see `again`."""
    with contextlib.suppress(self._finished_error):
      self._end(claim.number, self._states.FAIL, reason=reason)

  def give_back(self, claim: Claim, pause: float = 0.) -> None:
    """Puts a piece of work back for another worker, or for later.

    Args:
      claim: of it.
      pause: seconds for which this worker leaves it alone.
    """
    self._later[claim.work.digest] = time.monotonic() + pause
    with contextlib.suppress(self._finished_error):
      self._end(claim.number, self._states.FAIL, reason=_GIVEN_BACK)
      self._enqueue(claim.work)

  def recover(self) -> int:
    """Enqueues again what dead workers have left; returns how many pieces.

    What kills worker after worker, and gets no further, fails at last.
    """
    now = time.monotonic()
    for trial in self._all(self._states.RUNNING):
      if self._watch.is_dead(trial._trial_id, _lease(trial), now):
        deadly = self._deaths(trial) >= DEADLY
        with contextlib.suppress(self._finished_error):  # Others look, too.
          self._end(trial._trial_id, self._states.FAIL,
                    reason=_DEADLY if deadly else _NOT_HEARD_OF)
          digest = _work(trial).digest
          self._say(
              f'warning: {_DEADLY}: {digest}' if deadly else
              f'a worker is gone; its trial is enqueued again: {digest}')
    # By what is on record: a worker may have died between these two steps.
    lost = [trial.work for trial in self.trials() if trial.state == 'failed'
            and trial.reason in (_GIVEN_BACK, _NOT_HEARD_OF)]
    for work in lost:
      self._enqueue(work)
    return len(lost)

  def again(self) -> int:
    """Enqueues again what has failed; returns how many pieces."""
    failed = [x.work for x in self.trials() if x.state == 'failed']
    for work in failed:
      self._enqueue(work)
    return len(failed)

  def trials(self, patience: float = PATIENCE) -> list[Trial]:
    """The newest word on each piece of work, in the order they were added.

    Args:
      patience: see patience.patiently.
    """
    found: dict[str, Trial] = {}
    for trial in self._all(patience=patience):
      work = _work(trial)
      if not work.digest:
        continue
      new = self._trial(trial, work)
      old = found.get(work.digest)
      if old is None or _rank(new) >= _rank(old):
        found[work.digest] = new
    return list(found.values())

  def _trial(self, trial, work):
    state = {'COMPLETE': 'done', 'PRUNED': 'done', 'FAIL': 'failed'}.get(
        trial.state.name, trial.state.name.lower())
    return Trial(
        work, state, trial.value if trial.state.name == 'COMPLETE' else None,
        trial.user_attrs.get('record', {}),
        trial.user_attrs.get('reason', '') if state == 'failed' else '',
        trial.number)

  def _deaths(self, trial):
    """How many workers this piece of work has lost without a step forward."""
    digest, begins = _work(trial).digest, _begins(trial)
    earlier = [x for x in self._all() if x.number < trial.number
               and _work(x).digest == digest
               and x.user_attrs.get('reason') != _COPY]
    return 1 + sum(1 for _ in itertools.takewhile(
        lambda x: (x.user_attrs.get('reason') == _NOT_HEARD_OF
                   and _begins(x) == begins), reversed(earlier)))

  def _is_copy(self, trial, work):
    """Whether an older trial does the same piece of work, or has done it."""
    return any(
        other.number < trial.number and _work(other).digest == work.digest
        and other.state != self._states.FAIL for other in self._all())

  def _pop(self):
    """The id of a trial that was waiting, and is this worker's now."""
    now = time.monotonic()
    for trial in self._all(self._states.WAITING):
      if self._later.get(_work(trial).digest, now) > now:
        continue
      with contextlib.suppress(self._finished_error):
        if self._call(self._stored.set_trial_state_values, trial._trial_id,
                      state=self._states.RUNNING):
          return trial._trial_id
    return None

  def _enqueue(self, work):
    self._call(
        self.study.enqueue_trial, {}, user_attrs={
            'digest': work.digest, 'about': dict(work.about)})

  def _end(self, number, state, values=None, reason=''):
    if reason:
      self._set(number, 'reason', reason)
    self._call(self._stored.set_trial_state_values, number, state, values)

  def _set(self, number, key, value):
    self._call(self._stored.set_trial_user_attr, number, key, value)

  def _attrs(self, **how):
    return self._call(self._stored.get_study_user_attrs, self.study._study_id,
                      **how)

  def _all(self, *states, **how):
    return self._call(
        self._stored.get_all_trials, self.study._study_id, deepcopy=False,
        states=states or None, **how)

  def _call(self, call, *args, **named):
    return patiently(
        call, *args, say=self._say, stopping=lambda: self.stopping(), **named)


_COPY = 'a copy of an older trial'
_GIVEN_BACK = 'given back'
_NOT_HEARD_OF = 'its worker was not heard of any more'
_DEADLY = (f'{DEADLY} workers in a row were lost with it, and none got further '
           'than the one before')
_STATES = ('failed', 'waiting', 'running', 'done')


def _rank(trial):
  """Which of two trials of one piece says more of it; if equal, the newer."""
  return -1 if trial.reason == _COPY else _STATES.index(trial.state)


def _work(trial):
  attrs = trial.user_attrs
  return Work(attrs.get('digest', ''), attrs.get('about', {}))


def _lease(trial):
  return trial.user_attrs.get('lease')


def _begins(trial):
  """How far an earlier worker had come when this trial was claimed."""
  return (_lease(trial) or [None, 0, 0])[-1]
