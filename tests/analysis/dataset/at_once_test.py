"""Laws of what a set's files and classes tell without a look at its pixels."""
import csv
import json
import struct
import zlib

from helpers import picture, save
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.analysis.dataset import at_once
from msg_gan_jax.commands import dry_run
from msg_gan_jax.config import schema
from msg_gan_jax.data import decode, sources
from msg_gan_jax.files import console
from msg_gan_jax.report import histograms


@pytest.fixture(autouse=True)
def no_histograms(monkeypatch):
  monkeypatch.setattr(histograms, 'plot', lambda *args, **options: None)


def told(look, folder, **settings):
  """What --mode=inspect finds, and what is said of it without a look."""
  settings = {'path': str(folder), **settings}
  found, _ = look(**settings)
  config = schema.template()
  config.data.update({
      'name': 'folder', 'resolution': 8,
      'cache_dir': str(folder.parent / 'cache'), **settings})
  config = schema.parse(config)
  said = at_once.concerns(sources.open_source(config).train, config.data)
  assert set(said) <= set(found['worth_a_look'])
  return found, said


# Deep pictures: (type, file, least value, largest, what they become, range).
DEEP = [
    (np.uint16, 'png', 0, 900, 'become nearly black', '0:1023'),
    (np.uint16, 'png', 83, 4000, 'become nearly black', '0:4095'),
    (np.uint16, 'tiff', 5, 16000, 'become nearly black', '0:16383'),
    (np.uint16, 'png', 40, 65000, '', ''),
    (np.int32, 'tiff', -1024, 3071, 'become nearly black', '-1024:3071'),
    (np.int32, 'tiff', -9000, 60000, 'are cut off below 0', '-9000:60000'),
    (np.int32, 'tiff', 9, 200_000, 'are cut off above 65535', '0:262143'),
]


@pytest.mark.parametrize('deep', DEEP, ids=lambda x: f'{x[4]} {x[5]}')
def test_values_that_do_not_fill_the_range_are_told_with_one_that_does(
    deep, look, tmp_path):
  kind, ending, least, largest, becomes, wanted = deep
  for i in range(12):
    values = np.random.default_rng(i).uniform(least, largest, (8, 8))
    values[0, 0], values[1, 1] = (least, largest) if i == 5 else values[2:4, 2]
    save(tmp_path / 'set' / f'{i:02}.{ending}', values.astype(kind))
  found, said = told(look, tmp_path / 'set')
  noted = found['notes']['more_than_8_bits']
  assert [noted[k] for k in ('pictures', 'least', 'largest')] == [
      12, least, largest]
  if not becomes:
    assert said == []
    return
  line, = said
  assert line.startswith("config.data.range: '', which is 0:65535, but 12 pic")
  bits = f' ({largest.bit_length()} bits)' if least >= 0 else ''
  assert line.endswith(f'hold values from {least} to {largest}{bits}, and '
                       f"{becomes}; '{wanted}' suits them.")
  for cache_gb in 4., 0.:
    found, said = told(look, tmp_path / 'set', range=wanted, cache_gb=cache_gb)
    assert said == []
    assert found['channels']['red']['mean'] > 80
    assert found['notes']['decisions'][f'scaled to 8 bits from {wanted}'] == 12
  line, = told(look, tmp_path / 'set', range='-9e6:-8e6')[1]
  assert 'and become nearly white' in line


def test_a_hot_pixel_hides_no_darkness(look, tmp_path):
  for i in range(12):
    values = np.random.default_rng(i).integers(0, 4096, (40, 40), np.uint16)
    values[0, 0] = 65535
    save(tmp_path / 'set' / f'{i:02}.png', values)
  line, = told(look, tmp_path / 'set')[1]
  assert 'from 0 to 65535, nearly all below 409' in line
  assert line.endswith("become nearly black; '0:4095' suits them.")
  found, said = told(look, tmp_path / 'set', range='0:4095')
  assert said == [] and found['channels']['red']['mean'] > 80


