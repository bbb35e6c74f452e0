"""Where scores are written down: tried before, and told of after."""
from collections.abc import Callable, Iterable, Sequence
import os
from typing import Any

from msg_gan_jax.files import plain
from msg_gan_jax.metrics import memorised_picture, text
from msg_gan_jax.metrics.pair import Pair


class ScoreFiles:
  """scores.jsonl in some folders, and pictures beside it.

  Args:
    folders: where scores will be added.

  Raises:
    ValueError: one of them cannot be written to. It costs nothing to know that
      before scores are computed.
  """

  def __init__(self, folders: Iterable[str]):
    self._paths: list[str] = []
    self._failed = ''
    for folder in dict.fromkeys(folders):
      path = os.path.join(folder, text.FILE)
      try:
        os.makedirs(folder, exist_ok=True)
        new = not os.path.lexists(path)
        os.close(plain.open_own(path, os.O_WRONLY | os.O_CREAT))
        if new:
          os.remove(path)
      except OSError as error:
        why = f'{path}: cannot be written ({error.strerror})'
        if isinstance(error, FileExistsError):
          why = f'{folder}: not a folder'
        raise ValueError(
            f'{why}. Give another folder for scores, out=FOLDER.') from error

  def add(self, folder: str, label: str, record: dict[str, Any], pair: Pair,
          memorised: bool) -> None:
    """Adds a record, and the picture of a memorisation report.

    What the disk refuses is told at the end: it must not cost other scores.
    """
    try:
      self._paths.append(text.append(folder, label, record))
      if memorised:
        self._paths.append(memorised_picture.draw(
            pair, os.path.join(folder, f'memorised_{label}.png')))
    except OSError as error:
      self._failed = self._failed or (
          f'{os.path.join(folder, text.FILE)}: could not be written '
          f'({error.strerror}): the scores are above, and nowhere else. With '
          'room there, or with out=FOLDER, the same command writes them.')

  def break_off(self, lines: Sequence[str], say: Callable[[str], Any]) -> None:
    """Says what an error, or Ctrl-C, would take along.

    Args:
      lines: for people, about what was scored before it.
      say: prints a line.
    """
    for line in lines:
      say(line)
    if self._failed:
      say(f'warning: {self._failed}')

  def close(self, lines: Sequence[str], say: Callable[[str], Any]) -> list[str]:
    """The lines about scores, with paths of the files.

    Args:
      lines: for people.
      say: prints a line: all of them, where nothing else has them.

    Raises:
      ValueError: scores could not be written.
    """
    if self._failed:
      for line in lines:
        say(line)
      raise ValueError(self._failed)
    return [*lines, *dict.fromkeys(self._paths)]
