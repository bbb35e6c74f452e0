"""Which checkpoints of a run stay: the latest, and milestones."""
from collections.abc import Sequence


def kept(steps: Sequence[int], keep: int, keep_every: int) -> list[bool]:
  """Which checkpoints stay, by their images alone.

  What is on the disk tells it, and nothing else is remembered: a kill at any
  moment changes nothing, and what should have gone goes with the next save.

  Args:
    steps: images of each, oldest first.
    keep: how many of the latest.
    keep_every: images; see `milestones`.
  """
  chosen = {*steps[-keep:], *milestones(steps, keep_every)}
  return [step in chosen for step in steps]


def milestones(steps: Sequence[int], every: int) -> list[int]:
  """The first of the steps at or after each multiple of `every`, but 0.

  Args:
    steps: images of checkpoints, oldest first.
    every: images; 0 has none.
  """
  if not every:
    return []
  firsts: dict[int, int] = {}
  for step in steps:
    firsts.setdefault(step // every, step)
  return [step for multiple, step in firsts.items() if multiple]
