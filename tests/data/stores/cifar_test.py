"""Laws of CIFAR: the published bytes, fetched or given, and nothing else."""
import hashlib
import http.server
import io
import os
import tarfile
import threading

from helpers import whole
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.stores import cifar

CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog',
           'horse', 'ship', 'truck']


def picture(seed):
  """uint8 [32, 32, 3]; red, green and blue differ."""
  return np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)


def record(seed, *labels):
  """As the page of CIFAR says: labels, then the planes, row by row."""
  red, green, blue = np.moveaxis(picture(seed), -1, 0)
  return bytes(labels) + red.tobytes() + green.tobytes() + blue.tobytes()


def ten():
  """Five training files of 3 and a test file of 40."""
  files = {f'data_batch_{i + 1}.bin': b''.join(
      record(3 * i + j, (3 * i + j) % 10) for j in range(3)) for i in range(5)}
  return {**files,
          'test_batch.bin': b''.join(
              record(100 + i, i % 10) for i in range(40)),
          'batches.meta.txt': '\n'.join([*CLASSES, '', '']).encode()}


def hundred():
  names = {'coarse_label_names.txt': 20, 'fine_label_names.txt': 100}
  return {'train.bin': b''.join(record(i, i, 99 - i) for i in range(6)),
          'test.bin': b''.join(record(100 + i, 0, 1) for i in range(4)),
          **{file: '\n'.join(
              f'{file.partition("_")[0]}_{i}' for i in range(n)).encode()
             for file, n in names.items()}}


def pack(path, files, folder='cifar-10-batches-bin'):
  with tarfile.open(path, 'w:gz') as archive:
    for name, content in files.items():
      member = tarfile.TarInfo(f'{folder}/{name}')
      member.size = len(content)
      archive.addfile(member, io.BytesIO(content))
  return path


def unpack(path, files):
  path.mkdir(parents=True)
  for name, content in files.items():
    (path / name).write_bytes(content)
  return path


