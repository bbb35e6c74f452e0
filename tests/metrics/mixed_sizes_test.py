"""Laws of folders as people have them: any sizes, kinds and depths."""
import helpers
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.data.mixed_sizes import MixedSizes
from msg_gan_jax.metrics import evaluate, pair, protocols, sets, table
from msg_gan_jax.metrics.features import extract, published_weights
from msg_gan_jax.metrics.features import table as features_table

SIZES = (20, 16), (33, 21), (20, 16), (40, 60), (9, 12)  # Widths and heights.
MODES = 'RGB', 'RGBA', 'P', 'L', 'LA', '1'


def draw(root, name, i, mode='RGB', **options):
  """Saves a picture; what PIL's convert('RGB') makes of the file, uint8."""
  pixels = helpers.picture(i, *SIZES[i % len(SIZES)], 4)
  image = Image.fromarray(pixels)
  if mode != 'RGBA':
    image = image.convert('LA' if mode == 'LA' else 'RGB').convert(mode)
  helpers.save(root / name, image, **options)
  with Image.open(root / name) as file:
    return np.asarray(file.convert('RGB'))


@pytest.fixture
def folder(tmp_path):
  """(path, [pixels as the peers read them]): all sizes and modes, in folders.
  """
  root = tmp_path / 'set'
  drawn = {f'{"ab"[i % 2]}/{i:02}.png': draw(
      root, f'{"ab"[i % 2]}/{i:02}.png', i, MODES[i % len(MODES)])
      for i in range(13)}
  return str(root), [drawn[name] for name in sorted(drawn)]


@pytest.fixture
def shown(monkeypatch):
  """Inception without weights: a feature is a pixel that it is shown."""
  class Shown:
    def apply(self, variables, x):
      return {'2048': x[:, ::60, ::60].reshape(len(x), -1)}
  monkeypatch.setattr(features_table.inception, 'Inception', Shown)
  monkeypatch.setattr(features_table.inception, 'from_tensors', lambda x: {})
  monkeypatch.setattr(published_weights, 'find', lambda *args: (
      published_weights.Tensors({}, 'none')))
  monkeypatch.setitem(features_table._INCEPTION, '2048', 75)


def options(tmp_path, name='clean', features='', **more):
  return pair.Options(protocols.PROTOCOLS[name], name, features,
                      cache_dir=str(tmp_path / 'cache'), **more)


@pytest.mark.parametrize('name', ['torch_fidelity', 'pytorch_fid', 'clean'])
def test_each_picture_goes_through_the_protocols_own_resize(
    name, folder, tmp_path, shown):
  path, pictures = folder
  source = sets.open_set(path, cache_dir=str(tmp_path / 'cache'))
  for i, wanted in enumerate(pictures):
    np.testing.assert_array_equal(source.own_size(i), wanted)
  extractor = features_table.open_extractor('inception', features_table.Request(
      ('2048',), protocols.PROTOCOLS[name], source))._replace(batch=4)
  indices = np.array([12, 0, 3, 3, 7, 1])
  found = extract.features(source, extractor, indices)['2048']
  for row, i in zip(found, indices, strict=True):
    alone = extractor.apply({}, pictures[i][None])['2048'][0]
    np.testing.assert_allclose(row, alone, atol=2e-5)


def test_two_sizes_and_many_are_scored_by_features_that_resize(
    folder, tmp_path, shown):
  mixed = sets.open_set(folder[0], cache_dir=str(tmp_path / 'cache'))
  for side in 16, 24:
    for i in range(4):
      draw(tmp_path / f'{side}', f'{i}.png', i)
  one, other = (sets.open_set(str(tmp_path / str(side)), resolution=side,
                              cache_dir=str(tmp_path / 'cache'))
                for side in (16, 24))
  for real, fake in (mixed, one), (one, other), (other, mixed):
    scores, record = evaluate.compute(
        pair.Pair(real, fake, options(tmp_path)), ('fid',))
    assert all(np.isfinite(x.value) for x in scores)
    assert (record['n_real'], record['n_fake']) == (len(real), len(fake))


@pytest.mark.parametrize('metric, features', [
    ('fid', 'random_conv'), ('kid', 'pixels'), ('fid', 'classifier'),
    ('swd', ''), ('ms_ssim', ''), ('memorised', 'inception'),
    ('precision_recall', 'random_conv')])
def test_what_needs_one_size_says_which_there_are_and_what_helps(
    metric, features, folder, tmp_path, shown):
  cache = str(tmp_path / 'cache')
  mixed = sets.open_set(folder[0], cache_dir=cache)
  same = sets.open_set(folder[0], resolution=16, cache_dir=cache)
  for real, fake in (mixed, same), (same, mixed), (mixed, mixed):
    sides = pair.Pair(real, fake, options(tmp_path, 'local', features))
    with pytest.raises(ValueError, match=(
        r'^(real|fake): set has pictures of 4 sizes: 20x16 \(6\), .* wants one '
        r'size, such as resolution=\d+, to which all are cropped and resized')):
      evaluate.open_features(sides, (metric,))
  with pytest.raises(ValueError, match='or .* protocol=clean with metrics=fid'):
    evaluate.open_features(
        pair.Pair(mixed, mixed, options(tmp_path, 'local')), ('fid',))


