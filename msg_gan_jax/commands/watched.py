"""Runs below a folder -> what --mode=watch shows: the list, and each run."""
from collections.abc import Callable, Mapping, Sequence
import datetime
import io
import os
import pathlib
import threading
import time
from types import ModuleType
from typing import NamedTuple
from urllib import parse

from PIL import Image

from msg_gan_jax.commands.loopback import Answer
from msg_gan_jax.report import page, thumbnails
from msg_gan_jax.report.text import duration, plural
from msg_gan_jax.runs import glance, standing
from msg_gan_jax.runs.below import Below
from msg_gan_jax.runs.glance import Glance
from msg_gan_jax.study.storage import JOURNAL

REFRESH = 5.  # Seconds between two looks of a page that is open.
SHARE = .02  # Of one core, which drawing pages anew may take.
MOST_BYTES = 200e6  # Of pages that are kept, the newest ones.
MOST_JOURNAL = 1_000_000  # Bytes; to read a larger one takes a while.
WIDEST = 224  # Pixels of a picture in the list.
# What a page of a run is made of; the folder itself tells of new films.
PARTS = ('', 'config.json', 'metrics.jsonl', 'scores.jsonl', 'warnings.jsonl',
         'versions.json', 'changes.jsonl', 'summary.json', 'samples',
         'failed_step.json')
ORDER = (standing.RUNNING, standing.DIVERGED, standing.STOPPED, standing.DONE)


class _Drawn(NamedTuple):
  """A page, and what it was drawn of."""
  of: object
  content: bytes


class Watched:
  """Answers requests about the runs below a folder; nothing else is told.

  A run is asked for by its name in the list, so that no address leads to
  anything that was not found below the folder.

  Args:
    root: the folder.
    clock: returns seconds.
  """

  def __init__(self, root: str | os.PathLike,
               clock: Callable[[], float] = time.monotonic):
    self.below, self._called = Below(root), os.fspath(root)
    self.token = ''
    self._clock = clock
    # Figures are drawn by one thread at a time, and lists do not wait for it.
    self._looking, self._drawing = threading.Lock(), threading.Lock()
    self._memory, self._pictures = glance.Memory(), glance.Memory()
    self._pages: dict[tuple[str, ...], _Drawn] = {}
    self._rest_until = 0.

  def __call__(self, path: str, values: Mapping[str, Sequence[str]]) -> Answer:
    """The answer to a request that was allowed."""
    names = tuple(dict.fromkeys(values.get('run', ())))
    with self._looking:
      runs = self.below.find()
      if path == '/':
        return _html(page.render(self._list(runs)))
      if missing := [name for name in names if name not in runs]:
        return _plain(f'No run is called {missing[0]!r} here, or it is gone.')
      if path == '/picture' and len(names) == 1:
        return self._picture(runs[names[0]])
    if path == '/runs' and names:
      with self._drawing:
        return self._page(names, [runs[name] for name in names])
    return _plain('Nothing is here.')

  def _list(self, runs: Mapping[str, pathlib.Path]) -> page.Page:
    self._pictures.forget()  # A list that is open asks for its own again.
    called = self._of_studies(runs.values())
    seen = glance.glances(runs.values(), self._memory)
    cards = sorted(((seen[path], name) for name, path in runs.items()),
                   key=_place)
    states = [_state(x) for x, _ in cards]
    count = ', '.join(f'{states.count(x)} {x}' for x in dict.fromkeys(states))
    about = [f'{plural(len(cards), "run")} below {self._called}'
             + (f': {count}.' if count else
                '. This page shows them as they begin.')]
    return page.Page('Runs', about, {}, [page.Section('All of them', [
        page.Cards([self._card(name, x, called.get(runs[name], ''))
                    for x, name in cards], '/runs',
                   {'token': self.token})] if cards else [])],
        f'As of {_now()}; asked for anew every {REFRESH:g} s.', REFRESH)

  def _of_studies(self, runs) -> dict[pathlib.Path, str]:
    """{path: what it is called} of runs that belong to a study."""
    found: dict[pathlib.Path, str] = {}
    for journal in {run.parent.parent / JOURNAL for run in runs}:
      sign = glance.signature(journal)
      if sign and sign[1] < MOST_JOURNAL:
        found |= self._memory.get(journal, _names)
    return found

  def _card(self, name, seen, called) -> page.Card:
    if isinstance(seen, str):
      return page.Card(name, '', '', seen, 'unreadable', None, '')
    picture = self._address('/picture', [name], of=seen.picture.name) if (
        seen.picture) else ''
    return page.Card(name, self._address('/runs', [name]), picture,
                     ': '.join(filter(None, (
                         called, page_of_runs().experiment(seen.config)))),
                     seen.standing,
                     min(1., seen.images / max(1, seen.total)), _far(seen))

  def _address(self, path, names, **more):
    return f'{path}?' + parse.urlencode(
        [*(('run', name) for name in names), *more.items(),
         ('token', self.token)], errors='surrogateescape')

  def _page(self, names, folders) -> Answer:
    """A page of runs; of runs that write, not more often than SHARE allows."""
    of = [(standing.is_held(folder),
           *(glance.signature(folder / part) for part in PARTS))
          for folder in folders]
    drawn = self._pages.pop(names, None)
    begin, worked = self._clock(), time.process_time()
    if drawn is None or (drawn.of != of and begin >= self._rest_until):
      try:
        content = self._draw(names, folders)
      except (ValueError, OSError) as error:
        return _plain(f'{error}')
      except Exception as error:  # Of these runs; all others are shown.
        return _plain(f'{type(error).__name__}: {error}')
      drawn = _Drawn(of, content)
      # Pictures are made by several cores at once.
      end, worked = self._clock(), time.process_time() - worked
      self._rest_until = end + max(end - begin, worked) / SHARE
    self._pages[names] = drawn
    while len(self._pages) > 1 and MOST_BYTES < sum(
        len(page.content) for page in self._pages.values()):
      del self._pages[next(iter(self._pages))]
    return Answer(drawn.content)

  def _draw(self, names, folders):
    from msg_gan_jax.runs.read import read
    from msg_gan_jax.runs.together import together
    runs = together(read(folder) for folder in folders)
    with self._looking:
      called = self._of_studies(folders)
    if len(names) == 1:
      runs = runs._replace(names=names)
    elif len({*(known := [called.get(x, '') for x in folders])} - {''}) == len(
        names):
      runs = runs._replace(names=tuple(known))
    content = page_of_runs().page_of(runs)
    return page.render(content._replace(
        about=[f'As of {_now()}.'], live=REFRESH,
        home=(f'/?token={self.token}', 'All runs'))).encode(
            'utf-8', 'backslashreplace')

  def _is_inside(self, path: pathlib.Path) -> bool:
    return pathlib.Path(os.path.realpath(path)).is_relative_to(self.below.root)

  def _picture(self, folder) -> Answer:
    found = self._memory.get(folder / 'samples', glance.newest_grid)
    if found is None or not self._is_inside(found):
      return _plain('No picture is there.')
    try:
      content = self._pictures.get(found, _small)
    except OSError:  # Half-written, or gone.
      return _plain('No picture is there.')
    return Answer(content, 'image/webp')


