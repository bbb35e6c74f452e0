"""A folder of picture files as a PictureStore."""
import os

import numpy as np

from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import labels
from msg_gan_jax.files import plain


class Folder:
  """Picture files in a folder; implements store.PictureStore.

  Args:
    path: the folder; see picture_files.scan for what may lie in it.
    label_file, label, strict: see labels.label_pictures.
    follow_links: see picture_files.scan.

  Raises:
    ValueError: there is nothing to read, or not every picture has a label.
  """

  def __init__(self, path: str, label_file: str = '', label: str = '',
               strict: bool = True, follow_links: bool = False) -> None:
    tree = picture_files.scan(path, follow_links)
    self._root = tree.root
    self.name = picture_files.printable(os.path.basename(tree.root)
                                        or tree.root)
    self.place = picture_files.printable(tree.root)
    contents = labels.Contents(tree.root, tree.files, tree.others,
                               self._read_file)
    labelling = labels.label_pictures(contents, label_file, label, strict)
    self.names, self._stats = tree.files, tree.stats
    self.classes = labelling.classes
    self.labels = np.array(labelling.labels, np.int32)
    others = picture_files.count_others(tree.others, tree.special)
    self.notes: dict = {**({'other_files': others} if others else {}),
                        **labelling.notes}
    self.mean_bytes = float(np.mean([size for size, _ in self._stats]))

  def where(self, i: int) -> str:
    return f'{self._root}/{self.names[i]}'

  def read(self, i: int) -> bytes:
    return self._read_file(self.names[i])

  def peek(self, i: int) -> str:
    return self.where(i)

  def identity(self) -> bytes:
    return (os.fsencode('\0'.join(self.names))
            + np.array(self._stats, np.int64).tobytes())

  def _read_file(self, name):
    # It is read in one go: PIL's many small reads cost 8 % on small files, and
    # hold up other threads.
    return plain.read(f'{self._root}/{name}')
