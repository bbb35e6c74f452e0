"""Laws of the Hugging Face source, on what its library saves, and offline."""
import email.message
import io
import os
import shutil
import socket
import ssl
import sys
import time
import urllib.error

import datasets
from helpers import whole
import numpy as np
from PIL import Image
import pyarrow.parquet
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.stores import huggingface


def picture(seed):
  return np.random.default_rng(seed).integers(0, 256, (8, 9, 3), np.uint8)


def png(seed):
  file = io.BytesIO()
  Image.fromarray(picture(seed)).save(file, 'PNG')
  return {'bytes': file.getvalue(), 'path': None}


def rows(numbers, labels=None, image='image', label='label', **more):
  """A datasets.Dataset; more: {column: (feature, values)}."""
  numbers = list(numbers)
  labels = [i % 2 for i in numbers] if labels is None else labels
  columns = {image: (datasets.Image(), [png(i) for i in numbers]),
             label: (datasets.ClassLabel(names=['cat', 'dog']), labels), **more}
  return datasets.Dataset.from_dict(
      {name: values for name, (_, values) in columns.items()},
      features=datasets.Features(
          {name: kind for name, (kind, _) in columns.items()}))


def unlabelled(**columns):
  """A datasets.Dataset of three pictures; {column: (dtype, values)}."""
  return datasets.Dataset.from_dict(
      {'image': [png(i) for i in range(3)],
       **{name: values for name, (_, values) in columns.items()}},
      features=datasets.Features({
          'image': datasets.Image(), **{name: datasets.Value(dtype) for name, (
              dtype, _) in columns.items()}}))


@pytest.fixture
def saved(tmp_path):
  """A folder of save_to_disk: 12 to train on, 4 to test."""
  both = datasets.DatasetDict({'train': rows(range(12)),
                               'test': rows(range(12, 16))})
  both.save_to_disk(tmp_path / 'pets')
  return tmp_path / 'pets'


@pytest.fixture
def parquet(tmp_path):
  """A folder of parquet files of the same."""
  (tmp_path / 'parquet' / 'data').mkdir(parents=True)
  for name, numbers in (('train-00000-of-00002', range(7)),
                        ('train-00001-of-00002', range(7, 12)),
                        ('test-00000-of-00001', range(12, 16))):
    rows(numbers).to_parquet(tmp_path / 'parquet' / 'data' / f'{name}.parquet')
  return tmp_path / 'parquet'


