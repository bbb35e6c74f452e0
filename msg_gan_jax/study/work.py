"""A piece of work of a study, and what the storage has of it."""
from collections.abc import Mapping
import threading
from typing import Any, NamedTuple


class Work(NamedTuple):
  """A piece of work.

  Attributes:
    digest: names it: those of a study are different.
    about: plain JSON, such as the point, the seed and the settings.
  """
  digest: str
  about: Mapping[str, Any]


class Claim(NamedTuple):
  """A piece of work that this worker does, and nobody else.

  Attributes:
    number: Optuna's of the trial.
    work: what is to be done.
    lost: set once somebody else has taken it, since the lease had run out.
  """
  number: int
  work: Work
  lost: threading.Event


class Trial(NamedTuple):
  """What the storage has of a piece of work.

  Attributes:
    work: the piece.
    state: 'done', 'failed', 'running' or 'waiting'.
    value: by which it is judged; None of one that diverged, or is not done.
    record: plain JSON that the worker left, such as scores and seconds.
    reason: why it failed; '' otherwise.
    number: Optuna's.
  """
  work: Work
  state: str
  value: float | None
  record: Mapping[str, Any]
  reason: str
  number: int
