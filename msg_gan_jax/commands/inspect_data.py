"""--mode=inspect: what is in a data set, before anyone trains on it."""
import contextlib
import functools
import json
import os
import pathlib
import sys
import tempfile

import numpy as np
import tqdm

from msg_gan_jax.analysis.dataset import census
from msg_gan_jax.analysis.dataset.concerns import concerns
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report import (
  contact_sheet,
  grids,
  histograms,
  inventory,
  scatter,
)
from msg_gan_jax.report import (
  text as lines,
)

SAY = functools.partial(print, flush=True)  # at once, also into a pipe
FILES = ('contact_sheet.png', 'histograms.png', 'examples.png', 'inspect.json')
PLACES, MOST_ROWS, MOST_COLUMNS = 100, 16, 16  # Of the contact sheet.
MOST_POINTS = 5_000  # More cover each other.


def inspect(config, out, say=SAY):
  """Reads the set as training would, prints what is in it, draws it.

  Args:
    config: Config.
    out: folder for contact_sheet.png, histograms.png, examples.png (copies
      and pictures of one colour, if any) and inspect.json. If the data turn
      out to be bad, none is left behind.
    say: prints a line.

  Returns:
    What inspect.json holds.

  Raises:
    ValueError: whatever is wrong with the data, or `out` is a run, lies among
      the pictures, or cannot be written to.
  """
  _check(out, config.data.path)
  with _folder(out):
    splits = open_source(config)
    # Sets up to this size are decoded by now, or drawn.
    quick_bytes = config.data.cache_gb * 1e9
    with _bar(splits, quick_bytes) as bar:
      seen = census.take(splits, bar.update, quick_bytes)
  found = dict(seen.found, worth_a_look=concerns(seen.found, config.data))
  for title, text in inventory.sections(found):
    say(title)
    for line in text:
      say(f'  {line}')
    say('')
  say('files')
  for line in _write(out, splits, seen, found):
    say(f'  {line}')
  return found


def _check(out, data_path):
  if os.path.exists(os.path.join(out, 'config.json')):
    raise ValueError(
        f'--out: {out!r} is the folder of a run, which keeps to itself; '
        f"wanted another, as {out.rstrip('/') + '.inspect'!r}.")
  if os.path.exists(out) and not os.path.isdir(out):
    raise ValueError(f'--out: {out!r} is a file; wanted a folder.')
  if data_path and pathlib.Path(out).resolve().is_relative_to(
      pathlib.Path(data_path).expanduser().resolve()):
    raise ValueError(
        f'--out: {out!r} lies in config.data.path = {data_path!r}, where the '
        'next look would count its files as pictures; wanted a folder outside '
        'of it.')


@contextlib.contextmanager
def _folder(out):
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
          f'--out: no files can be written to {out!r}: {error.strerror}; '
          'wanted another folder.') from error
    yield
  except BaseException:
    for folder in new:
      with contextlib.suppress(OSError):  # Another has put something there.
        folder.rmdir()
    raise


def _bar(splits, quick_bytes):
  total = len(census.compared(splits, quick_bytes)) + (
      0 if splits.held_out is None else len(splits.held_out))
  return tqdm.tqdm(
      total=total, desc='Looking', unit=' pictures', file=sys.stderr, delay=2,
      leave=False, mininterval=.5 if sys.stderr.isatty() else 10)


def _write(out, splits, seen, found):
  """Writes the files, and yields a line about each."""
  def path(name):
    return os.path.join(out, name)
  for name in FILES:  # Of an earlier look.
    with contextlib.suppress(FileNotFoundError):
      os.remove(path(name))
  if seen.mean is None:
    _points(path('contact_sheet.png'), splits.train)
    yield path('contact_sheet.png')
  else:
    _sheet(path('contact_sheet.png'), splits.train, found)
    yield path('contact_sheet.png')
    if _examples(path('examples.png'), splits, found):
      yield path('examples.png')
    try:
      histograms.plot(found, seen.mean, seen.std, path('histograms.png'),
                      _title(found))
      yield path('histograms.png')
    except ValueError as error:  # The text has them all the same.
      yield str(error)
  with replacing(path('inspect.json')) as temporary:
    with open(temporary, 'w', encoding='utf-8') as file:
      json.dump(found, file, indent=1, ensure_ascii=False)
  yield path('inspect.json')


def _title(found):
  return (f"{found['name']}, {found['train']:,} pictures of "
          f"{found['shape'][1]}x{found['shape'][0]}")


def _points(path, source):
  picked = _evenly(np.arange(len(source)), MOST_POINTS)
  grids.save(path, scatter.scatter(source.images(picked).reshape(-1, 2), ()))


def _sheet(path, source, found):
  if len(source.classes) > 1:
    rows, names = _by_class(source, found['classes'])
    remark = _title(found).partition(', ')[2] + (
        f', {len(rows)} of {len(source.classes):,} classes'
        if len(rows) < len(source.classes) else '')
  else:
    names, remark = (), _title(found).partition(', ')[2]
    drawn = _tiles(source, _evenly(np.arange(len(source)), PLACES))
    height, width = source.shape[:2]
    columns = max(1, round((len(drawn) * height / width)**.5))
    rows = [drawn[i:i + columns] for i in range(0, len(drawn), columns)]
  contact_sheet.draw(path, rows, _heading(found, remark), names)


def _heading(found, remark):
  return lines.legible(found['name'], contact_sheet.writes), remark


def _by_class(source, classes):
  """(rows of tiles, their names); of many classes some, evenly spread.

  Classes without a picture have no row.
  """
  labels = source.labels(np.arange(len(source)))
  names = list(classes)
  shown = _evenly(np.flatnonzero([*classes.values()]), MOST_ROWS)
  columns = min(MOST_COLUMNS, PLACES // len(shown))
  rows = [_tiles(source, _evenly(np.flatnonzero(labels == i), columns))
          for i in shown]
  return rows, [
      (lines.class_name(names[i], i, len(names), contact_sheet.writes),
       f'{classes[names[i]]:,}') for i in shown]


def _examples(path, splits, found):
  """Draws the pictures whose numbers are named; whether there are any."""
  def row(name, source, numbers):
    remark = ', '.join(f'{i:,}' for i in numbers)
    return name, remark, _tiles(source, np.array(numbers))
  shown = [row('copies', splits.train, group)
           for group in found['copies']['examples']]
  for kept, trained in found['leaks']['examples']:
    name, remark, drawn = row('held out', splits.held_out, [kept])
    shown.append((name, f'{remark} = {trained:,}',
                  drawn + _tiles(splits.train, np.array([trained]))))
  if found['one_colour']['count']:
    shown.append(row('one colour', splits.train,
                     found['one_colour']['examples']))
  if shown:
    contact_sheet.draw(
        path, [drawn for *_, drawn in shown],
        _heading(found, 'by number, from 0'), [one[:2] for one in shown])
  return bool(shown)


def _evenly(indices, most):
  """At most `most` of them, in order, the first and the last included."""
  if len(indices) <= most:
    return indices
  return indices[np.linspace(0, len(indices) - 1, most).astype(int)]


def _tiles(source, indices):
  # Shrunk chunk by chunk: a hundred large pictures are never held at once.
  return [tile for _, some in census.chunks(source, indices)
          for tile in contact_sheet.tiles(some)]
