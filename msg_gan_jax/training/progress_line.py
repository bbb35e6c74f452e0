"""The line that people watch while a run trains."""
import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import sys
import time
from typing import Any, SupportsFloat, TextIO

import jax

from msg_gan_jax.report.text import duration

Show = Callable[[int, str], Any]


class Progress:
  """The line that people watch: images shown, speed, time left, some values.

  On a terminal it is one line, rewritten four times a second; in a file or a
  pipe it is a new line every 30 s and at each tenth of the run, which tqdm
  alone does not offer. Other calls cost a microsecond: `write` may be called at
  every step.

  Speed and time left are those of training: what is done `apart` has no share
  in them, and images count once the devices are through with them. The line at
  the end has the mean speed of this start, and how long it trained.

  Args:
    total_images: where the run ends.
    images: where this process starts.
    keys: which values to show; None shows the losses.
    stream: where to write; None is stderr.
    now: returns seconds, such as time.monotonic.
    silent: writes nothing, as processes do besides the first.
    show: gets (images, words) four times a second, in place of any line.
  """

  def __init__(self, total_images: int, images: int = 0,
               keys: Sequence[str] | None = None, stream: TextIO | None = None,
               now: Callable[[], float] = time.monotonic,
               silent: bool = False, show: Show | None = None):
    self._total, self._keys = total_images, keys
    self._stream = stream or sys.stderr
    self._now, self._silent, self._tell = now, silent, show
    self._apart_seconds = 0.
    self._apart_since: float | None = None
    self._values: dict[str, SupportsFloat] = {}
    # Steps on the way: images after each, and an array that is ready then.
    self._on_the_way: collections.deque[tuple[int, jax.Array | None]] = (
        collections.deque())
    self._images = images
    self._first = self.trained_seconds(), images
    self._history = collections.deque([self._first])
    self._drawn, self._tenth = now(), images * 10 // total_images
    self._words = ''  # Behind the count, when it was last written.
    self._line = ''  # The last one in a file.
    self._bar = None
    if self._stream.isatty() and not (silent or show):
      import tqdm  # Only people at a terminal wait for its import.
      self._bar = tqdm.tqdm(
          total=total_images, initial=images, file=self._stream,
          unit_scale=True, dynamic_ncols=True,
          bar_format='{percentage:3.0f}%|{bar:20}| {n_fmt}/{total_fmt} images'
                     '{postfix}')

  def write(self, images: int,
            values: Mapping[str, SupportsFloat] | None = None,
            until: jax.Array | None = None) -> None:
    """Shows the line if it is time to; values stay until others come.

    Args:
      images: real images shown after the newest step.
      values: {name: number}.
      until: an array of that step; the step is done when it is ready. None if
        it is done.
    """
    if self._silent:
      return
    if values:
      self._values.update(
          (k, values[k]) for k in self._keys or values
          if k in values and (self._keys or k.endswith('_loss')))
    self._on_the_way.append((images, until))
    while self._on_the_way and _ready(self._on_the_way[0][1]):
      self._images, _ = self._on_the_way.popleft()
    now = self._now()
    if self._rewritten:
      due = now - self._drawn >= .25
    else:
      tenth = self._images * 10 // self._total
      due = now - self._drawn >= 30 or tenth > self._tenth
    if due or self._images >= self._total > self._history[-1][1]:
      self._draw()

  @contextlib.contextmanager
  def apart(self, what: str, brief: bool = False) -> Iterator[None]:
    """A context whose time is not training's; says '<what> ...' meanwhile.

    Args:
      what: such as 'compiling'; '' says nothing.
      brief: it is over soon, or speaks for itself; a file has no line of it.
    """
    began = self._apart_since = self._now()
    if what and not self._silent and (self._rewritten or not brief):
      self._show(f'{what} ...')
    try:
      yield
    finally:
      self._apart_seconds += self._now() - began
      self._apart_since = None
      if what and not brief:
        self._drawn = self._now()  # A line now would tell of a step or two.
      if what and self._rewritten:
        self._show(self._words)

  def close(self) -> None:
    """Ends the line: a run that was stopped has its mean speed there."""
    if self._first[1] < self._images < self._total:
      self._draw(ended=True)
    if self._bar is not None:
      self._bar.close()

  def trained_seconds(self) -> float:
    """Seconds of a clock that stands still while something is done `apart`."""
    now = self._now() if self._apart_since is None else self._apart_since
    return now - self._apart_seconds

  def _draw(self, ended=False):
    self._drawn = self._now()
    self._tenth = self._images * 10 // self._total
    now, history = self.trained_seconds(), self._history
    history.append((now, self._images))
    # The speed of the last 20 s, or since the last line where that is longer.
    while len(history) > 2 and now - history[1][0] >= 20:
      history.popleft()
    ended = ended or self._images >= self._total
    before, images = self._first if ended else history[0]
    seconds, shown = now - before, self._images - images
    parts = []
    if seconds > 0 and shown > 0:
      left = max(0, self._total - self._images) * seconds / shown
      parts += [f'{shown / seconds:,.0f} img/s',
                f'trained {duration(seconds)}' if ended else (
                    f'{duration(left)} left')]
    parts += [f'{k} {float(v):.3g}' for k, v in self._values.items()]
    self._words = '  '.join(parts)
    self._show(self._words)

  @property
  def _rewritten(self):
    return bool(self._bar is not None or self._tell)

  def _show(self, words):
    if self._tell:
      self._tell(self._images, words)
      return
    if self._bar is not None:
      self._bar.n = self._images
      self._bar.set_postfix_str(words)
      return
    line = (f'{self._images:,} of {self._total:,} images '
            f'({self._images / self._total:.0%})  {words}').rstrip()
    if line != self._line:  # Two programs that are compiled in a row.
      self._line = line
      self._stream.write(line + '\n')
      self._stream.flush()


def _ready(array):
  return array is None or array.is_ready()

