"""Where the records of a run go: its folder, and writers of one's own."""
from collections.abc import Callable, Iterator, Mapping
import functools
import pathlib
from typing import Any

import numpy as np

from msg_gan_jax.runs import lost_records, records
from msg_gan_jax.runs.tensorboard import TensorBoard
from msg_gan_jax.training.scorer import is_score


class OfRecords(Mapping[int, float]):
  """What `read` returns, which is called with the first question."""

  def __init__(self, read: Callable[[], Mapping[int, float]]):
    self._read = functools.cache(read)

  def __bool__(self) -> bool:
    return True  # Without a question.

  def __getitem__(self, images: int) -> float:
    return self._read()[images]

  def __iter__(self) -> Iterator[int]:
    return iter(self._read())

  def __len__(self) -> int:
    return len(self._read())


class Recorder:
  """The records and pictures of a run in training.

  Args:
    folder: that of the run; None in processes that write nothing.
    images: real images shown so far; what is of more is dropped.
    own: what else takes records and pictures; who has opened it closes it.
    tensorboard: whether the folder has files for TensorBoard.
    noted: what `note` was when the checkpoint of these images was saved; the
      notes of one from before there were such have nothing of it.
  """

  def __init__(self, folder: pathlib.Path | None, images: int,
               own: records.Writer, tensorboard: bool,
               noted: Mapping[str, Any]):
    self._metrics = records.Metrics(folder, noted) if folder else None
    self._noted = noted
    writers: list[records.Writer] = [self._metrics] if self._metrics else []
    if folder and tensorboard:
      writers.append(TensorBoard(folder / 'tensorboard', is_score))
    self._many, self._own = records.Many(*writers), own
    self._for_own: list[Callable[[], None]] = []
    self._many.truncate(images)
    own.truncate(images)

  def lost(self) -> list[str]:
    """Lines about records that the checkpoint knows, and metrics.jsonl lacks.
    """
    return lost_records.lines(
        self._noted.get('records', ()), self._metrics) if self._metrics else []

  def note(self) -> dict[str, Any]:
    """Which records there are, as plain JSON for a checkpoint's notes."""
    return self._metrics.note() if self._metrics else {}

  def by_images(self, value: Callable[[Mapping[str, Any]], float]
                ) -> Mapping[int, float]:
    """{images: a value} of all records; {} where nothing is written.

    They are read once one is asked for, which few starts do.
    """
    path = self._metrics and self._metrics.path
    return OfRecords(lambda: {
        record['images']: value(record)
        for record in (records.each(path) if path else ())})

  def write(self, images: int, values: records.Values,
            clock: records.Scalars) -> None:
    """Appends a record; see records.Writer."""
    self._many.write(images, values, clock)
    self._for_own.append(lambda: self._own.write(images, values, clock))

  def picture(self, tag: str, images: int, array: np.ndarray) -> None:
    """Appends a picture; see records.Writer."""
    self._many.picture(tag, images, array)
    self._for_own.append(lambda: self._own.picture(tag, images, array))

  def hand_on(self, save: Callable[[], Any]) -> None:
    """Gives one's own writers what has come since: last of all that is due.

    Args:
      save: called where one of them fails, which then costs nothing of the run.
    """
    try:
      while self._for_own:
        self._for_own.pop(0)()
    except Exception:
      save()
      raise

  def close(self) -> None:
    """Closes the files of the folder."""
    self._many.close()
