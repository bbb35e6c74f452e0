"""Finds the picture files under a folder, and takes its folders as classes."""
import collections
from collections.abc import Iterable, Mapping, Sequence
import os
import stat
from typing import NamedTuple

from msg_gan_jax.data import decode
from msg_gan_jax.files import console

# Folders of these names are parts of a data set, and not classes.
SPLITS = {'train', 'training', 'test', 'testing', 'val', 'valid', 'validation',
          'dev', 'eval'}
# How names of archives end. Which archive it is, its bytes tell.
ARCHIVES = ('.zip', '.npz', '.tar', '.tgz', '.tbz2', '.txz', '.gz', '.bz2',
            '.xz')
SPECIAL = 'links, pipes and the like'
# The note that says why pictures in folders have no classes.
WITHOUT_CLASSES = 'without_classes'


class Tree(NamedTuple):
  """The files under a folder, by their paths.

  Attributes:
    root: the absolute folder, links resolved.
    files: sorted paths of the pictures, relative to root, with '/'.
    stats: (size in bytes, mtime in ns) of each; (-1, -1) for a dead link.
    others: sorted paths of the files that are not pictures by their names.
    special: how many are neither files nor folders: pipes, sockets, devices,
      and links out of the folder.
  """
  root: str
  files: list[str]
  stats: list[tuple[int, int]]
  others: list[str]
  special: int


class Labelling(NamedTuple):
  """The labels of the pictures of a set.

  Attributes:
    classes: names of the labels, () if there are none.
    labels: index into classes of each picture, 0 if there are none.
    notes: what else was found, plain values.
  """
  classes: tuple[str, ...]
  labels: list[int]
  notes: dict


def scan(path: str, follow_links: bool = False) -> Tree:
  """Finds the files under a folder.

  Names that begin with a dot are passed over. Each folder is read once, so a
  circle of links ends. What would block a reader, such as a pipe, is not read.

  Args:
    path: the folder, which may be a link itself.
    follow_links: whether links out of it are followed. Of a folder that
      somebody else has filled they may lead anywhere on this machine.

  Raises:
    ValueError: there is no such folder, it cannot be read, or it holds no
      pictures.
  """
  root = _root(path)
  stats, others, special, out = _walk(root, follow_links)
  if out:
    console.say_aside(
        f'{path}: {_some(out, "link")} out of it not followed '
        f'({printable(out[0])!r} the first). Where they are yours: '
        'config.data.follow_links=True, or copies in their place.')
  special += len(out)
  tell_unreadable(path, sorted(others))
  check_any(path, stats, count_others(others, special))
  files = sorted(stats)
  return Tree(root, files, [stats[f] for f in files], sorted(others), special)


def check_any(path: str, files: Iterable[str],
              others: Mapping[str, int]) -> None:
  """Refuses a set without pictures.

  Args:
    path: of the set.
    files: its pictures.
    others: {kind: how many} of its other files.

  Raises:
    ValueError: there are no pictures; which other files there are.
  """
  if not files:
    listed = ', '.join(f'{n} {kind}' for kind, n in others.items())
    raise ValueError(
        f'config.data.path: no pictures in {path!r}; looked for '
        f'{" ".join(decode.EXTENSIONS)} in it and its folders, found '
        f'{listed or "nothing"}.')


def is_picture(name: str) -> bool:
  """Tells whether a file is a picture by its name, and of a kind we read."""
  return (name.lower().endswith(decode.EXTENSIONS)
          and not name.lower().endswith(decode.unreadable()))


def tell_unreadable(place: str, others: Sequence[str]) -> None:
  """Says which pictures are passed over, as this Pillow cannot read them.

  Args:
    place: the folder or the archive.
    others: its files that `is_picture` refuses.
  """
  missed = [name for name in others
            if name.lower().endswith(decode.unreadable())]
  if missed:
    kinds = sorted({name.lower()[name.rindex('.'):] for name in missed})
    console.say_aside(
        f'{place}: {_some(missed, "picture")} not read '
        f'({printable(missed[0])!r} the first), for the Pillow that is '
        f'installed was built without {" ".join(kinds)}. Convert them to .png, '
        'or get a newer one (pip install -U pillow).')


def count_others(names: Iterable[str], special: int = 0) -> dict[str, int]:
  """Counts files that are not pictures: {'.txt': 3, ...}, the eight commonest.

  Args:
    names: of the files.
    special: how many more are links, pipes and the like.
  """
  counts = collections.Counter({SPECIAL: special} if special else {})
  for name in names:
    _, dot, extension = name.rpartition('/')[2].rpartition('.')
    extension = printable(dot + extension.lower())
    counts[extension if dot else 'without an extension'] += 1
  return dict(counts.most_common(8))


def printable(name: str) -> str:
  """Writes bytes that are not UTF-8 as \\udcff, so that any file takes them."""
  return name.encode('utf-8', 'backslashreplace').decode()


