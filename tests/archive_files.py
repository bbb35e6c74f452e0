"""Archives of six pictures in two classes, for the tests of what reads them."""
import io
import json
import tarfile
import zipfile

from helpers import picture, png, whole
import numpy as np


def member(seed):
  """The bytes of a .png."""
  return png(picture(seed))


FILES = {f'{"cat" if i < 3 else "dog"}/{i}.png': member(i) for i in range(6)}


def write_zip(path, files=FILES, method=zipfile.ZIP_DEFLATED):
  with zipfile.ZipFile(path, 'w', method) as file:
    for name, content in files.items():
      file.writestr(name, content)
  return path


def write_tar(path, files=FILES, mode='w', format=tarfile.PAX_FORMAT):
  with tarfile.open(path, mode, format=format) as file:
    for name, content in files.items():
      info = tarfile.TarInfo(name)
      info.size = len(content)
      file.addfile(info, io.BytesIO(content))
  return path


WRITERS = {'zip': write_zip, 'tar': write_tar}


def assert_is_the_set(source):
  np.testing.assert_array_equal(whole(source), [picture(i) for i in range(6)])
  assert source.classes == ('cat', 'dog')
  assert source.labels(np.arange(6)).tolist() == [0] * 3 + [1] * 3
  json.dumps(source.notes)
