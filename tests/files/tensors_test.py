"""Weights of others are read without running them, or refused in words."""
import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from torch_files import (
  Laid,
  call,
  laid,
  legacy,
  number,
  saved,
  state_dict,
  text,
  zipped,
)

from msg_gan_jax.files import room, tensors, torch_pickle


@pytest.fixture
def read(tmp_path):
  """bytes -> what tensors.read gives."""
  def reads(content, name='weights.pth'):
    path = tmp_path / name
    path.write_bytes(content)
    return tensors.read(path)
  return reads


@pytest.fixture
def refused(read):
  """Asserts that bytes are refused, in words that hold `match`."""
  def refuses(content, match):
    with pytest.raises(ValueError, match=match) as caught:
      read(content)
    assert 'weights.pth' in str(caught.value)
    assert len(str(caught.value)) < 800
  return refuses


def arrays():
  rng = np.random.default_rng(0)
  return {'conv.weight': rng.standard_normal((4, 3, 2, 2)).astype('f4'),
          'double': rng.standard_normal((3, 2)), 'none': np.zeros((0, 3), 'f4'),
          'half': rng.standard_normal(5).astype('f2'), 'count': np.array(7),
          'int': np.arange(4, dtype='i4'), 'short': np.arange(3, dtype='i2'),
          'char': np.array([-1, 2], 'i1'), 'byte': np.array([255], 'u1'),
          'flag': np.array([True, False])}


@pytest.mark.parametrize('is_zip', [True, False])
def test_what_is_written_is_read(read, is_zip):
  found = read(saved(arrays(), is_zip))
  assert list(found) == list(arrays())
  for name, wanted in arrays().items():
    assert found[name].dtype == wanted.dtype
    np.testing.assert_array_equal(found[name], wanted, strict=True)
    assert not found[name].size or not found[name].flags.writeable


@pytest.mark.parametrize('is_zip', [True, False])
def test_strides_offsets_and_shared_storages_are_views(read, is_zip):
  base = np.arange(12, dtype='f4')
  found = read(saved({
      'all': Laid(base, '<f4', 0, (3, 4), (4, 1), '0'),
      'turned': Laid(base, '<f4', 0, (4, 3), (1, 4), '0'),
      'part': Laid(base, '<f4', 5, (2, 2), (4, 2), '0'),
      'spread': Laid(base[:1], '<f4', 0, (2, 3), (0, 0), '1')}, is_zip))
  np.testing.assert_array_equal(found['turned'], base.reshape(3, 4).T)
  np.testing.assert_array_equal(found['part'], [[5, 7], [9, 11]])
  np.testing.assert_array_equal(found['spread'], np.zeros((2, 3)))
  assert np.shares_memory(found['all'], found['part'])


@pytest.mark.parametrize('is_zip', [True, False])
def test_bfloat16_becomes_float32_exactly(read, is_zip):
  upper = np.array([0x3f80, 0xbf00, 0x4049], 'u2')
  x = Laid(upper, 'bfloat16', 0, (3,), (1,), '0')
  found = read(saved({'x': x}, is_zip))['x']
  assert found.dtype == np.float32
  np.testing.assert_array_equal(found, [1, -.5, 3.140625])


def test_one_dict_below_is_found_and_the_rest_left_out(read, refused):
  inner = state_dict({'w': laid(np.ones(2, 'f4'), '0')})
  storages = {'0': np.ones(2, 'f4').tobytes()}
  checkpoint = (b'}(' + text('epoch') + number(3) + text('state_dict') + inner
                + text('optimizer') + b'}' + text('state') + b'}su')
  assert list(read(zipped(checkpoint, storages))) == ['w']
  both = (b'}(' + text('ema') + inner + text('model') + inner + b'u')
  assert list(read(zipped(both, storages))) == ['w']
  two = b'}(' + text('ema') + inner + text('teacher') + inner + b'u'
  refused(zipped(two, storages), "several: 'ema', 'teacher'")
  refused(zipped(b'}' + text('epoch') + number(3) + b's'), "none at the top")
  refused(zipped(b']'), 'a list; wanted a dict')


def test_the_other_formats_are_known_by_their_content(read):
  file = io.BytesIO()
  np.savez(file, **arrays())
  found = read(file.getvalue(), 'weights.bin')
  for name, wanted in arrays().items():
    np.testing.assert_array_equal(found[name], wanted, strict=True)
  file = io.BytesIO()
  np.savez_compressed(file, f=np.asfortranarray(np.eye(3, 2)))
  np.testing.assert_array_equal(read(file.getvalue())['f'], np.eye(3, 2))
  header = json.dumps({
      '__metadata__': {'format': 'pt'},
      'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]},
      'b': {'dtype': 'BF16', 'shape': [1, 1], 'data_offsets': [8, 10]},
  }).encode()
  content = (struct.pack('<Q', len(header)) + header
             + np.float32([1, 2]).tobytes() + b'\x80\x3f')
  found = read(content)
  np.testing.assert_array_equal(found['a'], [1, 2])
  np.testing.assert_array_equal(found['b'], [[1]])


