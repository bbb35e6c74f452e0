"""Laws of what is held out: the bytes of a picture decide, and nothing else."""
import json
import os
import shutil
import zipfile

from helpers import picture, png, save, whole
import lmdb
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import held_out, order, sources
from msg_gan_jax.files import cache
from msg_gan_jax.runs import config_file, workdir
from msg_gan_jax.training import loop


def config_of(settings, tmp_path, **more):
  config = schema.template()
  config.data.update({'resolution': 8, 'cache_dir': str(tmp_path / 'cache'),
                      **settings, **more})
  return schema.parse(config)


def sides(splits):
  """(pictures to train on, held-out ones), as sets of bytes."""
  return [set() if split is None else {x.tobytes() for x in whole(split)}
          for split in splits]


# Ways to store pictures, {name: pixels}: (path, pictures) -> settings of data.


def folder(path, pictures):
  for name, pixels in pictures.items():
    save(path / 'set' / f'{name}.png', pixels)
  return {'name': 'folder', 'path': str(path / 'set')}


def zipped(path, pictures):
  with zipfile.ZipFile(path / 'set.zip', 'w') as file:
    for name, pixels in pictures.items():
      file.writestr(f'{name}.png', png(pixels))
  return {'name': 'archive', 'path': str(path / 'set.zip')}


def npz(path, pictures):
  np.savez(path / 'set.npz',
           images=np.stack([pictures[name] for name in sorted(pictures)]))
  return {'name': 'archive', 'path': str(path / 'set.npz')}


def database(path, pictures):
  shutil.rmtree(path / 'set', ignore_errors=True)
  opened = lmdb.open(str(path / 'set'), map_size=1 << 22)
  with opened.begin(write=True) as transaction:
    for name, pixels in pictures.items():
      transaction.put(name.encode(), png(pixels))
  opened.close()
  return {'name': 'lmdb', 'path': str(path / 'set')}


STORES = folder, zipped, npz, database
FIRST = {f'm{i:03}': picture(i) for i in range(100)}
# They come before, between and after the first ones in the order of names.
MORE = {name: picture(1000 + i) for i, name in enumerate(
    [f'a{i}' for i in range(10)] + [f'm050_{i}' for i in range(10)]
    + [f'z{i}' for i in range(10)])}


@pytest.mark.parametrize('asked', [2048, 8], ids=['a tenth', 'so many'])
@pytest.mark.parametrize('store', STORES, ids=lambda store: store.__name__)
def test_where_100_become_130_none_of_a_run_changes_sides(
    store, asked, tmp_path):
  def start():
    """What a start of the run sees; its share is recorded."""
    written = store(tmp_path, pictures)
    config = config_file.as_begun(
        config_of(written, tmp_path, held_out=asked), tmp_path / 'run')
    splits = sources.open_source(config)
    config = sources.with_share(config, splits)
    with workdir.Workdir(tmp_path / 'run') as run:
      run.start(config, 0, splits.train.digest())
    return config, sides(splits)
  pictures = FIRST
  config, (train, measured) = start()
  assert config.data.held_out_share == min(asked, 10) / 100
  assert len(train) + len(measured) == 100
  assert .3 < len(measured) / min(asked, 10) < 3
  pictures = FIRST | MORE
  again, (train_now, measured_now) = start()
  assert again == config
  assert train < train_now and measured <= measured_now
  assert len(train_now) + len(measured_now) == 130 > len(train_now) + 1


def test_a_run_is_given_what_its_first_start_decided(tmp_path, monkeypatch):
  """Also where nothing was held out, and one that began before."""
  seen = []

  class Run:
    def __init__(self, config, gan, mesh, run, splits, *_):
      seen.append((config.data.held_out_share, splits))
      run.start(config, 0, splits.train.digest())

    def train(self, stop):
      return 0

    def close(self):
      pass

  monkeypatch.setattr(loop, 'Run', Run)
  settings = folder(tmp_path, {name: FIRST[name] for name in list(FIRST)[:5]})
  loop.train(config_of(settings, tmp_path), tmp_path / 'few', lambda _: None)
  folder(tmp_path, FIRST)
  config = config_of(settings, tmp_path)
  for name in 'few', 'run', 'run':
    loop.train(config, tmp_path / name, lambda _: None)
  values = json.loads((tmp_path / 'run' / 'config.json').read_text())
  assert values['data']['held_out_share'] == .1
  del values['data']['held_out_share']
  (tmp_path / 'run' / 'config.json').write_text(json.dumps(values))
  loop.train(config, tmp_path / 'run', lambda _: None)
  assert [share for share, _ in seen] == [0., 0., .1, .1, -2.]
  assert [splits.held_out is None for _, splits in seen] == [
      True, True, False, False, False]
  # As all runs chose before: by the place of the name among the others.
  mixed = order.permutation(100, seed=0, stream=0)
  np.testing.assert_array_equal(
      whole(seen[-1][1].held_out), [picture(i) for i in sorted(mixed[:10])])
  assert 'held_out_share' not in seen[-1][1].train.notes
  with pytest.raises(ValueError, match='data.held_out_share: -2.0 -> 0.2'):
    loop.train(config_of(settings, tmp_path, held_out_share=.2),
               tmp_path / 'run', lambda _: None)


