"""Laws of arrays on disk: no memory for what a header only claims."""
import io
import zipfile

import numpy as np
import pytest

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.files import npy
from msg_gan_jax.metrics import sets

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)
HUGE = 10**13  # 40 TB: who asks for it has none, or swaps for an hour.


def claims(rows, values=VALUES):
  """The bytes of a .npy that says that it has so many rows."""
  file = io.BytesIO()
  np.lib.format.write_array_header_1_0(file, {
      'descr': '<f4', 'fortran_order': False, 'shape': (rows, 4)})
  return file.getvalue() + values.tobytes()


def put(path, content, kind):
  """Writes the bytes of a .npy as the only file, or inside an .npz."""
  if kind is None:
    path.write_bytes(content)
  else:
    with zipfile.ZipFile(path, 'w', kind) as archive:
      archive.writestr('mu.npy', content)
  return path


def load(path, kind):
  if kind is None:
    return npy.load(path)
  with npy.open_archive(path) as arrays:
    return arrays['mu']


KINDS = pytest.mark.parametrize(
    'kind', [None, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


@KINDS
def test_what_is_whole_is_loaded(kind, tmp_path):
  path = put(tmp_path / 'x', claims(3), kind)
  np.testing.assert_array_equal(load(path, kind), VALUES)


@KINDS
@pytest.mark.parametrize('rows', [2, 4, HUGE, -3])
def test_a_header_is_checked_against_the_size(kind, rows, tmp_path):
  path = put(tmp_path / 'x', claims(rows), kind)
  with pytest.raises(ValueError, match=r'it says that it is float32 \[-?\d+'):
    load(path, kind)


@KINDS
def test_objects_are_refused(kind, tmp_path):
  file = io.BytesIO()
  np.save(file, np.array([{}], object))
  path = put(tmp_path / 'x', file.getvalue(), kind)
  with pytest.raises(ValueError, match='Object arrays cannot be loaded'):
    load(path, kind)


@pytest.mark.parametrize('kind', [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_size_that_an_archive_cannot_hold_is_refused(kind, tmp_path):
  """Where header and archive tell the same lie."""
  path = put(tmp_path / 'x', claims(10**8), kind)
  content = bytearray(path.read_bytes())
  size = len(claims(3)).to_bytes(4, 'little')
  lie = (len(claims(3)) + 16 * (10**8 - 3)).to_bytes(4, 'little')
  place = content.rindex(b'PK\x01\x02') + 24  # The directory at the end.
  assert content[place:place + 4] == size
  content[place:place + 4] = lie
  path.write_bytes(bytes(content))
  with pytest.raises(ValueError, match=r"'mu\.npy' says that it has 1,6\d"):
    load(path, kind)


@pytest.mark.parametrize('read, kind, text', [
    (lambda path: samples.read_rows('z_file', path, 4), None,
     r'^z_file: .*x is not an array of numpy \(\.npy\): it says that it is fl'),
    (lambda path: sets.open_set(path, 'real'), zipfile.ZIP_DEFLATED,
     r"^real: .*x\.npz' cannot be read: 'mu\.npy': it says that it is float"),
])
def test_those_who_read_files_ask_for_no_memory(read, kind, text, tmp_path):
  path = put(tmp_path / ('x.npz' if kind else 'x'), claims(HUGE), kind)
  if kind:
    with zipfile.ZipFile(path, 'a') as archive:
      archive.writestr('sigma.npy', claims(3))
  with pytest.raises(ValueError, match=text):
    read(str(path))


def test_what_is_no_archive_is_told(tmp_path):
  with pytest.raises(ValueError, match='it is no .npz, or was cut off'):
    load(put(tmp_path / 'x', claims(3), None), zipfile.ZIP_STORED)
