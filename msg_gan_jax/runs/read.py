"""What a run has written down, read as plain columns: without jax, any time."""
import dataclasses
import os
import pathlib
import re
from typing import Any

import numpy as np

from msg_gan_jax.config import schema
from msg_gan_jax.runs import columns, config_file, records
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.lines import is_there, read_json, read_lines
from msg_gan_jax.runs.starts import Start, starts_of

# Lines of warning, as runs.told writes them.
WARNINGS = 'warnings.jsonl'
FILMS = ('.gif', '.mp4', '.webp')


@dataclasses.dataclass(frozen=True, repr=False)
class Written:
  """What a run has written down.

  Columns are {name: float64 [n]}, and the first is 'images', real images shown;
  where a line has no such number, it is nan. What stands inside another value
  is named with a dot, as 'spread.d_loss' and 'clock.seconds'. With pandas,
  `records.to_pandas()` is a DataFrame.

  Attributes:
    path: the run's folder, absolute.
    config: its settings.
    records: columns of metrics.jsonl, a row for each record.
    scores: columns of what --mode=evaluate added to scores.jsonl in the folder,
      a row for each time: the values by their names, and, such as
      'frechet_random_conv.reals', what stands beside them. Where a name has
      several definitions, those after the first have their id behind it, as in
      'frechet_random_conv [ebbb5fc0]': they are never in one column.
    evaluations: the lines of scores.jsonl, whole: protocols, versions, seeds.
    grids: (images, path) of the pictures in samples/, in this order; here, and
      below, without those that links bring from elsewhere.
    walks: (name, path) of films in the folder, walk*.webp, .gif and .mp4, in
      the order of their names and of the numbers in them.
    timelapses: the same of timelapse*: the training itself as a film.
    memorised: the same of memorised_*.png: samples beside the nearest real
      pictures.
    warnings: {'text', 'date', 'images'} of what was warned of while it trained;
      without 'images' where that was before the first step of a start. That
      of a start that diverged has its number as 'diverged'.
    changes: {'images', 'changed', 'date'}, what continued starts have changed.
    failed_step: what failed_step.json says of the newest step whose numbers
      were not finite; {} where all were.
    versions: of each start, its packages, devices, data and date, as recorded.
    starts: of each start, in the order of `versions`, when and where it began,
      how long it trained, and with what.
    summary: the newest distances to real pictures, of summary.json; {} if they
      were not measured.
    checkpoints: images shown at those that there are, oldest first; they are
      not read.
    best: images shown at the one with the best score, or None.
  """
  path: pathlib.Path
  config: schema.Config
  records: Columns
  scores: Columns
  evaluations: tuple[dict[str, Any], ...]
  grids: tuple[tuple[int, pathlib.Path], ...]
  walks: tuple[tuple[str, pathlib.Path], ...]
  timelapses: tuple[tuple[str, pathlib.Path], ...]
  memorised: tuple[tuple[str, pathlib.Path], ...]
  warnings: tuple[dict[str, Any], ...]
  changes: tuple[dict[str, Any], ...]
  failed_step: dict[str, Any]
  versions: tuple[dict[str, Any], ...]
  starts: tuple[Start, ...]
  summary: dict[str, Any]
  checkpoints: tuple[int, ...]
  best: int | None

  @property
  def diverged(self) -> str:
    """What was not finite, where that ended the newest start; '' if not."""
    told = [x for x in self.warnings if x.get('diverged')]
    newest = told and told[-1]['diverged'] == len(self.versions)
    return told[-1]['text'] if newest else ''

  @property
  def images(self) -> int:
    """Real images shown, as far as a record or a checkpoint says."""
    known = [*self.records['images'][-1:], *self.checkpoints[-1:], 0]
    return int(max(x for x in known if np.isfinite(x)))

  def __repr__(self) -> str:
    parts = {
        'images': f'{self.images:,} of {self.config.train.total_images:,}',
        **{name: len(getattr(self, name)) for name in (
            'evaluations', 'grids', 'walks', 'starts', 'warnings')},
        'records': len(self.records['images'])}
    return f'<run {str(self.path)!r}: ' + ', '.join(
        f'{name} {value}' for name, value in parts.items()) + (
            ', diverged>' if self.diverged else '>')


def read(workdir: str | os.PathLike) -> Written:
  """What a run has written down so far; it may be in training.

  Args:
    workdir: its folder.

  Lines of another form than their file's are passed over, as of a file that
  another was copied over.

  Raises:
    ValueError: no run, or a file of it that cannot be read.
  """
  folder = config_file.absolute(workdir)
  try:
    return _read(folder)
  except OSError as error:
    raise ValueError(
        f'workdir {folder}: {error.filename or folder} cannot be read '
        f'({error.strerror or error}).') from error


def _read(folder):
  config, _ = config_file.read_config(folder)
  metrics = folder / 'metrics.jsonl'
  evaluations = read_lines(folder / 'scores.jsonl', scores=columns.are_scores)
  versions = tuple(entry for entry in read_json(folder / 'versions.json', [])
                   if isinstance(entry, dict))
  of_records = columns.columns(
      records.each(metrics) if is_there(metrics) else ())
  best = _numbered(folder / 'best')
  return Written(
      path=folder, config=config, records=of_records,
      scores=columns.of_scores(evaluations), evaluations=evaluations,
      grids=grids(folder / 'samples'),
      walks=_files(folder, 'walk', FILMS),
      timelapses=_files(folder, 'timelapse', FILMS),
      memorised=_files(folder, 'memorised_', ('.png',)),
      warnings=read_lines(folder / WARNINGS, text=_is_text),
      changes=read_lines(folder / 'changes.jsonl', changed=_is_list),
      failed_step=read_json(folder / 'failed_step.json', {}),
      versions=versions, starts=starts_of(versions, of_records),
      summary=read_json(folder / 'summary.json', {}),
      checkpoints=_numbered(folder / 'checkpoints'),
      best=best[-1] if best else None)


def _is_text(value):
  return isinstance(value, str)


def _is_list(value):
  return isinstance(value, list)


def grids(folder: pathlib.Path) -> tuple[tuple[int, pathlib.Path], ...]:
  """(images, path) of the pictures of a folder, samples/ of a run."""
  found = ((re.fullmatch(r'images_(\d+)\.png', path.name), path)
           for path in folder.glob('images_*.png')
           if _is_inside(path, folder.parent))
  return tuple(sorted((int(match[1]), path) for match, path in found if match))


def _files(folder, first, endings):
  """(name, path) of files that begin so, walk_2 before walk_10."""
  found = ((path.name, path) for path in folder.iterdir()
           if path.name.startswith(first) and path.suffix in endings
           and path.is_file() and _is_inside(path, folder))
  return tuple(sorted(found, key=lambda file: [
      (int(word), '') if word.isdecimal() else (-1, word)
      for word in re.split(r'(\d+)', file[0])]))


def _is_inside(path, folder):
  """Whether a picture lies in a run, and is no link to one that does not."""
  return pathlib.Path(os.path.realpath(path)).is_relative_to(
      os.path.realpath(folder))


def _numbered(folder):
  """Images shown at the finished checkpoints in a folder."""
  if not folder.is_dir():
    return ()
  return tuple(sorted(int(path.name) for path in folder.iterdir()
                      if path.name.isdigit() and path.is_dir()))