def test_names_settings_and_copies_change_nothing(tmp_path):
  settings = folder(tmp_path, FIRST)
  _, measured = sides(sources.open_source(config_of(settings, tmp_path)))
  (tmp_path / 'other').mkdir()
  # Other names, in another order, and each picture twice.
  twice = {f'{99 - i:03}{copy}': FIRST[name] for copy in 'ab'
           for i, name in enumerate(FIRST)}
  copied = folder(tmp_path / 'other', twice)
  train, found = sides(sources.open_source(config_of(copied, tmp_path)))
  assert found == measured and not train & found
  names = []
  for more in {}, {'resolution': 16}, {'channels': 1}, {'resize': 'pad'}:
    splits = sources.open_source(config_of(settings, tmp_path, **more))
    names.append([splits.held_out.where(i)
                  for i in range(len(splits.held_out))])
  assert names.count(names[0]) == len(names)


def test_of_two_shares_the_smaller_lies_in_the_larger(tmp_path):
  settings = folder(tmp_path, FIRST)
  found = [sides(sources.open_source(config_of(settings, tmp_path, **more)))[1]
           for more in ({'held_out': 7}, {'held_out': 9}, {},
                        {'held_out_share': .3})]
  assert all(a < b for a, b in zip(found, found[1:], strict=False))
  assert 15 < len(found[-1]) < 50


@pytest.mark.parametrize('store', STORES, ids=lambda store: store.__name__)
def test_a_streamed_set_is_split_as_one_in_memory(store, tmp_path, monkeypatch):
  settings = store(tmp_path, FIRST)
  wanted = sides(sources.open_source(config_of(settings, tmp_path)))
  streamed = config_of(settings, tmp_path, cache_gb=0.)
  assert sides(sources.open_source(streamed)) == wanted
  # Their bytes are read once, and not at all where none is held out by them.
  monkeypatch.setattr(held_out, 'fingerprint', None)
  assert sides(sources.open_source(streamed)) == wanted
  for more in {'held_out': 0}, {'held_out_share': -2.}:
    sources.open_source(config_of(settings, tmp_path, cache_gb=0., **more))


def test_broken_files_do_not_shift_the_choice(tmp_path):
  settings = folder(tmp_path, FIRST | MORE)
  _, wanted = sides(sources.open_source(config_of(settings, tmp_path)))
  (tmp_path / 'set' / 'a0.png').write_bytes(b'no picture')
  for cache_gb in 4., 0.:
    _, found = sides(sources.open_source(config_of(
        settings, tmp_path, on_bad='skip', cache_gb=cache_gb)))
    assert found == wanted - {MORE['a0'].tobytes()}


@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_what_an_older_version_kept_is_good_for_what_it_knows(
    cache_gb, tmp_path, capfd):
  settings = folder(tmp_path, FIRST)
  config = config_of(settings, tmp_path, cache_gb=cache_gb)
  first = sources.open_source(config)
  for path in (tmp_path / 'cache').glob('*.json'):
    about = json.loads(path.read_text())
    for name in 'wide', 'fingerprints':
      about.pop(name, None)
    path.write_text(json.dumps(about))
  capfd.readouterr()
  second = sources.open_source(config)
  assert capfd.readouterr().err == ''  # No picture is decoded again.
  assert sides(second) == sides(first)
  assert second.train.digest() == first.train.digest()


def test_where_no_cache_can_be_written_bytes_are_read_at_every_start(
    tmp_path, monkeypatch):
  settings = folder(tmp_path, FIRST)
  wanted = sides(sources.open_source(config_of(settings, tmp_path)))

  def full(*_, **__):
    raise OSError(28, 'No space left on device')
  monkeypatch.setattr(cache, 'fetch', full)
  for cache_gb in 4., 0.:
    assert wanted == sides(sources.open_source(
        config_of(settings, tmp_path, cache_gb=cache_gb)))


def test_a_file_that_cannot_be_read_for_its_hash_is_named(tmp_path):
  settings = folder(tmp_path, FIRST)
  config = config_of(settings, tmp_path, cache_gb=0.)
  opened = sources.read(sources.folder.Folder(settings['path']), config.data)
  os.remove(tmp_path / 'set' / 'm007.png')
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: cannot read '.*m007\.png': .*No such file")):
    opened.fingerprints()


def test_a_share_that_leaves_nothing_to_train_on_is_refused(
    tmp_path, monkeypatch):
  share = .5
  alike = next(p for p in FIRST.values() if int.from_bytes(
      held_out.fingerprint(png(p)), 'little') < share * 2**32)
  settings = folder(tmp_path, {str(i): alike for i in range(4)})
  with pytest.raises(ValueError, match=(
      r'^config\.data\.held_out_share: below 0\.5 are all 4 pictures')):
    sources.open_source(config_of(settings, tmp_path, held_out_share=share))
  # A single picture is kept out of training, and measures nothing.
  folder(tmp_path, {'4': picture(1)})
  lonely = held_out.fingerprint(png(alike))
  monkeypatch.setattr(held_out, 'fingerprint', lambda packed: (
      b'\xff' * 4 if packed == png(alike) else lonely))
  splits = sources.open_source(config_of(settings, tmp_path, held_out_share=.5))
  assert splits.held_out is None and len(splits.train) == 4
  assert picture(1).tobytes() not in sides(splits)[0]
  # Where the share is open, nothing is held out instead.
  splits = sources.open_source(config_of(settings, tmp_path))
  assert splits.held_out is None and len(splits.train) == 5