def classes_of_folders(path: str, files: Sequence[str]) -> Labelling:
  """Labels pictures by the folders that they lie in.

  Pictures lie loose, or in one folder for each class, at any depth below it.
  If all lie in one folder of folders, such as train/cat and train/dog, the
  classes are the folders inside. Where some lie loose beside such folders,
  there are no classes, and the notes say so.

  Args:
    path: of the folder or the archive, for errors.
    files: sorted relative paths, with '/'; at least one.

  Raises:
    ValueError: the folders are splits and not classes.
  """
  parts = [f.split('/') for f in files]
  depth = 0
  # One folder that holds only folders is a wrapper, not a class.
  while (all(len(p) > depth + 2 for p in parts)
         and len({p[depth] for p in parts}) == 1):
    depth += 1
  loose = [i for i, p in enumerate(parts) if len(p) == depth + 1]
  names = sorted({p[depth] for p in parts if len(p) > depth + 1})
  if len(names) > 1 and {n.lower() for n in names} <= SPLITS:
    raise ValueError(
        f'config.data.path: the folders of {path!r} are splits and not '
        f'classes: {", ".join(names)}; name one of them, such as '
        f'{os.path.join(path, *parts[0][:depth], names[-1])!r}.')
  below = printable('/'.join(parts[0][:depth]))
  notes = {'classes_below': below} if below else {}
  if loose and names:
    notes[WITHOUT_CLASSES] = (
        f'{_some(loose, "picture")} lie{"s" * (len(loose) == 1)} loose '
        f'({printable(files[loose[0]])!r} the first) beside '
        f'{_some(names, "folder")} of pictures '
        f'({printable(names[0])!r} the first)')
    return Labelling((), [0] * len(files), notes)
  number = {name: i for i, name in enumerate(names)}
  return Labelling(tuple(map(printable, names)),
                   [number.get(p[depth], 0) for p in parts], notes)


def _some(things, what):
  return f'{len(things):,} {what}{"s" * (len(things) > 1)}'


def _root(path):
  if not path:
    raise ValueError(
        "config.data.path: is empty; data.name='folder' wants the folder of "
        'the pictures, such as /data/faces.')
  full = os.path.realpath(os.path.expanduser(path))
  if os.path.isfile(full):
    raise ValueError(
        f'config.data.path: {path!r} is a file; wanted the folder of the '
        f'pictures{_instead(full)}.')
  if not os.path.isdir(full):
    raise ValueError(
        f'config.data.path: no folder {path!r}; the nearest that exists is '
        f'{nearest_folder(full)!r}.')
  return full


def nearest_folder(full: str) -> str:
  """Returns the innermost folder above an absolute path that exists."""
  above = os.path.dirname(full)
  while not os.path.isdir(above):
    above = os.path.dirname(above)
  return above


def _instead(full):
  if full.lower().endswith(ARCHIVES):
    return "; config.data.name='archive' reads archives"
  return ('; unpack it first'
          if full.lower().endswith(('.7z', '.rar', '.zst')) else '')


def _walk(root, follow_links):
  """-> ({path of a picture: (size, mtime)}, other paths, number of special,
  links out of the root that are not followed)."""
  pictures, others, special, out = {}, [], 0, []
  # Links wait until all true folders are read, so that a link to a class
  # does not take the pictures away from it.
  folders, links, seen = [(root, '')], [], set()
  while folders or links:
    folder, below = folders.pop() if folders else links.pop(0)
    for entry in _entries(folder, seen):
      name = below + entry.name
      if entry.name[0] == '.':
        continue
      if not follow_links and entry.is_symlink() and os.path.commonpath(
          [root, os.path.realpath(entry.path)]) != root:
        out.append(name)
      elif _is_folder(entry):
        to = links if entry.is_symlink() else folders
        to.append((entry.path, f'{name}/'))
      elif not is_picture(entry.name):
        others.append(name)
      elif (size_and_time := _stat(entry)) is None:
        special += 1
      else:
        pictures[name] = size_and_time
  return pictures, others, special, out


def _entries(folder, seen):
  """Sorts the entries of a folder; none if it is among those `seen`."""
  try:
    here = os.stat(folder)
    if (here.st_dev, here.st_ino) in seen:
      return []
    seen.add((here.st_dev, here.st_ino))
    with os.scandir(folder) as entries:
      return sorted(entries, key=lambda e: e.name)
  except OSError as error:
    raise ValueError(
        f'config.data.path: cannot read the folder {folder!r}: '
        f'{error.strerror}.') from error


def _is_folder(entry):
  try:
    return entry.is_dir()
  except OSError:  # A link to itself.
    return False


def _stat(entry):
  """-> (size, mtime); (-1, -1) for a dead link, None for a pipe or the like."""
  try:
    status = entry.stat()
  except OSError:  # It is a dead link, of which decoding will tell.
    return -1, -1
  if not stat.S_ISREG(status.st_mode):
    return None
  return status.st_size, status.st_mtime_ns
