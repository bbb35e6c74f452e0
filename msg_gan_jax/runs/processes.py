"""What the processes of a run tell each other, so that all go the same way.

In a run of one process there is nothing to agree on, and nothing is sent.
"""
import jax
import numpy as np


def meet(name: str) -> None:
  """Waits until every process has come to this `name`."""
  if jax.process_count() > 1:
    from jax.experimental import multihost_utils
    multihost_utils.sync_global_devices(name)


def from_main(number: int) -> int:
  """The number that process 0 has, -2**62 .. 2**62 - 1."""
  if jax.process_count() == 1:
    return number
  from jax.experimental import multihost_utils
  # It goes as two words: jax would cut an int64 down.
  high, low = multihost_utils.broadcast_one_to_all(
      np.asarray(divmod(number, 2**31), np.int32))
  return int(high) * 2**31 + int(low)


def all_agree(fine: bool) -> bool:
  """Whether it is true in every process."""
  if jax.process_count() == 1:
    return fine
  from jax.experimental import multihost_utils
  return bool(np.all(multihost_utils.process_allgather(np.asarray(fine))))
