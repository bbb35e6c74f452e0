"""Laws of label files: every picture gets one label, or a name is said."""
import json

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.data.stores import folder

NAMES = ('a.png', 'b.png', 'sub/c.png')


@pytest.fixture
def root(tmp_path):
  """Three pictures; without a label file, loose ones beside a folder."""
  for i, name in enumerate(NAMES):
    path = tmp_path / 'set' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('L', (4, 4), i).save(path)
  return tmp_path / 'set'


@pytest.fixture
def label(root):
  """(content, **settings) -> (classes, labels, notes) by a file inside."""
  def label(content, name='labels.csv', column=''):
    if not isinstance(content, str | bytes):
      content = json.dumps(content)
    if isinstance(content, str):
      content = content.encode()
    (root / name).write_bytes(content)
    found = folder.Folder(str(root), name, column)
    assert found.names == list(NAMES)
    json.dumps(found.notes)
    return found.classes, found.labels.tolist(), found.notes
  return label


CAT_DOG = ('cat', 'dog'), [1, 0, 0]


@pytest.mark.parametrize('name, content', [
    ('x.csv', 'file,label\na.png,dog\nb.png,cat\nsub/c.png,cat\n'),
    ('x.csv', 'a.png,dog\nb.png,cat\nsub/c.png,cat'),
    ('x.csv', '\ufefffile;animal\r\na.png;dog\r\nb.png;cat\r\n\r\n'
              'sub\\c.png; cat\r\n'),
    ('x.tsv', 'animal\tfile\ndog\ta.png\ncat\tb.png\ncat\t./sub/c.png\n'),
    ('x.txt', 'id,class,file\n7,dog,a.png\n8,cat,b.png\n9,cat,sub/c.png\n'),
    ('x.csv', 'file,label\n"a.png","dog"\nb.png,cat\nc.png,cat\n'),
    ('x.json', '{"a.png": "dog", "b.png": "cat", "sub/c.png": "cat"}'),
    ('x.json', '[{"file_name": "a.png", "label": "dog"}, {"file_name": "b.png",'
               ' "label": "cat"}, {"file_name": "c.png", "label": "cat"}]'),
    ('x.jsonl', '{"path": "a.png", "class": "dog", "n": 1}\n\n{"path": "b.png",'
                '"class": "cat"}\n{"path": "sub/c.png", "class": "cat"}\n'),
    ('dataset.json', '{"labels": [["a.png", "dog"], ["b.png", "cat"], '
                     '["sub\\\\c.png", "cat"]], "more": 1}'),
])
def test_every_way_to_list_labels_says_the_same(name, content, label):
  assert label(content, name)[:2] == CAT_DOG


def test_utf_16_is_read_by_its_mark(label):
  text = 'file\tlabel\na.png\tdog\nb.png\tcat\nsub/c.png\tcat\n'
  assert label(text.encode('utf-16'))[:2] == CAT_DOG


@pytest.mark.parametrize('values, wanted', [
    ((0, 6, 2), (tuple('0123456'), [0, 6, 2])),
    ((-1, 1, 1), (('-1', '1'), [0, 1, 1])),
    ((-1, -1, -1), (('-1', '1'), [0, 0, 0])),
    ((True, False, True), (('false', 'true'), [1, 0, 1])),
    (('10', '9', 'ten'), (('10', '9', 'ten'), [0, 1, 2])),
])
def test_numbers_keep_theirs_and_names_are_sorted(values, wanted, label):
  pairs = dict(zip(NAMES, values, strict=True))
  assert label(pairs, 'x.json')[:2] == wanted
  rows = ''.join(f'{n},{str(v).upper()}\n' for n, v in pairs.items())
  if not isinstance(values[2], str):
    assert label(rows)[:2] == wanted


@pytest.mark.parametrize('cells, classes', [
    (('001', '1', '2'), ('001', '1', '2')),
    (('007', '010', '007'), ('007', '010')),
    (('0', '1', '10'), tuple(map(str, range(11))))])
def test_numbers_with_zeros_before_them_are_names(cells, classes, label):
  rows = ''.join(f'{n},{v}\n' for n, v in zip(NAMES, cells, strict=True))
  found, labels, _ = label(rows)
  assert found == classes
  assert tuple(found[i] for i in labels) == cells


