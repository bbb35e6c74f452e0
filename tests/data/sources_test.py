"""The law of sources: the same pictures are the same, wherever they lie."""
import io
import tarfile
import zipfile

import numpy as np
from PIL import Image
import pytest
import tensorflow_datasets

from msg_gan_jax.config import schema
from msg_gan_jax.data import batches, order, sources

COUNT, CLASSES = 40, ('ant', 'bee', 'cat')
# Counts of images before each batch, and its shape: epochs end inside.
ASKED = ((0, (2, 8)), (16, (2, 8)), (32, (2, 8)), (6, (1, 4)))


def test_a_config_is_opened_as_it_comes():
  config = schema.template()
  config.data.update(dict(name='ring', resolution=1, channels=2, count=8))
  for form in config, config.to_dict(), schema.parse(config):
    assert len(sources.open_source(form).train) == 8
  config.data.name = 'rign'
  with pytest.raises(ValueError, match=r'^config\.data\.name: no source'):
    sources.open_source(config)


def picture(i, mixed):
  shape = (8 + i % 5, 8 + i % 3, 3) if mixed else (8, 8, 3)
  return np.random.default_rng(i).integers(0, 256, shape, np.uint8)


def label(i):
  return i * 7 % 3


def files(mixed):
  """{name: PNG}, sorted within no class and over none."""
  found = {}
  for i in reversed(range(COUNT)):
    out = io.BytesIO()
    Image.fromarray(picture(i, mixed)).save(out, 'png')
    found[f'{CLASSES[label(i)]}/{i:02}.png'] = out.getvalue()
  return found


def in_order():
  """Numbers of the pictures, as a folder of them is sorted."""
  return sorted(range(COUNT), key=lambda i: (label(i), i))


def folder(path, mixed):
  for name, content in files(mixed).items():
    (path / 'set' / name).parent.mkdir(parents=True, exist_ok=True)
    (path / 'set' / name).write_bytes(content)
  return {'name': 'folder', 'path': str(path / 'set')}


def zipped(path, mixed):
  with zipfile.ZipFile(path / 'set.zip', 'w', zipfile.ZIP_DEFLATED) as file:
    for name, content in files(mixed).items():
      file.writestr(name, content)
  return {'name': 'archive', 'path': str(path / 'set.zip')}


def tar(path, mixed, mode='w'):
  with tarfile.open(path / 'set.tar', mode) as file:
    for name, content in files(mixed).items():
      info = tarfile.TarInfo(f'./{name}')
      info.size = len(content)
      file.addfile(info, io.BytesIO(content))
  return {'name': 'archive', 'path': str(path / 'set.tar')}


def tar_gz(path, mixed):
  return tar(path, mixed, 'w:gz')


def npz(path, mixed):
  """Arrays have no order of their own, so they are given the folder's."""
  assert not mixed, 'pictures in one array are of one size'
  np.savez(path / 'set.npz', labels=[label(i) for i in in_order()],
           images=np.stack([picture(i, mixed) for i in in_order()]),
           classes=np.array(CLASSES))
  return {'name': 'archive', 'path': str(path / 'set.npz')}


def array_record(path, mixed):
  """Written by TFDS without TensorFlow; without its shuffling, in our order."""
  core, features = tensorflow_datasets.core, tensorflow_datasets.features
  content = {int(name[4:6]): x for name, x in files(mixed).items()}
  examples = [{'image': io.BytesIO(content[i]), 'label': label(i)}
              for i in in_order()]

  class Written(core.GeneratorBasedBuilder, skip_registration=True):
    __module__ = 'written'  # TFDS would look for the files of a dotted one.
    name = 'written'
    VERSION = core.Version('1.0.0')
    pkg_dir_path = path

    def _info(self):
      return core.DatasetInfo(
          builder=self, disable_shuffling=True,
          features=features.FeaturesDict({
              'image': features.Image(shape=(None, None, 3)),
              'label': features.ClassLabel(names=CLASSES)}))

    def _split_generators(self, _):
      return {'train': enumerate(examples)}

    def _generate_examples(self):
      raise NotImplementedError

  Written(data_dir=path, file_format='array_record').download_and_prepare()
  return {'name': 'tfds', 'dataset': 'written', 'path': str(path)}


# (kind of source, whether sizes are mixed) of each case; every kind is a
# function (path, mixed) -> settings of config.data, which writes the pictures.
CASES = [(zipped, True), (tar, True), (tar_gz, True), (npz, False),
         (array_record, True), (array_record, False)]


def opened(path, settings, **more):
  config = schema.template()
  config.data.update({
      'resolution': 8, 'held_out': 0, 'cache_dir': str(path / 'cache'),
      **settings, **more})
  return sources.open_source(schema.parse(config)).train


@pytest.fixture(scope='module')
def reference(tmp_path_factory):
  """mixed -> (the folder as a source, its batches)."""
  found = {}
  for mixed in (True, False):
    path = tmp_path_factory.mktemp('folder')
    source = opened(path, folder(path, mixed))
    found[mixed] = source, shown(batches.Resident(source, in_turn(source)))
  return found


def in_turn(source):
  return order.Order(len(source), seed=3, mirror=True)


def shown(stream):
  try:
    return [stream.at(*asked) for asked in ASKED]
  finally:
    stream.close()


def assert_same(ours, theirs):
  for a, b in zip(ours, theirs, strict=True):
    np.testing.assert_array_equal(a.images, b.images)
    np.testing.assert_array_equal(a.labels, b.labels)


def test_the_folder_is_the_pictures_in_order(reference):
  source, _ = reference[False]
  assert source.classes == CLASSES
  every = np.arange(COUNT)
  np.testing.assert_array_equal(
      source.images(every), [picture(i, False) for i in in_order()])
  assert source.labels(every).tolist() == [label(i) for i in in_order()]
  assert reference[True][0].notes['different_sizes'] == 15


@pytest.mark.parametrize('case', CASES, ids=lambda case: case[0].__name__)
def test_the_same_pictures_are_the_same_set_and_batches(
    case, tmp_path, reference):
  write, mixed = case
  wanted, batches_of_it = reference[mixed]
  settings = write(tmp_path, mixed)
  source = opened(tmp_path, settings)
  every = np.arange(COUNT)
  assert (len(source), source.classes) == (COUNT, CLASSES)
  assert source.digest() == wanted.digest()
  np.testing.assert_array_equal(source.labels(every), wanted.labels(every))
  np.testing.assert_array_equal(source.images(every), wanted.images(every))
  for note in ('sizes', 'modes', 'decisions', 'per_class', 'widths'):
    assert source.notes[note] == wanted.notes[note]
  assert_same(shown(batches.Resident(source, in_turn(source))), batches_of_it)
  for threads in (1, 4):
    streamed = opened(tmp_path, settings, cache_gb=0., threads=threads)
    assert streamed.notes['kept'] == 'streamed from the files'
    for one in (source, streamed):
      assert_same(shown(batches.Streamed(one, in_turn(one), threads)),
                  batches_of_it)


@pytest.mark.parametrize('name', sources.DRAWN)
def test_what_draws_pictures_needs_only_its_settings(name):
  drawn = sources.DRAWN[name]
  points = {} if drawn.settings or name == 'avatars' else {
      'resolution': 1, 'channels': 2}
  found = sources.SOURCES[name](schema.Data(
      name=name, count=3, held_out=2, **drawn.settings, **points))
  assert (len(found.train), len(found.held_out)) == (3, 2)
  assert set(drawn.factors) <= set(found.train.factors(np.arange(3)))