# What would run something.

OS = os.system.__module__  # posix, or nt.


def hostile(marker):
  command = text(f'echo > {marker}')
  code = text(f'open({str(marker)!r}, "w")')
  short = f'{OS}\nsystem\n'.encode()
  return {
      f'{OS}.system': call(f'{OS}.system', command),
      'os.system': call('os.system', command),
      'builtins.exec': call('builtins.exec', code),
      'builtins.eval': b'\x8c\x08builtins\x8c\x04eval\x93(' + code + b'tR',
      f'INST.*{OS} system': b'(' + command + b'i' + short,
      f'asks for .{OS}.system': b'(c' + short + command + b'o',
      'asks for .subprocess.Popen': b'csubprocess\nPopen\n)\x81}b',
      'sets the state': b']}' + text('__setstate__') + command + b'sb',
      # An allowed name as a string, called; a module with a dot in the name.
      'calls what is not a function': (
          text(f'{OS}.system') + b'(' + command + b'tR'),
      'asks for .torch._utils.os.system':
          call('torch._utils.os.system', command),
      'asks for .collections.OrderedDict.__reduce__':
          b'\x8c\x0bcollections\x8c\x16OrderedDict.__reduce__\x93',
      'OBJ': b'(ccollections\nOrderedDict\n' + command + b'o',
      'NEWOBJ': b'ccollections\nOrderedDict\n)\x81',
      'EXT1': b'\x82\x01',
      'PERSID': b'P' + f'{OS}.system\n'.encode(),
      'refers to a list': b']Q',
      'refers to a tuple': b'(' + text('module') + text('x') * 4 + b'tQ',
      'no dtype': (b'(' + text('storage') + text('x') + text('0') + text('cpu')
                   + number(1) + b'tQ'),
      'without a name': b']]\x93',
      'that is not a tensor': call('torch._utils._rebuild_parameter', b'\x88'),
      'without a storage': call(
          'torch._utils._rebuild_tensor_v2', text('x'), b'K\x00))'),
  }


@pytest.mark.parametrize('is_zip', [True, False])
def test_nothing_is_run_and_what_was_asked_for_is_named(
    tmp_path, refused, is_zip):
  marker = tmp_path / 'ran'
  for match, body in hostile(marker).items():
    for whole in (body, b'}' + text('x') + body + b's', b'q\x01h\x01' + body):
      content = (zipped if is_zip else legacy)(
          b'N' + whole if whole[:1] == b'q' else whole)
      refused(content, match)
      assert not marker.exists()
  # A plain pickle as well, and each of the pickles before and after the dict.
  refused(b'\x80\x02' + call(f'{OS}.system', text('x')) + b'.', f'{OS}.system')
  assert not marker.exists()


def test_the_state_of_a_dict_is_not_set(read):
  state = (b'}(' + text('__setstate__') + text('x') + text('w') + text('y')
           + b'ub')
  found = read(zipped(
      state_dict({'w': laid(np.ones(2, 'f4'), '0')}) + state,
      {'0': np.ones(2, 'f4').tobytes()}))
  assert found.keys() == {'w'} and found['w'].tolist() == [1, 1]


# What lies about its size.


def lying(**changes):
  settings = dict(offset=0, shape=(2, 2), strides=(2, 1)) | changes
  numel = settings.pop('numel', 4)
  x = Laid(np.ones(4, 'f4'), '<f4', *settings.values(), '0')
  return x.pickled(False, numel)


@pytest.mark.parametrize('changes, match', [
    (dict(shape=(2, 3)), 'claims more than its 4 numbers'),
    (dict(offset=1), 'claims more'),
    (dict(strides=(-2, 1)), 'is -2; wanted 0, 1'),
    (dict(offset=-1), 'is -1'),
    (dict(shape=(-1, 2)), 'is -1'),
    (dict(shape=(2**40, 2), strides=(0, 0)), 'claims more'),
    (dict(shape=(10**400, 2)), 'a huge number'),
    (dict(shape=(2,)), 'has the shape'),
    (dict(shape=(1,) * 33, strides=(1,) * 33), 'has the shape'),
    (dict(numel=2**40), 'has 16 bytes; its tensors want'),
    (dict(numel=-1), 'the length of a storage is -1'),
    (dict(numel=3), 'has 16 bytes; its tensors want 12')])
