"""Whether the worker of a trial is still there."""
from typing import Any

from msg_gan_jax.files import process
from msg_gan_jax.files.process import Process


def holder(lease: Any) -> Process | None:
  """The process that a lease is of.

  Args:
    lease: [what process.me gave, a count, ...]; None where there is none.
  """
  return Process(*lease[0]) if lease else None


def is_gone(lease: Any) -> bool:
  """Whether a lease is of a process of this machine that is not there.

  Args:
    lease: see `holder`.
  """
  held = holder(lease)
  return held is not None and process.is_gone(held)


class Watch:
  """Which workers are dead, as this process sees it by its own clock.

  Args:
    patience: seconds for which a lease may stand still.
  """

  def __init__(self, patience: float):
    self._patience = patience
    # {trial: (its lease, since when, when it was last looked at)}
    self._seen: dict[int, tuple[Any, float, float]] = {}

  def is_dead(self, trial: int, lease: Any, now: float) -> bool:
    """Whether the worker of a running trial is not heard of any more.

    Args:
      trial: names it.
      lease: see `holder`.
      now: seconds, of a clock that only goes on.
    """
    if is_gone(lease):
      return True
    value, since, last = self._seen.get(trial, (None, now, now))
    # Between two looks the storage, or this worker, may have been away.
    if lease != value or now - last > self._patience / 2:
      since = now
    self._seen[trial] = lease, since, now
    return now - since > self._patience
