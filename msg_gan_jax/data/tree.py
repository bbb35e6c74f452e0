"""The picture files under a folder, and the classes that its folders are."""
import collections
import os
from typing import NamedTuple

from msg_gan_jax.data import decode

# Folders of these names are parts of a data set and not kinds of pictures.
SPLITS = {'train', 'training', 'test', 'testing', 'val', 'valid', 'validation',
          'dev', 'eval'}


class Tree(NamedTuple):
  """Picture files, sorted by path.

  Attributes:
    root: the absolute folder, links resolved.
    files: paths relative to root, with '/'.
    stats: (size in bytes, mtime in ns) of each; (-1, -1) for a dead link.
    classes: sorted names of the class folders, () where there are none.
    labels: index into classes of each file, 0 where there are none.
    notes: what else was found.
  """
  root: str
  files: list
  stats: list
  classes: tuple
  labels: list
  notes: dict


def scan(path):
  """The Tree under a folder.

  Pictures lie loose in it, or one folder a class, at any depth below. Where
  all lie in one folder of folders, as train/cat and train/dog, the classes
  are the folders below it. Names that begin with a dot are passed over. Each
  folder is read once, so a circle of links ends.

  Raises:
    ValueError: no such folder, one that cannot be read, one without pictures,
      pictures beside class folders, or splits where classes should be.
  """
  root = _root(path)
  found, others = _walk(root)
  if not found:
    raise ValueError(
        f'config.data.path: no pictures in {path!r}; looked for '
        f'{" ".join(decode.EXTENSIONS)} in it and its folders, found '
        f'{_list_others(others)}.')
  files = sorted(found)
  classes, labels, depth = _classes(path, files)
  notes = {'other_files': dict(others.most_common(8))} if others else {}
  if depth:
    notes['classes_below'] = '/'.join(files[0].split('/')[:depth])
  return Tree(root, files, [found[f] for f in files], classes, labels, notes)


def _root(path):
  if not path:
    raise ValueError(
        "config.data.path: is empty; data.name='folder' wants the folder of "
        'the pictures, as --config.data.path=/data/faces.')
  full = os.path.realpath(os.path.expanduser(path))
  if os.path.isfile(full):
    raise ValueError(
        f'config.data.path: {path!r} is a file; wanted the folder of the '
        f'pictures{_unpack(full)}.')
  if not os.path.isdir(full):
    above = os.path.dirname(full)
    while not os.path.isdir(above):
      above = os.path.dirname(above)
    raise ValueError(
        f'config.data.path: no folder {path!r}; the nearest that exists is '
        f'{above!r}.')
  return full


def _unpack(full):
  packed = ('.zip', '.tar', '.gz', '.xz', '.tgz', '.7z', '.bz2', '.zst')
  return '; unpack it first' if full.lower().endswith(packed) else ''


def _walk(root):
  """Everything below -> ({relative path: (size, mtime)}, other extensions)."""
  found, others = {}, collections.Counter()
  # Links wait until all true folders are read, so that a link to a class
  # does not take the pictures away from it.
  folders, links, seen = [(root, '')], [], set()
  while folders or links:
    folder, below = folders.pop() if folders else links.pop(0)
    try:
      here = os.stat(folder)
      if (here.st_dev, here.st_ino) in seen:
        continue
      seen.add((here.st_dev, here.st_ino))
      with os.scandir(folder) as entries:
        entries = sorted(entries, key=lambda e: e.name)
    except OSError as error:
      raise ValueError(
          f'config.data.path: cannot read the folder {folder!r}: '
          f'{error.strerror}.') from error
    for entry in entries:
      if entry.name[0] == '.':
        continue
      if _is_folder(entry):
        to = links if entry.is_symlink() else folders
        to.append((entry.path, f'{below}{entry.name}/'))
        continue
      _, dot, extension = entry.name.rpartition('.')
      extension = dot + extension.lower()
      if extension in decode.EXTENSIONS:
        found[below + entry.name] = _stat(entry)
      else:
        others[extension if dot else 'without an extension'] += 1
  return found, others


def _is_folder(entry):
  try:
    return entry.is_dir()
  except OSError:  # A link to itself.
    return False


def _stat(entry):
  try:
    stat = entry.stat()
  except OSError:  # A dead link; PIL says so when its turn comes.
    return -1, -1
  return stat.st_size, stat.st_mtime_ns


def _list_others(others):
  if not others:
    return 'nothing'
  return ', '.join(f'{n} {kind}' for kind, n in others.most_common(8))


def _classes(path, files):
  """Sorted files -> (names, labels, depth of the folders that are classes)."""
  parts = [f.split('/') for f in files]
  depth = 0
  # One folder that holds only folders is a wrapper, not a class.
  while (all(len(p) > depth + 2 for p in parts)
         and len({p[depth] for p in parts}) == 1):
    depth += 1
  loose = [f for f, p in zip(files, parts, strict=True) if len(p) == depth + 1]
  names = sorted({p[depth] for p in parts if len(p) > depth + 1})
  if loose and names:
    raise ValueError(
        f'config.data.path: in {path!r}, {len(loose)} pictures lie loose '
        f'({loose[0]!r} the first) beside {len(names)} folders of pictures '
        f'({names[0]!r} the first); wanted all loose, or all in one folder a '
        'class.')
  if len(names) > 1 and {n.lower() for n in names} <= SPLITS:
    raise ValueError(
        f'config.data.path: the folders of {path!r} are splits and not '
        f'classes: {", ".join(names)}; name one of them, as '
        f'{os.path.join(path, *parts[0][:depth], names[-1])!r}.')
  number = {name: i for i, name in enumerate(names)}
  return tuple(names), [number.get(p[depth], 0) for p in parts], depth
