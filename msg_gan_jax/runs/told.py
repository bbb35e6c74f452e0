"""Warnings of a run in training: said, and kept beside its numbers."""
from collections.abc import Callable
import pathlib
from typing import Any

from msg_gan_jax.files.atomic import append_json
from msg_gan_jax.runs import read
from msg_gan_jax.runs.versions import now

SIGN = 'warning: '


class Told:
  """Says lines, and keeps those that warn in the folder of the run.

  They wait for the run's config.json: a start that is refused writes nothing.

  Args:
    folder: of the run.
    say: prints a line for people.

  Attributes:
    images: real images shown so far; None where that is not known yet.
  """

  def __init__(self, folder: pathlib.Path, say: Callable[[str], Any]):
    self._folder, self._say = folder, say
    self._waiting: list[dict[str, Any]] = []
    self.images: Callable[[], int] | None = None

  def __call__(self, line: str) -> None:
    self._say(line)
    if line.startswith(SIGN):
      shown = {'images': int(self.images())} if self.images else {}
      self._waiting.append(
          {**shown, 'text': line.removeprefix(SIGN), 'date': now()})
    self.keep()

  def keep(self) -> None:
    """Writes what waits, once there is a run."""
    if self._waiting and (self._folder / 'config.json').exists():
      for entry in self._waiting:
        append_json(self._folder / read.WARNINGS, entry)
      self._waiting.clear()
