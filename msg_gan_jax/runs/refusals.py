"""What is said where no checkpoint is read: why, and how to mend it."""
from collections.abc import Mapping, Sequence
import pathlib


def none_intact(path: pathlib.Path, damaged: Sequence[tuple[int, str]],
                renamed: Mapping[int, int], place: str, one: bool) -> str:
  """What is said where nothing can be read: why, and how to mend it.

  Args:
    path: the folder of the checkpoints.
    damaged: (images, why) of each that was tried.
    renamed: {name: what it holds} of those that can be named by that.
    place: what the error begins with.
    one: whether a single one was asked for.
  """
  if one:
    (images, why), = damaged
    text = f'{place}: the checkpoint of {images} images in {path} is damaged: '
    text += f'{why}. '
  else:
    text = f'{place}: none of the checkpoints in {path} is intact:\n' + ''.join(
        f'  {images}: {why}\n' for images, why in damaged)
  if renamed:
    return text + _advice(renamed)
  text += 'Nothing was changed. '
  return text + ('Restore it from a copy.' if one else (
      'Restore the folder from a copy, or begin anew in another '
      'workdir=FOLDER.'))


def misnamed(path: pathlib.Path, damaged: Sequence[tuple[int, str]],
             renamed: Mapping[int, int], place: str) -> str:
  """What is said where an intact one is older than those of wrong names.

  Args:
    path, damaged, renamed, place: see `none_intact`.
  """
  return (f'{place}: checkpoints in {path} have the names of others:\n' +
          ''.join(f'  {images}: {why}\n' for images, why in damaged) +
          _advice(renamed))


def _advice(renamed):
  names = ', '.join(f'{old} -> {new}' for old, new in renamed.items())
  return f'Nothing was changed. Name the folders by what they hold: {names}.'