@pytest.fixture
def opened(tmp_path):
  """(path, **settings of data) -> Splits."""
  def opened(path, **settings):
    config = schema.template()
    config.data.update({'name': 'cifar10', 'path': str(path), 'resolution': 32,
                        'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config))
  return opened


# What is read.


def test_pixels_labels_and_classes_are_the_published_ones(tmp_path, opened):
  train, _ = opened(pack(tmp_path / 'a.tar.gz', ten()))
  assert isinstance(train, Source)
  assert (len(train), train.shape, train.name) == (15, (32, 32, 3), 'CIFAR-10')
  np.testing.assert_array_equal(whole(train), [picture(i) for i in range(15)])
  assert train.labels(np.arange(15)).tolist() == [i % 10 for i in range(15)]
  assert train.classes == tuple(CLASSES)
  assert train.notes['decisions'] == {}


def test_an_archive_its_folder_and_the_folder_above_are_the_same(
    tmp_path, opened):
  unpack(tmp_path / 'below' / 'cifar-10-batches-bin', ten())
  ways = [pack(tmp_path / 'a.tar.gz', ten()), tmp_path / 'below',
          tmp_path / 'below' / 'cifar-10-batches-bin']
  assert len({opened(way).train.digest() for way in ways}) == 1
  assert len({opened(way).held_out.digest() for way in ways}) == 1


def test_kept_out_are_evenly_spaced_pictures_of_the_test_set(
    tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', ten())
  held_out = opened(path, held_out=8).held_out
  np.testing.assert_array_equal(
      whole(held_out), [picture(100 + i) for i in range(0, 40, 5)])
  assert held_out.labels(np.arange(8)).tolist() == [0, 5] * 4
  assert (held_out.notes['part'], held_out.notes['out_of']) == ('test', 40)
  uneven = whole(opened(path, held_out=3).held_out)
  np.testing.assert_array_equal(
      uneven, [picture(100), picture(113), picture(126)])
  assert len(opened(path).held_out) == 40
  assert opened(path, held_out=0).held_out is None
  assert len(opened(path, held_out=0).train) == 15


def test_pixels_pass_through_the_settings_of_every_picture(tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', ten())
  train, held_out = opened(path, resolution=16, channels=1, filter='area')
  assert train.shape == held_out.shape == (16, 16, 1)
  assert train.notes['decisions'] == {
      'converted from RGB to L': 15, 'scaled down with area': 15}
  grey = picture(0) @ [.299, .587, .114]
  # 2 of 255: PIL rounds grey values, and then after each axis.
  np.testing.assert_allclose(
      whole(train)[0, ..., 0], grey.reshape(16, 2, 16, 2).mean((1, 3)), atol=2)


def test_a_streamed_set_has_the_same_pictures(tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', ten())
  streamed = opened(path, cache_gb=0., threads=3).train
  assert streamed.notes['kept'] == 'streamed from the files'
  np.testing.assert_array_equal(whole(streamed), whole(opened(path).train))


@pytest.mark.parametrize('label, classes, labels', [
    ('', 100, [99, 98, 97, 96, 95, 94]),
    ('fine', 100, [99, 98, 97, 96, 95, 94]),
    ('coarse', 20, [0, 1, 2, 3, 4, 5])])
def test_a_hundred_has_two_labels(label, classes, labels, tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', hundred(), 'cifar-100-binary')
  train, _ = opened(path, name='cifar100', label=label)
  assert len(train.classes) == classes
  assert train.classes[3] == f'{label or "fine"}_3'
  assert train.labels(np.arange(6)).tolist() == labels
  np.testing.assert_array_equal(whole(train), [picture(i) for i in range(6)])


def test_without_a_file_of_names_classes_are_numbers(tmp_path, opened):
  files = ten()
  del files['batches.meta.txt']
  train, _ = opened(unpack(tmp_path / 'set', files))
  assert train.classes == tuple('0123456789')


def test_notes_say_whether_it_is_the_published_archive(
    tmp_path, opened, monkeypatch):
  path = pack(tmp_path / 'a.tar.gz', ten())
  md5 = hashlib.md5(path.read_bytes()).hexdigest()
  assert opened(path).train.notes['archive'] == (
      f'MD5 is {md5}; that of {cifar.PAGE}cifar-10-binary.tar.gz is '
      'c32a1d4ab5d03f1284b67883e8d87530')
  layout = cifar.LAYOUTS['cifar10']._replace(md5=md5)
  monkeypatch.setitem(cifar.LAYOUTS, 'cifar10', layout)
  assert opened(path).train.notes['archive'] == 'verified'
  folder = unpack(tmp_path / 'set', ten())
  assert 'no digest' in opened(folder).train.notes['archive']


# Fetched.


@pytest.fixture
def server(tmp_path, monkeypatch):
  """A site on this machine; `paths` are those that were asked for."""
  class Handler(http.server.SimpleHTTPRequestHandler):
    paths = []

    def __init__(self, *args):
      super().__init__(*args, directory=tmp_path / 'site')

    def do_GET(self):  # noqa: N802
      self.paths.append(self.path)
      super().do_GET()

    def log_message(self, *_):
      pass

  (tmp_path / 'site').mkdir()
  monkeypatch.setenv('NO_PROXY', '*')
  with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever, args=(.01,))
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}', Handler.paths
    server.shutdown()
    thread.join()


def publish(monkeypatch, url, md5):
  monkeypatch.setitem(
      cifar.LAYOUTS, 'cifar10', cifar.LAYOUTS['cifar10']._replace(
          url=f'{url}/cifar-10-binary.tar.gz', md5=md5))


def test_it_is_fetched_once_verified_and_kept(
    tmp_path, opened, server, monkeypatch, capfd):
  url, asked = server
  path = pack(tmp_path / 'site' / 'cifar-10-binary.tar.gz', ten())
  publish(monkeypatch, url, hashlib.md5(path.read_bytes()).hexdigest())
  first = opened('')
  assert 'Fetching CIFAR-10' in capfd.readouterr().err
  assert first.train.notes['archive'] == 'verified'
  second = opened('')
  assert asked == ['/cifar-10-binary.tar.gz']
  assert capfd.readouterr().err == ''
  assert first.train.digest() == second.train.digest()
  assert (tmp_path / 'cache' / 'cifar-10-binary.tar.gz').exists()


def test_a_wrong_digest_is_an_error_and_leaves_nothing(
    tmp_path, opened, server, monkeypatch):
  url, _ = server
  pack(tmp_path / 'site' / 'cifar-10-binary.tar.gz', ten())
  publish(monkeypatch, url, '0' * 32)
  with pytest.raises(ValueError, match=(
      r'^config\.data\.path: is empty, so CIFAR-10 was to be fetched from '
      rf'{url}/cifar-10-binary\.tar\.gz into .*hash.*000.*set '
      r'config\.data\.path')):
    opened('')
  assert os.listdir(tmp_path / 'cache') == []


@pytest.mark.parametrize('url, said', [
    # Nobody listens at port 9 of this machine.
    ('http://127.0.0.1:9', 'refused|Max retries'), ('', '404')])
def test_without_a_network_it_says_what_to_do(
    url, said, opened, server, monkeypatch):
  publish(monkeypatch, url or server[0], '0' * 32)
  with pytest.raises(ValueError, match=(
      rf'config\.data\.path: is empty.*({said})(.|\n)*Download it by other '
      r'means, and set config\.data\.path to the file')):
    opened('')


# Refused.


def without(files, name):
  return {k: v for k, v in files.items() if k != name}


@pytest.mark.parametrize('change, said', [
    (lambda f: without(f, 'data_batch_3.bin'),
     r"no data_batch_3\.bin in '.*', found batches\.meta\.txt, data_batch_1.*"
     r'wanted the binary version of CIFAR-10, as https'),
    (lambda f: {}, 'no data_batch_1.bin in .*, found nothing of it'),
    (lambda f: {**f, 'data_batch_2.bin': f['data_batch_2.bin'][:-1]},
     r'data_batch_2\.bin in .* has 9218 bytes; wanted a multiple of 3073'),
    (lambda f: {**f, 'test_batch.bin': b''}, r'test_batch\.bin .* has 0 bytes'),
    (lambda f: {**f, 'data_batch_5.bin': record(0, 10)},
     r"label 10 of '.*/data_batch_5\.bin\[0\]'; wanted 0 to 9"),
    (lambda f: {**f, 'batches.meta.txt': b'cat\ndog\n'},
     r'batches\.meta\.txt in .* names 2 classes; CIFAR-10 has 10'),
])
@pytest.mark.parametrize('write', [
    lambda path, files: pack(path.with_suffix('.tar.gz'), files), unpack])
def test_files_that_are_not_right_are_named(
    change, said, write, tmp_path, opened):
  with pytest.raises(ValueError, match=rf'^config\.data\.path: {said}'):
    opened(write(tmp_path / 'set', change(ten())))


@pytest.mark.parametrize('keep, said', [
    (0, 'empty'), (5, 'cut off'), (2_000, 'cut off'), (100_000, 'cut off')])
def test_a_truncated_archive_is_an_error(keep, said, tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', ten())
  path.write_bytes(path.read_bytes()[:keep])
  with pytest.raises(ValueError, match=(
      rf"^config\.data\.path: '.*a\.tar\.gz' is {said}")):
    opened(path)


def test_a_file_that_is_no_archive_and_a_path_to_nothing(tmp_path, opened):
  (tmp_path / 'a.tar.gz').write_text('Dear')
  with pytest.raises(ValueError, match='is not an archive'):
    opened(tmp_path / 'a.tar.gz')
  with pytest.raises(ValueError, match=(
      r"no file or folder '.*none'; wanted the archive cifar-10-binary")):
    opened(tmp_path / 'none')


def test_files_of_the_other_set_are_refused(tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', hundred())
  with pytest.raises(ValueError, match=r'no data_batch_1\.bin'):
    opened(path)


@pytest.mark.parametrize('settings, said', [
    ({'dataset': 'cifar'}, r"dataset: 'cifar' means nothing to config\.data\."
     "name = 'cifar10'; wanted '', the default"),
    ({'label_file': 'a.csv'}, "label_file: 'a.csv' means nothing to"),
    ({'label': 'fine'}, "label: 'fine' means nothing to"),
    ({'split': 'test'}, "split: 'test'; cifar10 trains on all of its training"),
    ({'name': 'cifar100', 'label': 'corse'},
     "label: CIFAR-100 has no 'corse'; did you mean 'coarse'"),
])
def test_settings_that_mean_nothing_are_refused(
    settings, said, tmp_path, opened):
  path = pack(tmp_path / 'a.tar.gz', {**ten(), **hundred()})
  with pytest.raises(ValueError, match=rf'^config\.data\.{said}'):
    opened(path, **settings)
