"""Archives and arrays that are harmed: each is read, or refused in words."""
import io
import zipfile

from archive_files import write_tar, write_zip
from fuzz.examples import given
from fuzz.pictures import harmed, harms
from hypothesis import strategies as st
import numpy as np


def seeds(tmp):
  """{name: bytes} of every kind."""
  paths = {
      'packed.zip': write_zip(tmp / 'a'),
      'stored.zip': write_zip(tmp / 'b', method=zipfile.ZIP_STORED),
      'bzip2.zip': write_zip(tmp / 'c', method=zipfile.ZIP_BZIP2),
      'plain.tar': write_tar(tmp / 'd'),
      'packed.tgz': write_tar(tmp / 'e', mode='w:gz'),
      'bzip2.tar': write_tar(tmp / 'f', mode='w:bz2'),
      'xz.tar': write_tar(tmp / 'g', mode='w:xz')}
  found = {name: path.read_bytes() for name, path in paths.items()}
  images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
  for name, save in {'plain.npz': np.savez,
                     'packed.npz': np.savez_compressed}.items():
    file = io.BytesIO()
    save(file, images=images, labels=np.arange(4) % 2,
         classes=np.array(['cat', 'dog']))
    found[name] = file.getvalue()
  return found


def fuzz(tmp, count, examples):
  from msg_gan_jax.data import decode, pictures
  from msg_gan_jax.data.stores import archive, npz
  files = seeds(tmp)

  @given(examples, count.seed, name=st.sampled_from(sorted(files)),
         changes=harms(files), skip=st.booleans())
  def _(name, changes, skip):
    path = tmp / name
    path.write_bytes(harmed(files, name, changes))
    with count.one(r'^config\.data\.\w+: ', f'{name} {changes}'):
      opened = archive.unpack(str(path), str(tmp / 'cache'))
      store = npz.Npz(opened) if npz.is_npz(opened) else archive.Archive(opened)
      found = pictures.Pictures(
          store, decode.Recipe(8, 8, 3, 'center_crop', 'lanczos'),
          'skip' if skip else 'error', str(tmp / 'cache'))
      assert found.images(np.arange(len(found))).dtype == np.uint8