def _names(journal):
  """The same of one study, by its journal."""
  from msg_gan_jax.commands.report import names_in
  try:
    return {pathlib.Path(path): name
            for path, name in names_in(journal.parent).items()}
  except ValueError:  # Half-written, or of another version.
    return {}


def page_of_runs() -> ModuleType:
  """The module; it wants matplotlib, which a list does without."""
  from msg_gan_jax.commands import page_of_runs
  return page_of_runs


def _place(card):
  """Those that train come first, and the newest of them."""
  seen, name = card
  if isinstance(seen, str):
    return len(ORDER), 0., name
  return ORDER.index(seen.standing), -(seen.written or 0.), name


def _state(seen):
  return 'unreadable' if isinstance(seen, str) else seen.standing


def _far(seen: Glance) -> str:
  words = [f'{seen.images:,} of {seen.total:,} images']
  if seen.standing == standing.RUNNING:
    if seen.rate:
      words.append(f'{seen.rate:,.0f} images/s')
    words.append('compiles, or has no record yet' if seen.left is None
                 else f'{duration(seen.left)} left')
  if seen.rollbacks:
    words.append(plural(seen.rollbacks, 'rollback'))
  if seen.written:
    words.append(f'newest record {_time(seen.written)}')
  return ' · '.join(words)


def _small(path):
  """A picture as a small WebP."""
  with Image.open(path) as picture:
    shown = picture.convert('RGB')
  shown.thumbnail((WIDEST, WIDEST * 4), Image.Resampling.BOX)
  content = io.BytesIO()
  shown.save(content, format='WEBP', quality=thumbnails.QUALITY)
  return content.getvalue()


def _time(seconds):
  """Of the day, with the date where that is another."""
  when = datetime.datetime.fromtimestamp(seconds)
  today = when.date() == datetime.date.today()
  return f'{when:%H:%M:%S}' if today else f'{when:%Y-%m-%d %H:%M}'


def _now():
  return _time(time.time())


def _html(text):
  return Answer(text.encode('utf-8', 'backslashreplace'))


def _plain(words):
  return Answer(words.encode('utf-8', 'backslashreplace'),
                'text/plain; charset=utf-8', 404)
