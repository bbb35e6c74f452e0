"""Laws of TFDS as a source: prepared sets by index, without TensorFlow."""
import io
import json
import os
import shutil
import sys

from helpers import whole
import numpy as np
from PIL import Image
import pytest
import tensorflow_datasets

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.stores import tfds, tfds_prepared


def picture(seed):
  return np.random.default_rng(seed).integers(0, 256, (8, 9, 3), np.uint8)


def png(seed):
  file = io.BytesIO()
  Image.fromarray(picture(seed)).save(file, 'PNG')
  return file.getvalue()


def feature(kind, **options):
  return getattr(tensorflow_datasets.features, kind)(**options)


def write(data_dir, dataset, features, examples, config=None, version='1.0.0'):
  """A set of our own, in the way of TFDS; bytes need no TensorFlow."""
  core = tensorflow_datasets.core
  configs = [core.BuilderConfig(name=config)] if config else []

  class Written(core.GeneratorBasedBuilder, skip_registration=True):
    __module__ = 'written'  # TFDS would look for the files of a dotted one.
    name = dataset
    VERSION = core.Version(version)
    BUILDER_CONFIGS = configs
    pkg_dir_path = data_dir

    def _info(self):
      return core.DatasetInfo(
          builder=self, features=feature('FeaturesDict', feature_dict=features))

    def _split_generators(self, _):
      return {split: enumerate(rows) for split, rows in examples.items()}

    def _generate_examples(self):
      raise NotImplementedError

  Written(data_dir=data_dir, file_format='array_record').download_and_prepare()


def labelled(labels):
  return [{'image': io.BytesIO(png(i)), 'label': label}
          for i, label in enumerate(labels)]


PETS = {'image': feature('Image', shape=(None, None, 3)),
        'label': feature('ClassLabel', names=['cat', 'dog'])}


@pytest.fixture(scope='module')
def written(tmp_path_factory):
  """A data_dir with the set that most laws look at: 12 to train on, 4."""
  root = tmp_path_factory.mktemp('tfds')
  write(root, 'pets', PETS, {
      'train': labelled([i % 2 for i in range(12)]),
      'test': labelled([1] * 4)})
  return root


@pytest.fixture
def root(written, tmp_path):
  """A copy of it, to change."""
  return shutil.copytree(written, tmp_path / 'tfds')


