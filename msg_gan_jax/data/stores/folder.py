"""A folder of picture files as a Store."""
import os

import numpy as np

from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import labels


class Folder:
  """Picture files in a folder; implements pictures.Store.

  Args:
    path: the folder; see tree.scan for what may lie in it.
    label_file, label: see labels.label.
    on_bad: 'error', or 'skip'; see tree.classify.

  Raises:
    ValueError: there is nothing to read, or not every picture has a label.
  """

  def __init__(self, path, label_file='', label='', on_bad='error'):
    found = picture_files.scan(path)
    self._root = found.root
    self.name = picture_files.printable(
      os.path.basename(found.root) or found.root
    )
    self.place = picture_files.printable(found.root)
    inside = labels.Inside(found.root, found.files, found.others,
                           self._read_file)
    kinds = labels.label(inside, label_file, label, on_bad)
    self.names = [found.files[i] for i in kinds.kept]
    self._stats = [found.stats[i] for i in kinds.kept]
    self.classes, self.labels = kinds.classes, kinds.labels
    others = picture_files.count_others(found.others, found.special)
    self.notes = {**({'other_files': others} if others else {}), **kinds.notes}
    self.mean_bytes = float(np.mean([size for size, _ in self._stats]))

  def where(self, i):
    return f'{self._root}/{self.names[i]}'

  def read(self, i):
    return self._read_file(self.names[i])

  def peek(self, i):
    return self.where(i)

  def identity(self):
    return (os.fsencode('\0'.join(self.names))
            + np.array(self._stats, np.int64).tobytes())

  def _read_file(self, name):
    # Read at one go: many small reads of PIL's cost 8 %, and time for other
    # threads, on small files.
    with open(f'{self._root}/{name}', 'rb', buffering=0) as file:
      return file.read()
