"""Tables of named things, and errors that name the nearest right thing."""
from collections.abc import Iterable, Mapping
import difflib
from typing import TypeVar

Row = TypeVar('Row')


def closest(name: object, known: Iterable[object]) -> str | None:
  """The one of `known` that is spelled most like `name`, if any is."""
  close = difflib.get_close_matches(
      str(name), [str(k) for k in known], n=1, cutoff=0.5)
  return close[0] if close else None


def nearest(name: object, known: Iterable[object]) -> str:
  """A sentence about `name`: the nearest of `known`, then all of them."""
  names = sorted(str(k) for k in known)
  close = closest(name, names)
  hint = f'did you mean {close!r}? ' if close else ''
  return f'{hint}Known: {", ".join(names)}.'


class Table(dict[str, Row]):
  """A dict from names to things whose misses say what exists.

  Args:
    place: the setting or the argument that names a row, such as
      'config.networks.phi'; errors of `look_up` and `check` begin with it.
    kind: what the things are, in the singular, such as 'φ'.
    rows: the dict itself, written out so that one can read it.

  Raises:
    ValueError: on `table[name]` with an unknown name.
  """

  def __init__(self, place: str, kind: str, rows: Mapping[str, Row]) -> None:
    super().__init__(rows)
    self.place, self.kind = place, kind

  def __missing__(self, name: str) -> Row:
    raise ValueError(self.miss(name))

  def look_up(self, name: str, place: str = '') -> Row:
    """The row that a setting or an argument names.

    Args:
      name: of the row.
      place: that setting or argument; '' is the one that usually names rows.

    Raises:
      ValueError: an unknown name; the text begins with the place.
    """
    self.check(name, place)
    return self[name]

  def check(self, name: str, place: str = '') -> None:
    """Refuses a name that the table does not have; see `look_up`."""
    if name not in self:
      raise ValueError(f'{place or self.place}: {self.miss(name)}')

  def miss(self, name: str) -> str:
    """What is said about an unknown name."""
    return f'no {self.kind} {name!r}; {nearest(name, self)}'
