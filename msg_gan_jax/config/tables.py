"""Tables of named things, and errors that name the nearest right thing."""
import difflib


def nearest(name, known):
  """A sentence about `name`: the nearest of `known`, then all of them."""
  known = sorted(str(k) for k in known)
  close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
  hint = f'did you mean {close[0]!r}? ' if close else ''
  return f'{hint}Known: {", ".join(known)}.'


class Table(dict):
  """A dict from names to things whose misses say what exists.

  Args:
    place: where the name comes from, for the error, as 'config.networks.phi'.
    kind: what the things are, in the singular, as 'φ'.
    rows: the dict itself, written out so that one can read it.

  Raises:
    ValueError: on `table[name]` with an unknown name.
  """

  def __init__(self, place, kind, rows):
    super().__init__(rows)
    self.place, self.kind = place, kind

  def __missing__(self, name):
    raise ValueError(f'{self.place}: {self.miss(name)}')

  def miss(self, name):
    """What is said of an unknown name."""
    return f'no {self.kind} {name!r}; {nearest(name, self)}'
