"""Pictures in a page: how many fit, and which."""
import base64
import io

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.report import thumbnails


@pytest.fixture
def paths(tmp_path):
  """Twenty pictures, each with more noise than the one before."""
  rng = np.random.default_rng(0)
  found = [tmp_path / f'{i}.png' for i in range(20)]
  for i, path in enumerate(found):
    Image.fromarray(np.uint8(np.clip(
        128 + rng.normal(0, 3 * i, (64, 64, 3)), 0, 255))).save(path)
  return found


def test_where_there_is_room_all_are_shown(paths):
  found = thumbnails.fitting(paths, 40, 10**9)
  assert [*found] == [*range(20)]
  assert found[7] == thumbnails.uri(paths[7])
  kind, _, text = found[7].partition(';base64,')
  with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
    assert (kind, picture.size) == ('data:image/webp', (64, 64))


@pytest.mark.parametrize('room', [3_000, 10_000, 20_000])
def test_where_there_is_not_they_are_evenly_apart_and_use_the_room(
    paths, room):
  found = thumbnails.fitting(paths, 40, room)
  size = sum(map(len, found.values()))
  assert size <= room or len(found) == 2
  assert [*found] == thumbnails.evenly(20, len(found))
  more = sum(len(thumbnails.uri(paths[i]))
             for i in thumbnails.evenly(20, 2 * len(found)))
  assert more > room


def test_at_most_so_many_are_shown(paths):
  assert [*thumbnails.fitting(paths, 3, 10**9)] == [0, 10, 19]
  assert [*thumbnails.fitting(paths[:1], 40, 1)] == [0]
  assert thumbnails.fitting([], 40, 1) == {}


def test_a_picture_that_is_half_written_or_gone_is_empty(paths):
  paths[0].write_bytes(paths[0].read_bytes()[:40])
  paths[1].unlink()
  found = thumbnails.fitting(paths[:3], 40, 10**9)
  assert [bool(x) for x in found.values()] == [False, False, True]


def test_no_picture_is_made_twice(paths, monkeypatch):
  made = []
  real = thumbnails.uri
  monkeypatch.setattr(thumbnails, 'uri', lambda path: (
      made.append(path), real(path))[1])
  thumbnails.fitting(paths, 40, 10_000)
  assert len(made) == len({*made})