@pytest.mark.parametrize('low, high', [(0., 1.), (-2.5, 1.5), (0., 255.)])
def test_floats_are_read_between_the_values_that_a_setting_gives(
    low, high, look, tmp_path):
  ramp = np.linspace(low, high, 64, dtype=np.float32).reshape(8, 8)
  odd = ramp.copy()
  odd[0, :3] = np.nan, np.inf, -np.inf
  save(tmp_path / 'set' / 'a.tiff', ramp)
  save(tmp_path / 'set' / 'b.tiff', odd)
  with pytest.raises(ValueError, match=(
      rf'a\.tiff.: pixels are floats, here from {low:g} to {high:g}; wanted .*'
      rf"config\.data\.range='{low:g}:{high:g}'")):
    look(tmp_path / 'set')
  found, said = told(look, tmp_path / 'set', range=f'{low:g}:{high:g}')
  assert said == [] and found['notes']['modes'] == {'F': 2}
  packed = (tmp_path / 'set' / 'b.tiff').read_bytes()
  recipe = decode.Recipe(8, 8, 1, 'pad', 'area', (low, high))
  pixels = decode.decode(packed, recipe)[0].ravel()
  wanted = np.rint(np.linspace(0, 255, 64))
  wanted[:3] = 0, 255, 0
  np.testing.assert_allclose(pixels, wanted, atol=1)  # Of rounding.


@pytest.mark.parametrize('bad', ['4095', '5:5', '9:1', 'a:b', '0:inf', 'nan:1'])
def test_a_range_that_is_none_is_refused(bad, root, look):
  with pytest.raises(ValueError, match=(
      rf"^config\.data\.range: '{bad}'; wanted .* such as '0:4095'")):
    look(root, range=bad)


def test_a_range_changes_no_picture_of_8_bits_and_no_digest_if_not_given(
    root, look):
  plain, _ = look(root)
  scaled, _ = look(root, range='0:4095')
  assert plain['channels'] == scaled['channels']
  # Of the set above, before there was a range.
  recipe = decode.Recipe(8, 8, 3, 'center_crop', 'lanczos')
  assert json.dumps(recipe[:-1]) == '[8, 8, 3, "center_crop", "lanczos"]'
  assert plain['digest'] != scaled['digest']


def png_of_16_bits(pixels):
  """A .png of colours uint16 [H, W, 3], which PIL does not write."""
  def chunk(kind, data):
    return (struct.pack('>I', len(data)) + kind + data
            + struct.pack('>I', zlib.crc32(kind + data)))

  height, width, _ = pixels.shape
  rows = b''.join(b'\0' + row.astype('>u2').tobytes() for row in pixels)
  return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack(
      '>IIBBBBB', width, height, 16, 2, 0, 0, 0))
          + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def test_colours_that_are_nearly_black_are_told_too(look, tmp_path):
  (tmp_path / 'set').mkdir()
  for i in range(12):
    (tmp_path / 'set' / f'{i}.png').write_bytes(
        png_of_16_bits(picture(i).astype(np.uint16) * 16))
  for cache_gb in 0., 4.:
    found, _ = look(tmp_path / 'set', held_out=0, cache_gb=cache_gb)
    assert found['notes']['decisions'] == {
        'upper 8 of 16 bits in colour read': 12}
  assert any(x.startswith('config.data.path: hardly a value is above 15 of 255')
             for x in found['worth_a_look'])


def as_csv(root, labels):
  with open(root / 'labels.csv', 'w', newline='') as file:
    csv.writer(file).writerows([('file', 'label'), *labels.items()])
  return {'label_file': 'labels.csv'}


def as_json(root, labels):
  (root / 'dataset.json').write_text(json.dumps({'labels': [*labels.items()]}))
  return {}


def as_npz(root, labels):
  pixels = [np.asarray(Image.open(root / name)) for name in labels]
  np.savez(root.parent / 'set.npz', images=pixels, labels=[*labels.values()])
  return {'name': 'archive', 'path': str(root.parent / 'set.npz')}