@pytest.fixture
def opened(tmp_path):
  """(path, **settings of data) -> source of all its pictures."""
  def opened(path, **settings):
    config = schema.template()
    config.data.update({
        'name': 'huggingface', 'path': str(path), 'resolution': 8,
        'held_out': 0, 'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config)).train
  return opened


CROPPED = np.stack([picture(i)[:, :8] for i in range(16)])


# What is read.


@pytest.mark.parametrize('way', ['saved', 'parquet'])
def test_pictures_labels_and_classes_are_those_of_the_rows(
    way, opened, request):
  root = request.getfixturevalue(way)
  found = opened(root)
  assert isinstance(found, Source)
  assert (len(found), found.shape, found.name) == (12, (8, 8, 3), root.name)
  assert found.classes == ('cat', 'dog')
  assert found.labels(np.arange(12)).tolist() == [0, 1] * 6
  np.testing.assert_array_equal(whole(found), CROPPED[:12])
  test = opened(root, split='test')
  np.testing.assert_array_equal(whole(test), CROPPED[12:])
  assert test.labels(np.arange(4)).tolist() == [0, 1, 0, 1]


def test_ways_to_lie_on_disk_have_the_same_pictures(
    saved, parquet, tmp_path, opened):
  rows(range(12)).save_to_disk(tmp_path / 'one')
  assert len({opened(path).digest()
              for path in (saved, parquet, tmp_path / 'one')}) == 1


def test_of_parquet_files_a_split_is_any_expression(parquet, opened):
  np.testing.assert_array_equal(
      whole(opened(parquet, split='train[3:5]')), CROPPED[3:5])
  found = opened(parquet, split='train[6:]+test')
  assert found.labels(np.arange(10)).tolist() == [0, 1] * 5


def test_pictures_may_lie_in_files_of_their_own(tmp_path, opened):
  paths = []
  for i in range(3):
    paths.append(str(tmp_path / f'{i}.png'))
    Image.fromarray(picture(i)).save(paths[i])
  kept = rows(range(3)).remove_columns('image').add_column(
      'image', [{'bytes': None, 'path': path} for path in paths])
  kept.cast_column('image', datasets.Image()).save_to_disk(
      tmp_path / 'set', max_shard_size='1GB')
  np.testing.assert_array_equal(whole(opened(tmp_path / 'set')), CROPPED[:3])


def test_a_picture_in_a_file_of_its_own_that_changes_is_read_anew(
    tmp_path, opened):
  (tmp_path / 'set').mkdir()
  paths = [str(tmp_path / 'set' / f'{i}.png') for i in range(3)]
  for i, path in enumerate(paths):
    Image.fromarray(picture(i)).save(path)
    os.utime(path, ns=(5, 5))
  table = rows(range(3)).remove_columns('image').add_column(
      'image', [{'bytes': None, 'path': path} for path in paths]).cast_column(
          'image', datasets.Image()).data.table
  # By pyarrow: the library itself would put the files into its own.
  pyarrow.parquet.write_table(table, tmp_path / 'set' / 'train.parquet')
  streamed = opened(tmp_path / 'set', cache_gb=0.).digest()
  np.testing.assert_array_equal(whole(opened(tmp_path / 'set')), CROPPED[:3])
  Image.fromarray(picture(7)).save(paths[1])
  np.testing.assert_array_equal(
      whole(opened(tmp_path / 'set')), CROPPED[[0, 7, 2]])
  assert opened(tmp_path / 'set', cache_gb=0.).digest() != streamed
  shutil.move(paths[1], tmp_path)
  os.symlink(tmp_path / '1.png', paths[1])
  with pytest.raises(ValueError, match='outside of it. .*follow_links=True'):
    opened(tmp_path / 'set')
  opened(tmp_path / 'set', follow_links=True)
  os.remove(paths[1])
  with pytest.raises(ValueError, match=(
      r"cannot read '.*set: train\[1\]': .*No such file")):
    opened(tmp_path / 'set')


@pytest.mark.parametrize('kind, values, classes, numbers', [
    ('int64', [2, 0, 1], ('0', '1', '2'), [2, 0, 1]),
    ('uint8', [1, 1, 0], ('0', '1'), [1, 1, 0]),
    ('int8', [-1, 1, -1], ('-1', '1'), [0, 1, 0]),
    ('bool', [True, False, True], ('false', 'true'), [1, 0, 1]),
    ('string', ['dog', 'cat', 'dog'], ('cat', 'dog'), [1, 0, 1]),
    ('large_string', ['1', '01', '1'], ('01', '1'), [1, 0, 1]),
])
@pytest.mark.parametrize('name', ['label', 'style'])
def test_a_column_of_numbers_or_texts_is_the_label_if_it_is_called_so(
    name, kind, values, classes, numbers, tmp_path, opened):
  unlabelled(**{name: (kind, values)}).save_to_disk(tmp_path / 'set')
  found = opened(tmp_path / 'set', label='' if name == 'label' else name)
  assert found.classes == classes
  assert found.labels(np.arange(3)).tolist() == numbers
  assert found.notes['label'] == name
  assert 'other_features' not in found.notes


def test_columns_that_are_no_label_are_said(tmp_path, opened):
  unlabelled(style=('string', list('abc')), size=('float32', [1., 2., 3.])
             ).save_to_disk(tmp_path / 'set')
  found = opened(tmp_path / 'set')
  assert found.classes == () and 'label' not in found.notes
  assert found.notes['other_features'] == {'style': 'string',
                                           'size': 'float32'}
  with pytest.raises(ValueError, match=(
      r"^config\.data\.label: '.*set' has no class label 'styl'; did you mean "
      r"'style'\? Known: style\.")):
    opened(tmp_path / 'set', label='styl')


@pytest.mark.parametrize('values, said', [
    ([-1, -1, -1], "'label' is unknown for 3 pictures: none is used"),
    ([0, None, 1], "'label' is unknown for 1 pictures: none is used"),
    ([0, 5, 123456], "the label of '2' is 123456; wanted classes, numbered "
     'from 0 to at most 99,999. None is used')])
def test_a_column_called_label_that_is_none_is_said_and_not_used(
    values, said, tmp_path, opened):
  unlabelled(label=('int64', values)).save_to_disk(tmp_path / 'set')
  found = opened(tmp_path / 'set')
  assert found.classes == () and not found.labels(np.arange(3)).any()
  assert found.notes['label'].endswith(said)
  if 'unknown' not in said:
    with pytest.raises(ValueError, match=(
        r"^config\.data\.label: 'label' of '.*set': the label of '2' is")):
      opened(tmp_path / 'set', label='label')


def test_columns_of_other_names_are_found_and_others_are_not_read(
    tmp_path, opened):
  broken = {'bytes': b'broken', 'path': None}
  rows(range(3), [1, 1, 0], image='photo', label='kind',
       text=(datasets.Value('string'), list('abc'))).save_to_disk(
           tmp_path / 'odd')
  found = opened(tmp_path / 'odd')
  assert found.labels(np.arange(3)).tolist() == [1, 1, 0]
  assert found.notes['label'] == 'kind'
  two = rows(range(3), label='a', mask=(datasets.Image(), [broken] * 3),
             b=(datasets.ClassLabel(num_classes=2), [1, 1, 0]))
  two.save_to_disk(tmp_path / 'two')
  assert opened(tmp_path / 'two').classes == ()
  found = opened(tmp_path / 'two', label='b')
  assert found.labels(np.arange(3)).tolist() == [1, 1, 0]
  assert found.classes == ('0', '1')
  np.testing.assert_array_equal(whole(found), CROPPED[:3])


@pytest.mark.parametrize('unknown', [None, -1])
def test_unknown_labels_are_no_labels(unknown, tmp_path, opened):
  rows(range(3), [0, unknown, 1]).save_to_disk(tmp_path / 'set')
  found = opened(tmp_path / 'set')
  assert found.classes == () and not found.labels(np.arange(3)).any()
  assert found.notes['label'] == (
      "'label' is unknown for 1 pictures: none is used")


def test_a_broken_picture_is_found_again(tmp_path, opened):
  values = [png(0), {'bytes': png(1)['bytes'][:-60], 'path': None}, png(2)]
  rows(range(3), image='old').remove_columns('old').add_column(
      'image', values).cast_column('image', datasets.Image()).save_to_disk(
          tmp_path / 'set')
  with pytest.raises(ValueError, match=(
      r"config\.data\.path: cannot read '.*set: train\[1\]': image file is "
      'truncated')):
    opened(tmp_path / 'set')
  assert len(opened(tmp_path / 'set', on_bad='skip')) == 2


def test_any_number_of_threads_may_read(saved, opened, read_by_many):
  read_by_many(opened(saved, cache_gb=0., threads=2), CROPPED[:12])


def test_a_set_that_was_saved_anew_is_read_anew(tmp_path, opened):
  digests = set()
  for name in ('train', 'anew'):
    folder = tmp_path / 'set'
    rows(range(3) if name == 'train' else range(3, 6)).save_to_disk(folder)
    digests.add(opened(folder).digest())
  assert len(digests) == 2


# The Hub.


@pytest.fixture
def online(monkeypatch):
  monkeypatch.setattr(huggingface, '_reachable', lambda _: True)


def test_the_name_its_config_and_its_split_reach_the_library(
    opened, tmp_path, monkeypatch, online):
  asked = []

  def load(name, config, *, split, cache_dir):
    asked.append((name, config, split, cache_dir))
    return rows(range(3))
  monkeypatch.setattr(datasets, 'load_dataset', load)
  found = opened('', dataset='user/pets')
  opened('', dataset='user/pets:small', split='test', cache_dir='')
  assert asked == [
      ('user/pets', None, 'train', str(tmp_path / 'cache' / 'huggingface')),
      ('user/pets', 'small', 'test', None)]
  assert found.name == 'user/pets'
  np.testing.assert_array_equal(whole(found), CROPPED[:3])


@pytest.mark.parametrize('error, said', [
    (ConnectionError('Could not reach the Hub'),
     r"dataset: 'user/pets' cannot be reached: Could not reach the Hub\. "
     r'Without a network: .*save_to_disk, and set config\.data\.path'),
    (datasets.exceptions.DatasetNotFoundError("no 'user/pets' on the Hub"),
     "dataset: no 'user/pets' on the Hub"),
    (ValueError("BuilderConfig 'a' not found. Available: ['b']"),
     r"dataset: 'user/pets': BuilderConfig 'a' not found\. Available: \['b'\]"),
    (ValueError("Unknown split 'a'. Should be one of ['b']"),
     r"split: 'train' of 'user/pets': Unknown split 'a'\. Should be one of \["),
])
def test_what_the_hub_refuses_is_said(
    error, said, opened, monkeypatch, online):
  def load(*_, **__):
    raise error
  monkeypatch.setattr(datasets, 'load_dataset', load)
  with pytest.raises(ValueError, match=rf'^config\.data\.{said}'):
    opened('', dataset='user/pets')


def test_without_a_network_the_library_itself_gives_our_error(
    opened, monkeypatch):
  monkeypatch.setattr(datasets.config, 'HF_HUB_OFFLINE', True)
  monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
  with pytest.raises(ValueError, match=(
      r"^config\.data\.dataset: 'user/pets' cannot be reached: ")):
    opened('', dataset='user/pets')


def test_a_hub_that_does_not_answer_is_not_asked_again_and_again(
    opened, monkeypatch, capfd):
  """The library alone asks for 24 s, and warns of each time."""
  with socket.socket() as held:  # A port at which nobody listens.
    held.bind(('127.0.0.1', 0))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    monkeypatch.setattr(datasets.config, 'HF_ENDPOINT',
                        f'http://127.0.0.1:{held.getsockname()[1]}')
    start = time.monotonic()
    with pytest.raises(ValueError, match=(
        r"^config\.data\.dataset: 'user/pets' cannot be reached: ")):
      opened('', dataset='user/pets')
  assert time.monotonic() - start < 5
  assert 'Retrying' not in capfd.readouterr().err
  assert not datasets.config.HF_HUB_OFFLINE


def test_without_an_answer_the_library_takes_what_it_has(opened, monkeypatch):
  seen = []

  def load(*_, **__):
    seen.append(datasets.config.HF_HUB_OFFLINE)
    return rows(range(3))
  monkeypatch.setattr(datasets, 'load_dataset', load)
  for reachable in (False, True):
    monkeypatch.setattr(huggingface, '_reachable', lambda _, r=reachable: r)
    assert len(opened('', dataset='user/pets')) == 3
  assert seen == [True, False]


@pytest.mark.parametrize('error, reachable', [
    (urllib.error.HTTPError('x', 403, '', email.message.Message(), None), True),
    (urllib.error.URLError(ssl.SSLCertVerificationError()), True),
    (urllib.error.URLError(ConnectionRefusedError()), False),
    (urllib.error.URLError(socket.gaierror()), False),
    (TimeoutError(), False)])
def test_whoever_answers_in_any_way_is_reachable(
    error, reachable, monkeypatch):
  def urlopen(*_, **__):
    raise error
  monkeypatch.setattr(huggingface.urllib.request, 'urlopen', urlopen)
  assert huggingface._reachable(datasets) == reachable


# Refused, each with its own text.


@pytest.mark.parametrize('way, settings, said', [
    ('saved', {'split': 'tset'}, "split: no split 'tset' in '.*pets'; did you "
     "mean 'test'"),
    ('parquet', {'split': 'tset'}, """split: 'tset' of '.*parquet': .*tset"""),
    ('saved', {'label': 'lable'}, "label: '.*pets' has no class label 'lable'; "
     "did you mean 'label'"),
    ('saved', {'dataset': 'user/pets'}, "dataset: 'user/pets', and config.data."
     "path: '.*'; wanted one of the two"),
    ('saved', {'path': ''}, "dataset: '', and config.data.path: ''"),
    ('saved', {'path': '/no/where'}, "path: no folder '/no/where'"),
    ('saved', {'label_file': 'a.csv'}, "label_file: 'a.csv' means nothing"),
])
def test_every_wrong_setting_has_its_own_text(
    way, settings, said, opened, request):
  root = request.getfixturevalue(way)
  with pytest.raises(ValueError, match=rf'^config\.data\.{said}'):
    opened(settings.pop('path', root), **settings)


def test_a_folder_of_something_else_is_refused(tmp_path, opened):
  (tmp_path / 'set').mkdir()
  (tmp_path / 'set' / 'a.png').write_bytes(b'')
  with pytest.raises(ValueError, match=(
      r"'.*set' was not written by save_to_disk, and has no \.parquet files\. "
      r"For files of pictures set config\.data\.name='folder'")):
    opened(tmp_path / 'set')


def test_a_saved_split_is_that_one(tmp_path, opened):
  rows(range(3)).save_to_disk(tmp_path / 'one')
  with pytest.raises(ValueError, match=(
      r"config\.data\.split: 'test'; '.*one' holds only 'train'")):
    opened(tmp_path / 'one', split='test')


def test_a_set_without_one_picture_a_row_says_what_it_has(tmp_path, opened):
  words = rows(range(3), text=(datasets.Value('string'), list('abc')))
  words.remove_columns('image').save_to_disk(tmp_path / 'words')
  with pytest.raises(ValueError, match=(
      r"'.*words' has no picture; its features are label, text\.")):
    opened(tmp_path / 'words')


def test_without_the_package_it_says_how_to_install_it(
    saved, opened, monkeypatch):
  monkeypatch.setitem(sys.modules, 'datasets', None)
  with pytest.raises(ValueError, match=(
      r"config\.data\.name: 'huggingface' needs datasets, which does not "
      r"import: .*Run: pip install datasets")):
    opened(saved)