@pytest.fixture
def opened(tmp_path):
  """(path, **settings of data) -> source of all its pictures."""
  def opened(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'tfds', 'path': str(path), 'dataset': 'pets', 'resolution': 8,
        'held_out': 0, 'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config)).train
  return opened


def by_label(source):
  """{label: set of pictures}; TFDS shuffles what it writes."""
  found = {}
  for i in range(len(source)):
    label = int(source.labels(np.array([i]))[0])
    found.setdefault(label, set()).add(
        source.images(np.array([i])).tobytes())
  return found


# What is read.


def test_pictures_are_those_of_a_folder_of_the_same_files(
    written, tmp_path, opened):
  before = 'tensorflow' in sys.modules
  found = opened(written)
  assert isinstance(found, Source)
  assert (len(found), found.shape, found.name) == (12, (8, 8, 3), 'pets/1.0.0')
  assert found.classes == ('cat', 'dog')
  assert found.notes['per_class'] == {'cat': 6, 'dog': 6}
  assert found.notes['decisions'] == {'cropped to the middle square': 12}
  for i in range(12):
    path = tmp_path / 'set' / ('cat', 'dog')[i % 2] / f'{i}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(i))
  assert by_label(found) == by_label(opened(
      tmp_path / 'set', name='folder', dataset=''))
  assert ('tensorflow' in sys.modules) == before


@pytest.mark.parametrize('split, count', [
    ('test', 4), ('train[:3]', 3), ('train[50%:]', 6), ('train+test', 16),
    ('all', 16)])
def test_a_split_is_any_expression(split, count, written, opened):
  assert len(opened(written, split=split)) == count


def test_parts_of_a_split_are_disjoint(written, opened):
  parts = [opened(written, split=s) for s in ('train[:5]', 'train[5:]')]
  rows = [x.tobytes() for part in parts for x in whole(part)]
  assert len(set(rows)) == 12
  assert parts[0].digest() != parts[1].digest()


def test_the_default_place_is_that_of_tfds(written, opened, monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', str(written))
  assert len(opened('')) == 12
  monkeypatch.delenv('TFDS_DATA_DIR')
  monkeypatch.setenv('HOME', str(written))
  assert tfds_prepared.data_dir() == f'{written}/tensorflow_datasets'


def test_the_newest_version_and_a_named_one(root, opened):
  pets = root / 'pets'
  for version in ('1.10.0', '1.9.0'):
    shutil.copytree(pets / '1.0.0', pets / version)
    about = json.loads((pets / version / 'dataset_info.json').read_text())
    (pets / version / 'dataset_info.json').write_text(
        json.dumps({**about, 'version': version}))
  (pets / '2.0.0.incompleteAB').mkdir()
  assert opened(root).name == 'pets/1.10.0'
  assert opened(root, dataset='pets:1.9.0').name == 'pets/1.9.0'
  with pytest.raises(ValueError, match=(
      r"config\.data\.dataset: no 'pets:3\.0\.0' in '.*', but pets:1\.0\.0, "
      r'pets:1\.10\.0, pets:1\.9\.0\. To prepare')):
    opened(root, dataset='pets:3.0.0')


def test_a_config_is_named_or_the_only_one(tmp_path, opened):
  for config in ('small', 'large'):
    write(tmp_path, 'beasts', PETS, {'train': labelled([0, 1, 1])}, config)
    if config == 'small':
      assert len(opened(tmp_path, dataset='beasts')) == 3
  assert opened(tmp_path, dataset='beasts/large').name == 'beasts/large/1.0.0'
  assert len(opened(tmp_path, dataset='beasts/small:1.0.0')) == 3
  with pytest.raises(ValueError, match=(
      r"'beasts' is prepared in several forms; wanted one of "
      r'beasts/large:1\.0\.0, beasts/small:1\.0\.0')):
    opened(tmp_path, dataset='beasts')
  with pytest.raises(ValueError, match=r"no 'beasts/huge' .* but beasts/large"):
    opened(tmp_path, dataset='beasts/huge')


def test_features_of_other_names_are_found_and_others_are_not_decoded(
    tmp_path, opened):
  write(tmp_path, 'odd', {
      'photo': feature('Image'), 'name': feature('Text'),
      'kind': feature('ClassLabel', num_classes=3)}, {'train': [
          {'photo': io.BytesIO(png(i)), 'name': 'x', 'kind': 2}
          for i in range(3)]})
  found = opened(tmp_path, dataset='odd')
  assert found.labels(np.arange(3)).tolist() == [2, 2, 2]
  assert found.classes == ('0', '1', '2') and found.notes['label'] == 'kind'
  assert {x.tobytes() for x in whole(found)} == {
      np.ascontiguousarray(picture(i)[:, :8]).tobytes() for i in range(3)}
  write(tmp_path, 'two', {
      'image': feature('Image'), 'mask': feature('Image'),
      'a': feature('ClassLabel', num_classes=2),
      'b': feature('ClassLabel', num_classes=2)}, {'train': [
          {'image': io.BytesIO(png(i)), 'mask': io.BytesIO(b'broken'), 'a': 0,
           'b': 1} for i in range(3)]})
  found = opened(tmp_path, dataset='two')
  assert found.classes == () and len(found) == 3
  found = opened(tmp_path, dataset='two', label='b')
  assert found.labels(np.arange(3)).tolist() == [1, 1, 1]


@pytest.mark.parametrize('kind, options, values, classes, numbers', [
    ('Scalar', {'dtype': np.int64}, [2, 0, 2], ('0', '1', '2'), {0: 1, 2: 2}),
    ('Scalar', {'dtype': np.bool_}, [True, False, True], ('false', 'true'),
     {0: 1, 1: 2}),
    ('Text', {}, ['dog', 'cat', 'dog'], ('cat', 'dog'), {0: 1, 1: 2})])
@pytest.mark.parametrize('name', ['label', 'style'])
def test_a_feature_of_numbers_or_texts_is_the_label_if_it_is_called_so(
    name, kind, options, values, classes, numbers, tmp_path, opened):
  write(tmp_path, 'odd', {'image': feature('Image'),
                          name: feature(kind, **options)}, {'train': [
      {'image': io.BytesIO(png(i)), name: value}
      for i, value in enumerate(values)]})
  found = opened(tmp_path, dataset='odd',
                 label='' if name == 'label' else name)
  assert found.classes == classes and found.notes['label'] == name
  assert {k: len(v) for k, v in by_label(found).items()} == numbers


def test_an_attribute_in_a_dict_is_the_label_if_it_is_named(tmp_path, opened):
  """As in CelebA, whose 40 are in `attributes`."""
  write(tmp_path, 'faces', {
      'image': feature('Image'), 'attributes': {
          'Smiling': feature('Scalar', dtype=np.bool_),
          'hair': feature('ClassLabel', names=['bald', 'long', 'short'])}},
      {'train': [{'image': io.BytesIO(png(i)),
                  'attributes': {'Smiling': i != 1, 'hair': 2}}
                 for i in range(3)]})
  found = opened(tmp_path, dataset='faces')
  assert found.classes == () and 'label' not in found.notes
  assert found.notes['other_features'] == {
      'attributes': 'FeaturesDict Smiling, hair'}
  found = opened(tmp_path, dataset='faces', label='attributes/Smiling')
  assert found.classes == ('false', 'true')
  assert sorted(found.labels(np.arange(3)).tolist()) == [0, 1, 1]
  found = opened(tmp_path, dataset='faces', label='attributes/hair')
  assert found.classes == ('bald', 'long', 'short')
  assert found.labels(np.arange(3)).tolist() == [2, 2, 2]
  with pytest.raises(ValueError, match=(
      "has no class label 'attributes/Smilin'; did you mean 'attributes/Smil")):
    opened(tmp_path, dataset='faces', label='attributes/Smilin')


def test_unknown_labels_are_no_labels(tmp_path, opened):
  write(tmp_path, 'pets', PETS, {'test': labelled([-1, -1, 1])})
  found = opened(tmp_path, split='test')
  assert found.classes == () and not found.labels(np.arange(3)).any()
  assert found.notes['label'] == (
      "'label' is unknown for 2 pictures: none is used")


def test_a_broken_picture_is_found_again(tmp_path, opened):
  rows = labelled([0, 1, 1])
  rows[1]['image'] = io.BytesIO(png(1)[:-60])
  write(tmp_path, 'pets', PETS, {'train': rows})
  with pytest.raises(ValueError, match=(
      r"config\.data\.path: cannot read '.*pets/1\.0\.0: train\[\d\]': image")):
    opened(tmp_path)
  assert len(opened(tmp_path, on_bad='skip')) == 2


def test_a_damaged_file_is_named(root, opened):
  path, = (root / 'pets' / '1.0.0').glob('*train.array_record*')
  path.write_bytes(path.read_bytes()[:1000])
  with pytest.raises(ValueError, match=(
      r"config\.data\.path: cannot read '.*pets/1\.0\.0: train\[0\]': "
      r'(.|\n)*Prepare it anew')):
    opened(root)


# Once, and by threads.


def test_the_second_start_reads_no_record(written, opened, monkeypatch):
  first = opened(written)
  monkeypatch.setattr(tfds.Tfds, 'read', None)
  monkeypatch.setattr(tfds.listing, 'bar', None)
  second = opened(written)
  assert first.digest() == second.digest() and first.notes == second.notes
  np.testing.assert_array_equal(
      first.labels(np.arange(12)), second.labels(np.arange(12)))


def test_a_set_that_was_prepared_anew_is_read_anew(root, tmp_path, opened):
  first = opened(root)
  shutil.rmtree(root / 'pets')
  write(root, 'pets', PETS, {'train': labelled([1] * 12)})
  second = opened(root)
  assert second.notes['per_class'] == {'cat': 0, 'dog': 12}
  assert first.digest() != second.digest()


def test_a_cache_that_takes_nothing_costs_only_time(
    written, tmp_path, opened, capfd):
  (tmp_path / 'cache').write_text('a file')
  assert opened(written).notes['per_class'] == {'cat': 6, 'dog': 6}
  assert 'config.data.cache_dir' in capfd.readouterr().err


def test_any_number_of_threads_may_read(written, opened, read_by_many):
  streamed = opened(written, cache_gb=0., threads=2)
  read_by_many(streamed, whole(opened(written)))


# Refused, each with its own text.


def test_a_set_that_is_not_prepared_says_the_commands(tmp_path, opened):
  with pytest.raises(ValueError) as error:
    opened(tmp_path, dataset='cifar10')
  assert str(error.value) == (
      f"config.data.dataset: 'cifar10' is not prepared in '{tmp_path}'. To "
      'prepare it takes TensorFlow once, in any environment:\n'
      '  pip install tensorflow-cpu tensorflow-datasets\n'
      '  python -c "import tensorflow_datasets as tfds; '
      f"tfds.builder('cifar10', data_dir='{tmp_path}', "
      'file_format=\'array_record\').download_and_prepare()"')


def test_the_command_for_the_default_place_does_not_name_it(
    tmp_path, opened, monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path))
  with pytest.raises(ValueError, match=(
      r"tfds\.builder\('celeb_a_hq/256', file_format='array_record'\)\.down")):
    opened('', dataset='celeb_a_hq/256')


def test_a_set_for_tensorflow_only_says_the_commands(root, opened):
  path = root / 'pets' / '1.0.0' / 'dataset_info.json'
  path.write_text(path.read_text().replace('array_record"', 'tfrecord"', 1))
  with pytest.raises(ValueError, match=(
      rf"'pets' is prepared in {root}/pets/1\.0\.0 as tfrecord, which only "
      rf"TensorFlow reads\. To prepare(.|\n)*data_dir='{root}_array_record'"
      rf"(.|\n)*Then set config\.data\.path to '{root}_array_record'")):
    opened(root)


@pytest.mark.parametrize('settings, said', [
    ({'dataset': 'cifr10'},
     r"dataset: no data set 'cifr10'; did you mean 'cifar10.*\? In '.*': pets; "
     r'TFDS can prepare \d+ more'),
    ({'dataset': 'pet'}, r"dataset: no data set 'pet'; did you mean 'pets'"),
    ({'dataset': ''}, "dataset: ''; wanted a set of TFDS, such as cifar10"),
    ({'dataset': 'a b'}, "dataset: 'a b'; wanted a set of TFDS"),
    ({'split': 'tset'}, r"split: 'tset' of 'pets': .*Did you mean 'test'\? "
     r"Known: test, train, and expressions such as 'test\[:10%\]'"),
    ({'split': 'train['}, r"split: 'train\[' of 'pets': .*Known: test, train"),
    ({'split': 'train[5:5]'}, r"split: 'train\[5:5\]' of 'pets': it is empty"),
    ({'label': 'labl'}, r"label: 'pets' has no class label 'labl'; did you "
     r"mean 'label'\? Known: label"),
    ({'label_file': 'a.csv'}, "label_file: 'a.csv' means nothing to config"),
])
def test_every_wrong_setting_has_its_own_text(
    settings, said, written, opened):
  with pytest.raises(ValueError, match=rf'^config\.data\.{said}'):
    opened(written, **settings)


def test_a_set_without_one_picture_a_row_says_what_it_has(tmp_path, opened):
  write(tmp_path, 'words', {'text': feature('Text')},
        {'train': [{'text': 'a'}]})
  with pytest.raises(ValueError, match=(
      r"dataset: 'words' has no picture; its features are text\.")):
    opened(tmp_path, dataset='words')
  write(tmp_path, 'pairs', {'a': feature('Image'), 'b': feature('Image')},
        {'train': [{'a': io.BytesIO(png(0)), 'b': io.BytesIO(png(1))}]})
  with pytest.raises(ValueError, match=(
      r"'pairs' has several pictures, none named 'image'; its features are "
      r'a, b\.')):
    opened(tmp_path, dataset='pairs')
  write(tmp_path, 'only', {'image': feature('Image')},
        {'train': [{'image': io.BytesIO(png(0))}]})
  with pytest.raises(ValueError, match="'kind'; It has none at all"):
    opened(tmp_path, dataset='only', label='kind')


def test_without_the_package_it_says_how_to_install_it(
    written, opened, monkeypatch):
  monkeypatch.setitem(sys.modules, 'tensorflow_datasets', None)
  with pytest.raises(ValueError, match=(
      r"config\.data\.name: 'tfds' needs tensorflow_datasets, which does not "
      r"import: .*Run: pip install tensorflow-datasets")):
    opened(written)


def test_no_file_is_touched(written, opened):
  def seen():
    return {path: os.stat(path).st_mtime_ns
            for folder, _, names in os.walk(written)
            for path in [folder, *(os.path.join(folder, n) for n in names)]}
  before = seen()
  opened(written)
  assert seen() == before
