"""A look at a data set: what is counted in it, as text, pictures and JSON."""
from collections.abc import Callable, Iterator, Mapping
import contextlib
import json
import os
import pathlib
import tempfile
from typing import Any

import numpy as np
from PIL import Image

from msg_gan_jax.analysis.dataset import census
from msg_gan_jax.analysis.dataset.concerns import concerns
from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.config import Config
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import Splits, open_source
from msg_gan_jax.files import console, progress
from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import (
  contact_sheet,
  grids,
  histograms,
  inventory,
  lettering,
  scatter,
  text,
)

FILES = ('contact_sheet.png', 'histograms.png', 'examples.png', 'inspect.json')
PLACES, MOST_ROWS, MOST_COLUMNS = 100, 16, 16  # Of the contact sheet.
MOST_POINTS = 5_000  # More would cover each other.


def inspect(config: Config, out: str,
            say: Callable[[str], None] = console.say) -> dict[str, Any]:
  """Reads the set as training would, prints what is in it, draws it.

  Args:
    config: of the experiment.
    out: folder for contact_sheet.png, histograms.png, examples.png (copies
      and pictures of one colour, if any) and inspect.json. If the data turn
      out to be bad, none is left behind.
    say: prints a line.

  Returns:
    What inspect.json holds.

  Raises:
    ValueError: whatever is wrong with the data; or `out` is a run, lies among
      the pictures, or cannot be written to.
  """
  _check(out, config.data.path)
  with _folder(out):
    splits = open_source(config)
    # Sets up to this size are decoded by now, or drawn.
    quick_bytes = int(config.data.cache_gb * 1e9)
    with _bar(splits, quick_bytes) as bar:
      counted = census.take(splits, bar.update, quick_bytes)
  facts = dict(counted.facts,
               worth_a_look=concerns(counted.facts, config.data))
  for title, lines in inventory.sections(facts):
    say(title)
    for line in lines:
      say(f'  {line}')
    say('')
  say('files')
  for line in _write(out, splits, counted, facts):
    say(f'  {line}')
  return facts


def _check(out: str, data_path: str) -> None:
  if os.path.exists(os.path.join(out, 'config.json')):
    raise ValueError(
        f'out: {out!r} is the folder of a run, where nothing else is written; '
        f"wanted another, such as {out.rstrip('/') + '.inspect'!r}.")
  if os.path.exists(out) and not os.path.isdir(out):
    raise ValueError(f'out: {out!r} is a file; wanted a folder.')
  if data_path and pathlib.Path(out).resolve().is_relative_to(
      pathlib.Path(data_path).expanduser().resolve()):
    raise ValueError(
        f'out: {out!r} lies in config.data.path = {data_path!r}, where the '
        'next look would count its files as pictures; wanted a folder outside '
        'of it.')


@contextlib.contextmanager
def _folder(out: str) -> Iterator[None]:
  """Makes it before the long look, and takes it back if that fails."""
  path = pathlib.Path(out)
  new = [folder for folder in (path, *path.parents)
         if not os.path.exists(folder)]
  try:
    try:
      path.mkdir(parents=True, exist_ok=True)
      tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
      raise ValueError(
          f'out: no files can be written to {out!r}: {error.strerror}; '
          'wanted another folder.') from error
    yield
  except BaseException:
    for folder in new:
      with contextlib.suppress(OSError):  # Another has put something there.
        folder.rmdir()
    raise


def _bar(splits: Splits, quick_bytes: int) -> Any:
  total = len(census.compared(splits, quick_bytes)) + (
      0 if splits.held_out is None else len(splits.held_out))
  return progress.bar(
      total=total, desc='Looking', unit=' pictures', delay=2, leave=False)


