"""The runs below a folder, however deep they lie."""
import os
import pathlib
import time
from typing import NamedTuple

SETTLED = 2.  # Seconds; a folder that changed later may change unseen again.


class _Listing(NamedTuple):
  """What a folder held when it was looked into."""
  changed: int
  is_run: bool
  inner: tuple[str, ...]


class Below:
  """Finds the runs below a folder; again, it looks only where one has changed.

  A run is a folder with a config.json; none lies within another. Links are not
  followed, so that all of them lie where they seem to, and hidden folders are
  passed over.

  Args:
    root: the folder, which may be a run itself.
  """

  def __init__(self, root: str | os.PathLike):
    self.root = pathlib.Path(os.path.realpath(root))
    self._known: dict[pathlib.Path, _Listing] = {}

  def find(self) -> dict[str, pathlib.Path]:
    """{path below the root: path} of the runs that there are now, in order.

    What cannot be read, or is deleted meanwhile, is passed over.
    """
    known, found, waiting = {}, {}, [self.root]
    while waiting:
      folder = waiting.pop()
      try:
        listing = self._look(folder)
      except OSError:
        continue
      known[folder] = listing
      if listing.is_run:
        name = folder.relative_to(self.root).as_posix()
        found[self.root.name if folder == self.root else name] = folder
      else:
        waiting += [folder / name for name in listing.inner]
    self._known = known
    return dict(sorted(found.items()))

  def _look(self, folder):
    changed = folder.stat().st_mtime_ns
    known = self._known.get(folder)
    if known and known.changed == changed:
      return known
    settled = time.time() - changed / 1e9 > SETTLED
    with os.scandir(folder) as found:
      entries = [*found]
    return _Listing(
        changed if settled else -1,
        any(x.name == 'config.json' and x.is_file() for x in entries),
        tuple(x.name for x in entries if not x.name.startswith('.')
              and x.is_dir(follow_symlinks=False)))