def test_nvidias_null_means_no_labels_and_shards_are_no_classes(root):
  for i in range(3):
    (root / f'0000{i}').mkdir()
    Image.new('L', (4, 4)).save(root / f'0000{i}' / f'img{i}.png')
  (root / 'dataset.json').write_text('{"labels": null}')
  found = folder.Folder(str(root))
  assert (found.classes, found.labels.tolist()) == ((), [0] * 6)
  assert found.notes['label_file'] == 'dataset.json'


def test_dataset_json_is_found_beside_the_pictures_below_a_wrapper(
    root, tmp_path):
  (root / 'dataset.json').write_text(json.dumps(
      {'labels': [[name, 2] for name in NAMES]}))
  (tmp_path / 'outer').mkdir()
  root.rename(tmp_path / 'outer' / 'set')
  found = folder.Folder(str(tmp_path / 'outer'))
  assert found.labels.tolist() == [2, 2, 2] and found.classes == ('0', '1', '2')


def test_a_label_file_may_lie_anywhere_on_disk(root, tmp_path):
  (tmp_path / 'far.json').write_text('{"a.png": 0, "b.png": 0, "c.png": 1}')
  found = folder.Folder(str(root), str(tmp_path / 'far.json'))
  assert found.labels.tolist() == [0, 0, 1]


def test_rows_without_a_picture_are_counted(label):
  _, labels, notes = label(
      'a.png,0\nb.png,1\nsub/c.png,1\nnone.png,0\nalso/none.png,5\n')
  assert labels == [0, 1, 1] and notes['rows_without_a_picture'] == 2


def test_a_path_is_stronger_than_the_last_part_of_another(label):
  """Of test/a.png, which is not here, a.png does not take the label."""
  _, labels, notes = label('test/a.png,1\na.png,0\nb.png,0\nsub/c.png,1\n')
  assert labels == [0, 0, 1] and notes['rows_without_a_picture'] == 1


def test_one_column_of_many_is_chosen_by_name(label):
  """As in CelebA's table of 40 attributes."""
  table = ('image_id,Smiling,Young\na.png,-1,1\nb.png,1,1\nsub/c.png,1,-1\n')
  assert label(table, column='Smiling') == (
      ('-1', '1'), [0, 1, 1],
      {'other_files': {'.csv': 1}, 'label_file': 'labels.csv',
       'label': 'Smiling'})
  assert label(table, column='Young')[1] == [1, 1, 0]


def test_the_column_of_files_is_the_one_that_names_pictures(label):
  table = 'mask,image,label\nma.png,a.png,0\nmb.png,b.png,1\nmc.png,c.png,0\n'
  assert label(table)[1] == [0, 1, 0]


ROWS = 'a.png,{}\nb.png,1\nsub/c.png,1\n'