def _write(out: str, splits: Splits, counted: census.Census,
           facts: Mapping[str, Any]) -> Iterator[str]:
  """Writes the files, and yields a line about each."""
  def path(name):
    return os.path.join(out, name)
  for name in FILES:  # Of an earlier look.
    with contextlib.suppress(FileNotFoundError):
      os.remove(path(name))
  if counted.mean is None or counted.std is None:
    _draw_points(path('contact_sheet.png'), splits.train)
    yield path('contact_sheet.png')
  else:
    _draw_sheet(path('contact_sheet.png'), splits.train, facts)
    yield path('contact_sheet.png')
    if _draw_examples(path('examples.png'), splits, facts):
      yield path('examples.png')
    histograms.plot(facts, counted.mean, counted.std, path('histograms.png'),
                    _title(facts))
    yield path('histograms.png')
  with replacing(path('inspect.json')) as temporary:
    with open(temporary, 'w', encoding='utf-8') as file:
      json.dump(facts, file, indent=1, ensure_ascii=False)
  yield path('inspect.json')


def _title(facts: Mapping[str, Any]) -> str:
  return (f"{facts['name']}, {facts['train']:,} pictures of "
          f"{facts['shape'][1]}x{facts['shape'][0]}")


def _draw_points(path: str, source: Source) -> None:
  points = source.images(evenly(len(source), MOST_POINTS)).reshape(-1, 2)
  grids.save(path, scatter.scatter(points, ()))


def _draw_sheet(path: str, source: Source, facts: Mapping[str, Any]) -> None:
  remark = _title(facts).partition(', ')[2]
  if len(source.classes) > 1:
    rows, names = _rows_of_classes(source, facts['classes'])
    if len(rows) < len(source.classes):
      remark += f', {len(rows)} of {len(source.classes):,} classes'
  else:
    names = []
    tiles = _tiles(source, evenly(len(source), PLACES))
    height, width = source.shape[:2]
    columns = max(1, round((len(tiles) * height / width)**.5))
    rows = [tiles[i:i + columns] for i in range(0, len(tiles), columns)]
  contact_sheet.draw(path, rows, _heading(facts, remark), names)


def _heading(facts: Mapping[str, Any], remark: str) -> tuple[str, str]:
  return text.legible(facts['name'], lettering.can_write), remark


def _rows_of_classes(
    source: Source, classes: Mapping[str, int],
) -> tuple[list[list[Image.Image]], list[tuple[str, str]]]:
  """(rows of tiles, their names); if there are many classes, some of them.

  Classes without a picture have no row.
  """
  labels = source.labels(np.arange(len(source)))
  names = list(classes)
  filled = np.flatnonzero([*classes.values()])
  shown = filled[evenly(len(filled), MOST_ROWS)]
  most = min(MOST_COLUMNS, PLACES // len(shown))
  rows = []
  for label in shown:
    members = np.flatnonzero(labels == label)
    rows.append(_tiles(source, members[evenly(len(members), most)]))
  return rows, [
      (text.class_name(names[i], i, len(names), lettering.can_write),
       f'{classes[names[i]]:,}') for i in shown]


def _draw_examples(path: str, splits: Splits,
                   facts: Mapping[str, Any]) -> bool:
  """Draws the pictures that `facts` names; returns whether there are any."""
  def row(name, source, numbers):
    remark = ', '.join(f'{i:,}' for i in numbers)
    return name, remark, _tiles(source, np.array(numbers))
  rows = [row('copies', splits.train, group)
          for group in facts['copies']['examples']]
  for held_out, trained in facts['leaks']['examples']:
    name, remark, tiles = row('held out', splits.held_out, [held_out])
    rows.append((name, f'{remark} = {trained:,}',
                 tiles + _tiles(splits.train, np.array([trained]))))
  if facts['one_colour']['count']:
    rows.append(row('one colour', splits.train,
                    facts['one_colour']['examples']))
  if rows:
    contact_sheet.draw(
        path, [tiles for *_, tiles in rows],
        _heading(facts, 'by number, from 0'),
        [(name, remark) for name, remark, _ in rows])
  return bool(rows)


def _tiles(source: Source, indices: np.ndarray) -> list[Image.Image]:
  # Shrunk chunk by chunk: a hundred large pictures are never held at once.
  return [tile for _, pictures in census.chunks(source, indices)
          for tile in contact_sheet.tiles(pictures)]