@pytest.mark.parametrize('store', [as_csv, as_json, as_npz],
                         ids=lambda store: store.__name__)
@pytest.mark.parametrize('first, empty', [
    (0, ''), (1, 'labels begin at 1, and classes at 0: class 0 has no picture'),
    (4, 'labels begin at 4, and classes at 0: classes 0 to 3 have no picture')])
def test_labels_that_begin_later_than_0_are_told(
    store, first, empty, look, tmp_path):
  labels = {f'{i:02}.png': first + i % 3 for i in range(60)}
  for i, name in enumerate(labels):
    save(tmp_path / 'set' / name, picture(i))
  settings = store(tmp_path / 'set', labels)
  _, said = told(look, tmp_path / 'set', **settings)
  assert len(said) == bool(first)
  place = 'label_file' if store is as_csv else 'label'
  for line in said:
    assert line.startswith(f'config.data.{place}: {empty}')
    assert f'among the {first + 3} classes. Subtract {first} from' in line


def test_classes_that_differ_in_case_only_are_told(look, tmp_path):
  for i in range(60):
    name = ('Cat', 'cat', 'Dog')[i % 3]
    save(tmp_path / 'set' / name / f'{i:02}.png', picture(i))
  _, (line,) = told(look, tmp_path / 'set', held_out=0)
  assert line == (
      "config.data.label: 'Cat' (20) and 'cat' (20) differ in case only, and "
      'are different classes. If they are one, give them one name.')


def test_of_loose_pictures_beside_folders_all_are_read_and_that_is_told(
    root, look):
  for i in range(3):
    save(root / f'{i}.png', picture(200 + i))
  found, (line,) = told(look, root, on_bad='skip')
  assert found['train'] + found['held_out'] == 43
  assert line.startswith(
      'config.data.label: all are read, and without classes: 3 pictures lie '
      "loose ('0.png' the first) beside 2 folders of pictures ('cat' the "
      'first). For classes, ')


def test_a_set_of_which_nothing_is_held_out_is_told(look, tmp_path):
  for i in range(28):  # A tenth is fewer than the metrics want.
    save(tmp_path / 'set' / f'{i}.png', picture(i))
  found, _ = look(tmp_path / 'set')
  assert found['held_out'] == 0 and found['train'] == 28
  assert any(x.startswith('config.data.held_out: 2,048, but nothing is held ')
             for x in found['worth_a_look'])
  found, _ = look(tmp_path / 'set', held_out=0)
  assert not any('held_out' in x for x in found['worth_a_look'])


def test_a_dry_run_warns_of_them(small, tmp_path, monkeypatch):
  monkeypatch.setattr(dry_run, 'describe_cost', lambda *_: [])
  for i in range(12):
    save(tmp_path / 'set' / 'Aa'[i % 2] / f'{i:02}.png',
         np.full((8, 8), 100 * i, np.uint16))
  said = []
  dry_run.dry_run(small(
      data__name='folder', data__path=str(tmp_path / 'set'),
      data__count=20_000, data__cache_dir=str(tmp_path / 'cache')),
      str(tmp_path / 'a.png'), said.append)
  warned = [line for line in said if line.startswith('  warning: config.data.')]
  assert [line.split(':')[1].strip() for line in warned] == [
      'config.data.range', 'config.data.label']


def test_no_name_moves_the_cursor_of_a_terminal(look, tmp_path, capsys):
  for i, name in enumerate(('red\x1b[2J', 'blue\r\nerror: forged', 'ok é 猫')):
    save(tmp_path / 'set' / name / f'{i}.png', picture(i))
  _, shown = look(tmp_path / 'set')
  bars = [line for line in shown.splitlines() if '33.3 %' in line]
  assert [line.split('  ')[1] for line in bars] == [
      r'blue\r\nerror: forged', 'ok é 猫', r'red\x1b[2J']
  for line in shown.splitlines():
    console.say(line)
  printed = capsys.readouterr().out
  assert '\x1b' not in printed and '\r' not in printed
