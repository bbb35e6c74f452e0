"""Tables of named things, and errors that name the nearest right thing."""
from collections.abc import Iterable, Mapping, Sequence
import difflib
from typing import TypeVar

Row = TypeVar('Row')
_TABLES: list['Table'] = []


def begun(name: object, known: Iterable[object]) -> list[str]:
  """Those of `known` that a short name stands for, or that a longer one has.

  Of sngan_cifar10 and sngan_cnn 'sngan' is both, as their beginning, 'cifar10'
  the first, as a word of it, and 'sngan_cnn_32' the second, being longer.
  """
  names, word = sorted({str(k) for k in known}), _folded(name)
  if len(word) < 2:
    return []
  within = [k for k in names if len(k) > 2 and word.startswith(_folded(k))]
  return ([k for k in names if _folded(k) == word]
          or [k for k in names if _folded(k).startswith(word)
              or f'_{word}_' in f'_{_folded(k)}_']
          or sorted(within, key=len)[-1:])


def closest(name: object, known: Iterable[object]) -> str | None:
  """The one of `known` that `name` stands for, or is spelled most like."""
  names = [str(k) for k in known]
  short = begun(name, names)
  close = difflib.get_close_matches(
      str(name), short or names, n=1, cutoff=0. if short else .5)
  return close[0] if close else None


def nearest(name: object, known: Iterable[object]) -> str:
  """A sentence about `name`: the nearest of `known`, then all of them."""
  names = sorted(str(k) for k in known)
  close = begun(name, names) or [*filter(None, [closest(name, names)])]
  hint = f'did you mean {one_of(close)}? ' if close else ''
  return f'{hint}Known: {", ".join(names)}.'


def one_of(names: Sequence[str], most: int = 20) -> str:
  """['a', 'b', 'c'] -> "'a', 'b' or 'c'"."""
  shown = [*map(repr, names[:most])] + ['...'] * (len(names) > most)
  *first, last = shown
  return f'{", ".join(first)} or {last}' if first else last


def _folded(name):
  return str(name).lower().replace('-', '_')


class MissingRowError(ValueError):
  """A table has no row of this name."""


class Table(dict[str, Row]):
  """A dict from names to things whose misses say what exists.

  Args:
    place: the setting or the argument that names a row, such as
      'config.networks.phi'; errors of `look_up` and `check` begin with it.
    kind: what the things are, in the singular, such as 'φ'.
    rows: the dict itself, written out so that one can read it.

  Raises:
    MissingRowError: on `table[name]` with an unknown name.
  """

  def __init__(self, place: str, kind: str, rows: Mapping[str, Row]) -> None:
    super().__init__(rows)
    self.place, self.kind = place, kind
    _TABLES.append(self)

  def __missing__(self, name: str) -> Row:
    raise MissingRowError(self.miss(name))

  def look_up(self, name: str, place: str = '') -> Row:
    """The row that a setting or an argument names.

    Args:
      name: of the row.
      place: that setting or argument; '' is the one that usually names rows.

    Raises:
      MissingRowError: an unknown name; the text begins with the place.
    """
    self.check(name, place)
    return self[name]

  def check(self, name: str, place: str = '') -> None:
    """Refuses a name that the table does not have; see `look_up`."""
    if name not in self:
      raise MissingRowError(f'{place or self.place}: {self.miss(name)}')

  def miss(self, name: str) -> str:
    """What is said about an unknown name."""
    return f'no {self.kind} {name!r}; {nearest(name, self)}'


def rows() -> dict[tuple[str, str], object]:
  """{(place, name): row} of every row there is by now, in all tables."""
  return {(table.place, name): row
          for table in _TABLES for name, row in table.items()}