@pytest.mark.parametrize('name, content, column, said', [
    ('x.csv', 'a.png,0\n', '', r"no label for 'b\.png', nor for 1 others of 3"),
    ('x.csv', ROWS.format(''), '', r"no label for 'a\.png', nor for 0 others"),
    ('x.csv', ROWS.format(0) + 'a.png,1', '',
     r"lists 'a\.png' twice, as 0 and as 1"),
    ('x.csv', ROWS.format(.5), '',
     r"the label of 'a\.png' is 0\.5; wanted a class"),
    ('x.json', '{"a.png": [1, 0], "b.png": [0, 1], "c.png": [0, 1]}', '',
     r"the label of 'a\.png' is \[1, 0\]; wanted a class"),
    ('x.csv', ROWS.format(-2), '',
     r"label of 'a\.png' is -2; wanted whole numbers from 0, or only -1 and 1"),
    ('x.csv', ROWS.format(123456), '',
     r"label of 'a\.png' is 123456; wanted classes, .* at most 99,999"),
    ('x.json', '{"a.png": 1, "b.png": "one", "sub/c.png": 1}', '',
     r"several kinds: .*'one' \('b\.png'\)"),
    ('x.csv', 'x.png,0\ny.png,1\n', '',
     r"names none of the pictures, such as 'a\.png'; the first row "
     r"is \['x\.png', '0'\]"),
    ('x.csv', 'file,label\n', '', 'names none of .* it has no rows'),
    ('x.csv', 'file,A,B\n' + 'a.png,1,2\n', '',
     r'config\.data\.label: which column .* Known: A, B'),
    ('x.csv', 'a.png,1,2\n', '', "3 columns without a name that says label"),
    ('x.csv', 'file,Smiling,B\na.png,1,2\n', 'Smilling',
     r"config\.data\.label: no column 'Smilling' .* mean 'Smiling'\? Known: "),
    ('x.csv', ROWS.format(0), 'Smiling',
     r"config\.data\.label: 'Smiling', but the columns of .* have no names"),
    ('x.csv', 'a.png\nb.png\n', '', "no comma, semicolon or tab .*'a\\.png'"),
    ('x.csv', 'a.png,0\nb.png\n', '', "line 2: 1 cells; wanted 2"),
    ('x.csv', 'a.png,0\n"b.png,1\n', '', "is not CSV: unexpected end of data"),
    ('x.csv', b'a.png,0\nb.png,\xf6\n', '', 'line 2: is not UTF-8'),
    ('x.json', '{"a.png": 0,\n "b.png"}', '', 'line 2: is not JSON: Expecting'),
    ('x.json', '{"a.png": 0, "b.png": 1, "a.png": 1}', '',
     r"lists 'a\.png' twice in one object"),
    ('x.json', '[' * 100_000, '', 'is not JSON: '),
    ('x.json', '3', '', 'holds int; wanted an object'),
    ('x.json', '["a.png"]', '', r'item 0 is a\.png; wanted an object'),
    ('x.json', '{"labels": [["a.png"]]}', '',
     r"labels\[0\] is \['a\.png'\]; wanted \[file, label\]"),
    ('x.jsonl', '{"file": "a.png", "label": 0}\n{"file"\n', '',
     'line 2: is not JSON'),
    ('x.parquet', 'PAR1', '', r'ends in \.json, \.jsonl, \.csv'),
])
def test_every_bad_file_has_its_own_text(name, content, column, said, label):
  with pytest.raises(ValueError, match=rf'^(?=config\.data\.label).*{said}'):
    label(content, name, column)


def test_a_last_part_that_two_pictures_share_names_neither(root, label):
  Image.new('L', (4, 4)).save(root / 'sub' / 'a.png')
  (root / 'x.csv').write_text('z/a.png,0\nb.png,0\nc.png,0\n')
  with pytest.raises(ValueError, match=(
      r"no label for 'a\.png', nor for 1 others of 4; .* 2 are called so")):
    folder.Folder(str(root), 'x.csv')


def test_a_label_file_that_is_not_there_names_the_nearest(root):
  (root / 'labels.csv').write_text('')
  (root / 'readme.md').write_text('')
  with pytest.raises(ValueError, match=(
      r"config\.data\.label_file: no file 'label\.csv', neither .*set' nor on "
      r"disk; did you mean 'labels\.csv'\? Known: labels\.csv\.$")):
    folder.Folder(str(root), 'label.csv')
  (root / 'labels.csv').unlink()
  with pytest.raises(ValueError, match='none there'):
    folder.Folder(str(root), 'label.csv')


def test_a_column_without_a_file_is_an_error(root):
  with pytest.raises(ValueError, match=(
      r"config\.data\.label: 'Smiling'; the classes of a folder are its")):
    folder.Folder(str(root), label='Smiling')


def test_names_in_any_script_and_with_commas_and_newlines_are_found(tmp_path):
  names = ['кот,1.png', '猫\n2.png', 'a"b.png']
  for name in names:
    Image.new('L', (4, 4)).save(tmp_path / name)
  rows = ''.join('"{}",{}\n'.format(name.replace('"', '""'), i)
                 for i, name in enumerate(names))
  (tmp_path / 'x.csv').write_text('file,label\n' + rows, encoding='utf-8')
  found = folder.Folder(str(tmp_path), 'x.csv')
  assert dict(zip(found.names, found.labels, strict=True)) == {
      name: i for i, name in enumerate(names)}
  assert np.unique(found.labels).size == 3
