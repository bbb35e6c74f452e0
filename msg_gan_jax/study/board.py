"""What people watch while a study is at work.

On a terminal the study and each worker have a line that is rewritten. In a file
there is one line for each run that ends, and one in a minute in between.
"""
from collections.abc import Callable
import contextlib
import json
import sys
import time
from typing import Any, TextIO

import tqdm

from msg_gan_jax.files import console
from msg_gan_jax.files.progress import beside_bars
from msg_gan_jax.study.standing import Standing

PAUSE = 60.  # Seconds between two lines in a file, while no run ends.
LOOK = 10.  # Seconds between two looks at the whole study.
_RUN = '{desc}: {percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt}{postfix}'
_STUDY = '{percentage:3.0f}%|{bar:20}| {n_fmt}/{total_fmt} runs{postfix}'


class Board:
  """The lines of a study and of its workers here.

  Args:
    workers: how many there are here.
    standing: returns how far the study is. It may fail, as where the storage
      is away: what it said before is shown then.
    say: prints a line for people.
    stream: where to write; None is stderr.
    now: returns seconds, such as time.monotonic.
  """

  def __init__(self, workers: int, standing: Callable[[], Standing],
               say: Callable[[str], Any], stream: TextIO | None = None,
               now: Callable[[], float] = time.monotonic):
    self._standing, self._say, self._now = standing, beside_bars(say), now
    self._far: Standing | None = None
    self._stream = stream or sys.stderr
    self._words = [''] * workers
    self._written, self._looked = now() - PAUSE, -LOOK
    self._bars: list[Any] = []
    if self._stream.isatty():
      self._bars = [tqdm.tqdm(
          total=1, position=i, file=self._stream, leave=False, unit_scale=True,
          dynamic_ncols=True, bar_format=_STUDY if i == workers else _RUN)
          for i in range(workers + 1)]

  def say(self, line: str, worker: int = 0) -> None:
    """Prints a line of a worker."""
    del worker  # Whose line it is does not matter to the study.
    self._written, self._looked = self._now(), -LOOK
    self._say(line)

  def show(self, name: str, total: int, images: int, words: str,
           worker: int = 0) -> None:
    """Shows how far a worker is with a run.

    Args:
      name: of the run.
      total, images: that it will be shown, and was.
      words: such as its speed.
      worker: which one, from 0.
    """
    now = self._now()
    if self._bars:
      bar = self._bars[worker]
      bar.total, bar.n = total, images
      bar.set_description_str(console.visible(name), refresh=False)
      bar.set_postfix_str(words)
      if now - self._looked >= LOOK:
        self._looked = now
        self._show_study()
      return
    self._words[worker] = (
        f'{name}: {images:,} of {total:,} images {words}'.rstrip())
    if now - self._written >= PAUSE:
      self._written = now
      self._look()
      self._say('; '.join(filter(None, [self._study(), *self._words])))

  def _look(self):
    # No run ends, and no worker is left alone, since people cannot be shown it.
    try:
      self._far = self._standing()
    except Exception:
      self._looked = self._now() + PAUSE - LOOK  # Each look may take a while.

  def _show_study(self):
    self._look()
    if self._far is None:
      return
    bar = self._bars[-1]
    bar.total, bar.n = self._far.planned, self._far.ended
    bar.set_postfix_str(self._far.words(len(self._words)))

  def _study(self):
    far = self._far
    return far and (f'{far.ended} of {far.planned} runs: '
                    f'{far.words(len(self._words))}')

  def close(self) -> None:
    """Ends the lines."""
    for bar in self._bars:
      bar.close()


class Relay:
  """Tells another process what its Board shall say and show."""

  def say(self, line: str) -> None:
    """As Board.say."""
    _send(['say', line])

  def show(self, *what: Any) -> None:
    """As Board.show."""
    _send(['show', *what])

  def close(self) -> None:
    """As Board.close: the other process does it."""


def _send(message):
  with contextlib.suppress(BrokenPipeError):  # Nobody is there any more.
    console.say(json.dumps(message))


def receive(board: Board, worker: int, line: str) -> None:
  """Does what a line of a Relay says; what else it printed is said.

  Args:
    board: Board.
    worker: whose line it is, from 0.
    line: of its output.
  """
  try:
    method, *arguments = json.loads(line)
  except (ValueError, TypeError):
    method, arguments = '', []
  if method == 'show':
    name, total, images, words = arguments
    board.show(name, total, images, words, worker)
  else:
    board.say(arguments[0] if method == 'say' else line.rstrip('\n'), worker)