def test_a_tensor_that_claims_more_is_refused(refused, changes, match):
  body = b'}' + text('x') + lying(**changes) + b's'
  refused(zipped(body, {'0': np.ones(4, 'f4').tobytes()}), match)


def test_missing_and_cut_storages_are_refused(refused, read):
  body = state_dict({'x': laid(np.ones(4, 'f4'), '0')})
  refused(zipped(body), "member 'archive/data/0' is missing")
  body = state_dict({'x': laid(np.ones(4, 'f4'), '0')}, True)
  refused(legacy(body), "storage '0' is missing")
  refused(legacy(body, {'0': (4, b'1234')}), 'the file only 4 more: it is cut')
  refused(legacy(body, {'0': (2**50, b'')}), 'has 1125899906842624 numbers')
  refused(legacy(body, {'0': (4, bytes(16)), '9': (0, b'')}),
          "a storage '9' that no tensor names")
  whole = saved(arrays(), False)
  for end in range(0, len(whole), 7):
    refused(whole[:end], '.')
  whole = saved(arrays())
  for end in range(0, len(whole), 37):
    refused(whole[:end], '.')


def test_bombs_are_refused_before_they_unpack(refused, monkeypatch):
  monkeypatch.setattr(room, 'SMALL_BYTES', 2**26)
  body = state_dict({'x': laid(np.ones(4, 'f4'), '0')})
  big = zipped(body, {'0': bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
  refused(big, 'has 1048576 bytes; its tensors want 16')
  x = Laid(np.ones(0, 'f4'), '<f4', 0, (4,), (1,), '0')
  body = b'}' + text('x') + x.pickled(False, 2**24 + 1) + b's'
  refused(zipped(body, {'0': bytes(2**26 + 4)},
                 compression=zipfile.ZIP_DEFLATED),
          'unpacks to over 100 times its size')
  file = io.BytesIO()
  header = (b"{'descr': '<f4', 'fortran_order': False, "
            b"'shape': (1099511627776,), }")
  with zipfile.ZipFile(file, 'w') as archive:
    archive.writestr('x.npy', b'\x93NUMPY\x01\x00' + struct.pack(
        '<H', len(header) + 1) + header + b'\n')
  refused(file.getvalue(), 'has 0 numbers; its shape is')


def test_pickles_that_would_never_end_are_cut_short(refused, monkeypatch):
  deep = b')' + b'\x85' * 200_000  # A tuple in a tuple in ...
  refused(zipped(deep), 'wanted a dict')
  refused(zipped(b'}' + deep + b'Ns'), 'has a tuple as a key')
  wide = b')' + b'q\x01h\x01\x86' * 100  # 2**100 empty tuples.
  refused(zipped(wide), 'wanted a dict')
  refused(zipped(wide + b'Q'), 'refers to a tuple')
  refused(zipped(wide + text('x') + b'\x93'), 'without a name')
  refused(zipped(wide + b')R'), 'calls what is not a function')
  refused(zipped(b'Nr\xff\xff\xff\xff]'), 'a list; wanted a dict')
  refused(zipped(b'\x8d' + struct.pack('<Q', 2**40)), 'binunicode8|bytes')
  refused(legacy(b'\x8d' + struct.pack('<Q', 2**40)), 'binunicode8|bytes')
  refused(zipped(b']q\x01h\x01a'), 'a list; wanted a dict')  # In itself.
  monkeypatch.setattr(torch_pickle, '_STEPS', 100)
  refused(zipped(b'N' * 101), 'more than 100 steps')


def test_what_is_no_file_of_tensors_is_refused(refused, tmp_path):
  refused(b'', "begins with b''")
  refused(b'GIF89a', "begins with b'GIF8'")
  refused(pickle.dumps({'a': 1}), 'not of PyTorch')
  refused(b'PK\x03\x04' + bytes(40), 'BadZipFile')
  file = io.BytesIO()
  with zipfile.ZipFile(file, 'w') as archive:
    archive.writestr('net/constants.pkl', b'')
    archive.writestr('net/data.pkl', b'')
  refused(file.getvalue(), 'TorchScript')
  file = io.BytesIO()
  np.savez(file, x=np.array([{}], object))
  refused(file.getvalue(), 'not an array of plain numbers')
  for header in (b'{', b'{"a": 1}', b'{"a": {"dtype": "F32", "shape": [9], '
                 b'"data_offsets": [0, 36]}}', b'[' * 99_999):
    refused(struct.pack('<Q', len(header)) + header, '.')
  refused(struct.pack('<Q', 2**50) + b'{', 'its header has')
  for path in (tmp_path / 'absent.pth', tmp_path):
    with pytest.raises(ValueError, match='no such file'):
      tensors.read(path)
