"""The line that people watch while a run trains."""
import collections
from collections.abc import Callable, Mapping, Sequence
import sys
import time
from typing import SupportsFloat, TextIO


class Progress:
  """The line that people watch: images shown, speed, time left, some values.

  On a terminal it is one line, rewritten four times a second; in a file or a
  pipe it is a new line every 30 s and at each tenth of the run, which tqdm
  alone does not offer. Other calls cost a microsecond: `write` may be called at
  every step.

  Args:
    total_images: where the run ends.
    images: where this process starts.
    keys: which values to show; None shows the losses.
    stream: where to write; None is stderr.
    now: returns seconds, such as time.monotonic.
  """

  def __init__(self, total_images: int, images: int = 0,
               keys: Sequence[str] | None = None, stream: TextIO | None = None,
               now: Callable[[], float] = time.monotonic):
    self._total, self._keys = total_images, keys
    self._stream = stream or sys.stderr
    self._now = now
    self._values: dict[str, SupportsFloat] = {}
    self._history = collections.deque([(now(), images)])
    self._drawn, self._tenth = now(), images * 10 // total_images
    self._bar = None
    if self._stream.isatty():
      import tqdm  # Only people at a terminal wait for its import.
      self._bar = tqdm.tqdm(
          total=total_images, initial=images, file=self._stream,
          unit_scale=True, dynamic_ncols=True,
          bar_format='{percentage:3.0f}%|{bar:20}| {n_fmt}/{total_fmt} images'
                     '{postfix}')

  def write(self, images: int,
            values: Mapping[str, SupportsFloat] | None = None) -> None:
    """Shows the line if it is time to; values stay until others come."""
    if values:
      self._values.update(
          (k, values[k]) for k in self._keys or values
          if k in values and (self._keys or k.endswith('_loss')))
    now = self._now()
    if self._bar is not None:
      due = now - self._drawn >= .25
    else:
      tenth = images * 10 // self._total
      due = now - self._drawn >= 30 or tenth > self._tenth
    if due or (images >= self._total > self._history[-1][1]):
      self._draw(images, now)

  def close(self) -> None:
    if self._bar is not None:
      self._bar.close()

  def _draw(self, images, now):
    self._drawn, self._tenth = now, images * 10 // self._total
    history = self._history
    history.append((now, images))
    # The speed of the last 20 s, or since the last line where that is longer.
    while len(history) > 2 and now - history[1][0] >= 20:
      history.popleft()
    seconds, shown = now - history[0][0], images - history[0][1]
    parts = []
    if seconds > 0 and shown > 0:
      left = max(0, self._total - images) * seconds / shown
      parts += [f'{shown / seconds:,.0f} img/s', f'{_duration(left)} left']
    parts += [f'{k} {float(v):.3g}' for k, v in self._values.items()]
    if self._bar is not None:
      self._bar.n = images
      self._bar.set_postfix_str('  '.join(parts))
      return
    parts.insert(0, f'{images:,} of {self._total:,} images '
                    f'({images / self._total:.0%})')
    self._stream.write('  '.join(parts) + '\n')
    self._stream.flush()


def _duration(seconds):
  minutes, seconds = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f'{hours}:{minutes:02}:{seconds:02}' if hours else (
      f'{minutes}:{seconds:02}')