def test_what_helps_does(folder, tmp_path):
  cache = str(tmp_path / 'cache')
  real, fake = (sets.open_set(folder[0], resolution=16, cache_dir=cache)
                for _ in range(2))
  scores, _ = evaluate.compute(
      pair.Pair(real, fake, options(tmp_path, 'local', 'pixels')), ('fid',))
  assert scores[0].value == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize('names', [
    ('a.png', 'deep/er/b.png', 'c/d.png'), ('train/a.png', 'test/b.png'),
    ('a.png', 'b.png'), ('cat/a.png', 'dog/b.png', 'dog/x/c.png')])
def test_pictures_at_any_depth_count(names, tmp_path):
  for i, name in enumerate(names):
    draw(tmp_path / 'set', name, 2 * (i % 2))  # Of one size.
  source = sets.open_set(str(tmp_path / 'set'), cache_dir=str(tmp_path / 'c'))
  assert len(source) == len(names) and source.shape == (16, 20, 3)
  assert source.classes == (('cat', 'dog') if 'cat' in names[0] else ())


def test_a_metric_of_classes_says_why_there_are_none(tmp_path):
  for i, name in enumerate(('a.png', 'cat/b.png', 'dog/c.png')):
    draw(tmp_path / 'set', name, 2 * (i % 2))
  source = sets.open_set(str(tmp_path / 'set'), cache_dir=str(tmp_path / 'c'))
  with pytest.raises(ValueError, match=(
      'intra_fid compares classes, and the pictures of real .* have none: '
      "1 picture lies loose .'a.png' the first")):
    table.METRICS['intra_fid'].features(
        pair.Pair(source, source, options(tmp_path)))


@pytest.mark.parametrize('modes', [
    ('RGB', 'RGBA'), ('RGBA', 'RGB'), ('L', 'RGBA'), ('P', 'RGB'), ('L', 'P')])
def test_of_several_kinds_alpha_is_left_out_as_the_peers_do(modes, tmp_path):
  wanted = [draw(tmp_path / 'set', f'{i}.png', 5 * i, mode)
            for i, mode in enumerate(modes)]
  source = sets.open_set(str(tmp_path / 'set'), cache_dir=str(tmp_path / 'c'))
  np.testing.assert_array_equal(source.images(np.arange(2)), wanted)


def test_pictures_that_their_exif_turns_have_the_size_that_one_sees(tmp_path):
  exif = Image.Exif()
  exif[274] = 6  # A quarter to the right.
  draw(tmp_path / 'set', '0.jpg', 0)
  draw(tmp_path / 'set', '1.jpg', 0, exif=exif)
  cache = str(tmp_path / 'cache')
  source = sets.open_set(str(tmp_path / 'set'), cache_dir=cache)
  assert isinstance(source, MixedSizes)
  assert [source.own_size(i).shape for i in (0, 1)] == [(16, 20, 3),
                                                        (20, 16, 3)]
  (tmp_path / 'set' / '0.jpg').unlink()
  source = sets.open_set(str(tmp_path / 'set'), cache_dir=cache)
  assert source.shape == (20, 16, 3)


def test_a_picture_that_breaks_off_is_named(tmp_path):
  for i in range(2):
    draw(tmp_path / 'set', f'{i}.png', i)
  broken = tmp_path / 'set' / '1.png'
  broken.write_bytes(broken.read_bytes()[:200])
  source = sets.open_set(str(tmp_path / 'set'), cache_dir=str(tmp_path / 'c'))
  with pytest.raises(ValueError, match=r'cannot read .*1\.png'):
    source.own_size(1)


@pytest.mark.parametrize('sides', [(16, 16), (16, 20)])
def test_nearly_black_sets_are_told_with_the_range_that_suits(sides, tmp_path):
  for i in range(8):
    scan = np.random.default_rng(i).integers(
        0, 4096, (sides[i % 2],) * 2, np.uint16)
    helpers.save(tmp_path / 'set' / f'{i}.png', scan)

  def doubts(**more):
    scans = sets.open_set(str(tmp_path / 'set'), cache_dir=str(
        tmp_path / 'cache'), **more)
    return pair.Pair(scans, scans, options(tmp_path)).doubts()

  told = doubts()
  assert len(told) == 2 and all('are nearly black' in line for line in told)
  suited, = {line.partition('range=')[2].split()[0] for line in told}
  assert suited == '0:4095' and doubts(range=suited) == []
