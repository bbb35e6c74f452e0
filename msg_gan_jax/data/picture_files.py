"""The picture files under a folder, and the classes that its folders are."""
import collections
import os
import stat
from typing import NamedTuple

from msg_gan_jax.data import decode

# Folders of these names are parts of a data set and not kinds of pictures.
SPLITS = {'train', 'training', 'test', 'testing', 'val', 'valid', 'validation',
          'dev', 'eval'}
# Of the names that archives have; what they are, their bytes say.
ARCHIVES = ('.zip', '.npz', '.tar', '.tgz', '.tbz2', '.txz', '.gz', '.bz2',
            '.xz')
SPECIAL = 'links, pipes and the like'


class Tree(NamedTuple):
  """Files of a folder, by path.

  Attributes:
    root: the absolute folder, links resolved.
    files: sorted paths of the pictures, relative to root, with '/'.
    stats: (size in bytes, mtime in ns) of each; (-1, -1) for a dead link.
    others: sorted paths of the files that are no pictures by their names.
    special: how many are neither files nor folders: pipes, sockets, devices.
  """
  root: str
  files: list
  stats: list
  others: list
  special: int


class Kinds(NamedTuple):
  """What the folders that pictures lie in say of them.

  Attributes:
    kept: indices of the pictures that count.
    classes: sorted names of the class folders, () where there are none.
    labels: index into classes of each kept one, 0 where there are none.
    notes: what else was found, plain values.
  """
  kept: list
  classes: tuple
  labels: list
  notes: dict


def scan(path):
  """The Tree under a folder.

  Names that begin with a dot are passed over. Each folder is read once, so a
  circle of links ends. What would block a reader, as a pipe, is not read.

  Raises:
    ValueError: no such folder, one that cannot be read, or no pictures.
  """
  root = _root(path)
  found, others, special = _walk(root)
  check_any(path, found, count_others(others, special))
  files = sorted(found)
  return Tree(root, files, [found[f] for f in files], sorted(others), special)


def check_any(path, files, others):
  """Raises ValueError where there are no pictures, but only {kind: count}."""
  if not files:
    listed = ', '.join(f'{n} {kind}' for kind, n in others.items())
    raise ValueError(
        f'config.data.path: no pictures in {path!r}; looked for '
        f'{" ".join(decode.EXTENSIONS)} in it and its folders, found '
        f'{listed or "nothing"}.')


def is_picture(name):
  return name.lower().endswith(decode.EXTENSIONS)


def count_others(names, special=0):
  """{'.txt': 3, ...} of the eight most common kinds of what is no picture."""
  counts = collections.Counter({SPECIAL: special} if special else {})
  for name in names:
    _, dot, extension = name.rpartition('/')[2].rpartition('.')
    extension = printable(dot + extension.lower())
    counts[extension if dot else 'without an extension'] += 1
  return dict(counts.most_common(8))


def printable(name):
  """`name`; bytes that are no UTF-8 as \\udcff, so that any file takes it."""
  return name.encode('utf-8', 'backslashreplace').decode()


def classify(path, files, on_bad='error'):
  """The Kinds of sorted relative paths, in a folder or in an archive.

  Pictures lie loose, or one folder a class, at any depth below. Where all lie
  in one folder of folders, as train/cat and train/dog, the classes are the
  folders below it.

  Args:
    path: of the folder or the archive, for errors.
    files: sorted relative paths, with '/'; at least one.
    on_bad: 'error', or 'skip': loose pictures beside folders are left out.

  Raises:
    ValueError: pictures beside class folders, or splits where classes should
      be.
  """
  parts = [f.split('/') for f in files]
  depth = 0
  # One folder that holds only folders is a wrapper, not a class.
  while (all(len(p) > depth + 2 for p in parts)
         and len({p[depth] for p in parts}) == 1):
    depth += 1
  loose = [i for i, p in enumerate(parts) if len(p) == depth + 1]
  names = sorted({p[depth] for p in parts if len(p) > depth + 1})
  if loose and names:
    if on_bad == 'skip':
      return _without(loose, path, files)
    raise ValueError(
        f'config.data.path: in {path!r}, {len(loose)} pictures lie loose '
        f'({files[loose[0]]!r} the first) beside {len(names)} folders of '
        f'pictures ({names[0]!r} the first); wanted all loose, or all in one '
        "folder a class. config.data.on_bad='skip' leaves the loose ones out.")
  if len(names) > 1 and {n.lower() for n in names} <= SPLITS:
    raise ValueError(
        f'config.data.path: the folders of {path!r} are splits and not '
        f'classes: {", ".join(names)}; name one of them, as '
        f'{os.path.join(path, *parts[0][:depth], names[-1])!r}.')
  number = {name: i for i, name in enumerate(names)}
  below = printable('/'.join(parts[0][:depth]))
  notes = {'classes_below': below} if below else {}
  return Kinds(list(range(len(files))), tuple(map(printable, names)),
               [number.get(p[depth], 0) for p in parts], notes)


def _without(loose, path, files):
  """Kinds of the files that are not loose; below them may be a wrapper."""
  out = set(loose)
  kept = [i for i in range(len(files)) if i not in out]
  found = classify(path, [files[i] for i in kept], 'skip')
  left_out = [printable(files[i]) for i in loose]
  return found._replace(kept=[kept[i] for i in found.kept],
                        notes={**found.notes, 'left_out': left_out})


def _root(path):
  if not path:
    raise ValueError(
        "config.data.path: is empty; data.name='folder' wants the folder of "
        'the pictures, as --config.data.path=/data/faces.')
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


def nearest_folder(full):
  """The innermost folder above an absolute path that exists."""
  above = os.path.dirname(full)
  while not os.path.isdir(above):
    above = os.path.dirname(above)
  return above


def _instead(full):
  if full.lower().endswith(ARCHIVES):
    return "; config.data.name='archive' reads archives"
  return ('; unpack it first'
          if full.lower().endswith(('.7z', '.rar', '.zst')) else '')


def _walk(root):
  """Everything below -> ({relative path: (size, mtime)}, others, special)."""
  found, others, special = {}, [], 0
  # Links wait until all true folders are read, so that a link to a class
  # does not take the pictures away from it.
  folders, links, seen = [(root, '')], [], set()
  while folders or links:
    folder, below = folders.pop() if folders else links.pop(0)
    for entry in _entries(folder, seen):
      name = below + entry.name
      if entry.name[0] == '.':
        continue
      if _is_folder(entry):
        to = links if entry.is_symlink() else folders
        to.append((entry.path, f'{name}/'))
      elif not is_picture(entry.name):
        others.append(name)
      elif (size_and_time := _stat(entry)) is None:
        special += 1
      else:
        found[name] = size_and_time
  return found, others, special


def _entries(folder, seen):
  """Sorted entries of a folder, none where it is among the `seen`."""
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
  """(size, mtime); (-1, -1) of a dead link, None of a pipe and its like."""
  try:
    found = entry.stat()
  except OSError:  # A dead link; PIL says so when its turn comes.
    return -1, -1
  if not stat.S_ISREG(found.st_mode):
    return None
  return found.st_size, found.st_mtime_ns
