"""Seeded programs of peers: their weights in our layout, their numbers.

A file below gan/programs has what a peer's own code computes of weights that a
rule draws anew: names and layouts are the peer's, OIHW and NCHW. Large arrays
are there as sums: of squares, and of products with seeded normals (`probe`),
which a permutation or a flip would change.
"""
import hashlib
import json
import re

from helpers import ROOT
import jax
import jax.numpy as jnp
import numpy as np

FOLDER = ROOT / 'tests' / 'gan' / 'programs'


def rng(name, seed):
  """The generator that all of a program's numbers of this name come from."""
  digest = hashlib.sha256(f'{seed}/{name}'.encode()).digest()
  return np.random.Generator(
      np.random.PCG64(int.from_bytes(digest[:8], 'little')))


def probe(array, name='probe'):
  """The sum of products of an array, in the peer's layout, with normals."""
  return float((np.asarray(array, np.float64)
                * rng(name, 0).standard_normal(array.shape)).sum())


def nhwc(x):
  return np.asarray(x).transpose(0, 2, 3, 1)


def nchw(x):
  return np.asarray(x).transpose(0, 3, 1, 2)


def _axes(there, back):
  """A layout: axes from the peer's to ours, and from ours to the peer's."""
  return (lambda x, _: x.transpose(there), lambda x, _: x.transpose(back))


# Of an array: (the peer's and our shape -> ours, ours and its shape -> its).
SAME = (lambda x, _: x,) * 2
KERNEL = _axes((2, 3, 1, 0), (3, 2, 0, 1))
TRANSPOSED = _axes((2, 3, 0, 1), (2, 3, 0, 1))
FLIPPED = (lambda x, _: x[:, :, ::-1, ::-1].transpose(2, 3, 1, 0),
           lambda x, _: x.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1])
MATRIX = (lambda x, shape: x.T.reshape(shape),
          lambda x, shape: x.reshape(shape[::-1]).T)
MAPS = _axes((1, 2, 0), (2, 0, 1))
# [C 4 4, ...] <-> [..., 4 4 C], of the layer from z to maps.
TO_MAPS = (
    lambda x, _: np.moveaxis(
        x.reshape(-1, 4, 4, *x.shape[1:]), 0, 2).reshape(x.shape).T,
    lambda x, shape: np.moveaxis(
        x.T.reshape(4, 4, -1, *shape[1:]), 2, 0).reshape(shape))
# [O, C h w] <-> [h, w, C, O], of the layer from maps to a vector.
FROM_MAPS = (
    lambda x, s: x.reshape(s[3], s[2], *s[:2]).transpose(2, 3, 1, 0),
    lambda x, shape: x.transpose(3, 2, 0, 1).reshape(shape))


def _layer(layout, weight='weight', bias='bias'):
  """A layer's arrays: {the peer's name: (ours, layout)}."""
  return {weight: ('kernel', layout),
          'bias': (bias, TO_MAPS if layout is TO_MAPS else SAME)}


CONV, DENSE = _layer(KERNEL), _layer(MATRIX)
BEFORE_NORM = _layer(KERNEL, bias='dead_bias')
NORM = {'weight': ('scale', SAME), 'bias': ('bias', SAME)}
SN_CONV = _layer(KERNEL, 'weight_orig')
STYLED = {'noise_strength': ('noise', SAME),
          'affine.weight': ('style/kernel', MATRIX),
          'affine.bias': ('style/bias', SAME)}

# {player: rows of (pattern of a peer's layer, our layer, its arrays)}; the
# first row that fits a name counts. Numbers in a name are arguments of ours.
NAMES = {
    'studiogan_lsgan': {
        'G': (('linear0', 'start', _layer(TO_MAPS)),
              (r'blocks.(\d).0.deconv0', lambda i: f'conv_{8 << i}',
               _layer(TRANSPOSED, bias='dead_bias')),
              (r'blocks.(\d).0.bn0', lambda i: f'norm_{8 << i}', NORM),
              ('conv4', 'image', CONV)),
        'D': ((r'blocks.(\d).0.conv(\d)', lambda i, j: f'conv_{2 * i + j}',
               BEFORE_NORM),
              (r'blocks.(\d).0.bn(\d)', lambda i, j: f'norm_{2 * i + j}', NORM),
              ('conv1', 'conv_6', BEFORE_NORM), ('bn1', 'norm_6', NORM),
              ('linear1', 'score', DENSE))},
    'mimicry_sngan32': {
        'G': (('l1', 'start', _layer(TO_MAPS)),
              (r'block(\d).c(\d)', lambda i, j: f'block_{2 << i}/conv_{j}',
               BEFORE_NORM),
              (r'block(\d).b(\d)', lambda i, j: f'block_{2 << i}/norm_{j}',
               NORM),
              (r'block(\d).c_sc', lambda i: f'block_{2 << i}/shortcut',
               BEFORE_NORM),
              ('b5', 'norm', NORM), ('c5', 'image', CONV)),
        'D': ((r'block(\d).c(\d)', lambda i, j: f'block_{i - 1}/conv_{j}',
               SN_CONV),
              (r'block(\d).c_sc', lambda i: f'block_{i - 1}/shortcut', SN_CONV),
              ('l5', 'score', _layer(MATRIX, 'weight_orig')))},
    'r3gan_cifar10': {
        player: tuple(
            (r'Model.MainLayers.(\d).Layers.(\d).' + peer, ours, arrays)
            for peer, ours, arrays in (
                (r'LinearLayer(\d)', lambda i, j, k, size=size, first=first: (
                    f'block_{size(i)}_{j + first}/conv_{k}'),
                 {'Layer.weight': ('kernel', KERNEL)}),
                (r'NonLinearity(\d)', lambda i, j, k, size=size, first=first: (
                    f'block_{size(i)}_{j + first}/conv_{k}'),
                 {'Bias': ('bias', SAME)}),
                ('Basis', lambda *_: 'basis', {'weight': ('kernel', (
                    lambda x, _: x[:, 0].transpose(1, 2, 0),
                    lambda x, _: x.transpose(2, 0, 1)[:, None]))}),
                ('LinearLayer', lambda *_: 'linear', DENSE))) + (
            (r'Model.MainLayers.0.Layers.0', 'basis',
             {'Basis': ('kernel', MAPS)}),
            ('Model.EmbeddingLayer', 'embedding', DENSE),
            ('Model.AggregationLayer.Layer', 'rgb_32', CONV),
            ('Model.ExtractionLayer.Layer', 'from_rgb', CONV))
        for player, size, first in (
            ('G', lambda i: 4 << i, 0), ('D', lambda i: 32 >> i, 1))},
    'bmsg_gan_d4_l32': {
        'G': (('layers.0.conv_1', 'block_4_conv_1', _layer(TRANSPOSED)),
              (r'layers.(\d).conv_(\d)',
               lambda i, j: f'block_{4 << i}_conv_{j}', CONV),
              (r'rgb_converters.(\d)', lambda i: f'rgb_{4 << i}', CONV)),
        'D': (('rgb_to_features.2', 'from_rgb', CONV),
              (r'rgb_to_features.(\d)', lambda i: f'join_{8 << i}/phi', CONV),
              ('final_converter', 'join_4/phi', CONV),
              (r'layers.(\d).conv_(\d)',
               lambda i, j: f'block_{8 << i}_conv_{j}', CONV),
              ('final_block.conv_3', 'score', CONV),
              (r'final_block.conv_(\d)', lambda j: f'block_4_conv_{j}', CONV))},
    'stylegan2_ada_uncond_resnet': {
        'G': ((r'mapping.fc(\d)', lambda i: f'mapping/dense_{i + 1}', DENSE),
              (r'synthesis.b4', 'synthesis/constant',
               {'const': ('kernel', MAPS)}),
              (r'synthesis.b(\d+).conv0',
               lambda size: f'synthesis/block_{size}_conv_1',
               _layer(FLIPPED) | STYLED),
              (r'synthesis.b(\d+).conv1',
               lambda size: f'synthesis/block_{size}_conv_2', CONV | STYLED),
              (r'synthesis.b(\d+).torgb', lambda size: f'synthesis/rgb_{size}',
               STYLED | _layer((lambda x, _: x[:, :, 0, 0].T,
                                lambda x, _: x.T[:, :, None, None])))),
        'D': (('b4.fc', 'block_4_conv_2', _layer(FROM_MAPS)),
              ('b4.out', 'score', DENSE), ('b4.conv', 'block_4_conv_1', CONV),
              ('b32.fromrgb', 'from_rgb', CONV),
              (r'b(\d+).conv(\d)', lambda size, j: f'block_{size}_conv_{j + 1}',
               CONV),
              (r'b(\d+).skip', lambda size: f'block_{size}_shortcut', CONV))},
}


class Program:
  """What a peer's program has and gives.

  Attributes:
    expected: its numbers.
    entries: all of the file.
  """

  def __init__(self, name):
    self.entries = json.loads((FOLDER / f'{name}.json').read_text())
    self.expected, self._names = self.entries['expected'], NAMES[name]

  def weights(self, player, like, seed=None):
    """A tree like `like`, of 'G' or 'D', with the weights of a seed.

    Args:
      player: 'G' or 'D', whose names they are.
      like: our parameters; each must have one of the peer's.
      seed: another player's than its own, such as that of an average.
    """
    seed = self.entries[f'{player}_seed'] if seed is None else seed
    values = {}
    for name, shape, mean, std in self.entries[player]:
      path, how = self._ours(player, name)
      drawn = np.asarray(
          mean + std * rng(name, seed).standard_normal(shape), np.float32)
      values[path] = how[0](drawn, _at(like, path).shape)
    leaves, tree = jax.tree_util.tree_flatten_with_path(like)
    paths = [_text(path) for path, _ in leaves]
    assert sorted(paths) == sorted(values), set(paths) ^ set(values)
    for path, (_, leaf) in zip(paths, leaves, strict=True):
      assert values[path].shape == leaf.shape, path
    return jax.tree.unflatten(tree, [jnp.asarray(values[p]) for p in paths])

  def vectors(self, like):
    """Statistics of D, with the peer's vectors of its power iterations."""
    seed = self.entries['D_seed']
    stats = jax.tree.map(np.array, like)
    for name, *_ in self.entries['D']:
      if name.endswith('weight_orig'):
        path, _ = self._ours('D', name)
        place = _at(stats, path.rpartition('/')[0])
        u = rng(name.replace('weight_orig', 'weight_u'), seed)
        u = u.standard_normal(place['u'].shape)
        place['u'] = np.asarray(u / np.linalg.norm(u), np.float32)
    return jax.tree.map(jnp.asarray, stats)

  def assert_leaves(self, player, tree, wanted, tolerance):
    """Compares a tree of ours with {name: {'l2', 'probe'}} of the peer.

    Args:
      player: 'G' or 'D', whose names they are.
      tree: of our parameters' form.
      wanted: of every parameter.
      tolerance: of a leaf's size; a leaf that is nothing but rounding, a
        millionth of the largest, need only be as small.
    """
    least = 1e-6 * max(entry['l2'] for entry in wanted.values())
    shapes = {name: shape for name, shape, *_ in self.entries[player]}
    assert sorted(shapes) == sorted(wanted)
    for name, entry in wanted.items():
      path, how = self._ours(player, name)
      leaf = how[1](np.asarray(_at(tree, path)), tuple(shapes[name]))
      assert leaf.shape == tuple(shapes[name])
      most = max(tolerance * entry['l2'], least)
      assert abs(np.linalg.norm(leaf) - entry['l2']) <= most, name
      # Normals add up an error as its length, in one of two cases.
      assert abs(probe(leaf, f'probe/{name}') - entry['probe']) <= 3 * most, (
          name, probe(leaf, f'probe/{name}'), entry)

  def _ours(self, player, name):
    """(our path, layout) of a peer's name."""
    for pattern, layer, arrays in self._names[player]:
      ends = '|'.join(map(re.escape, arrays))
      if match := re.fullmatch(rf'{pattern}\.({ends})', name):
        *numbers, array = match.groups()
        if callable(layer):
          layer = layer(*map(int, numbers))
        leaf, layout = arrays[array]
        return f'{layer}/{leaf}', layout
    raise AssertionError(f'{player} {name}: not in the table')


def assert_array(got, wanted, tolerance):
  """Compares an array of the peer's layout with its sums.

  The tolerance is of the largest value.
  """
  got = np.asarray(got, np.float64)
  assert list(got.shape) == wanted['shape']
  largest = np.abs(got).max()
  np.testing.assert_allclose(
      got.ravel()[:len(wanted['first'])], wanted['first'], rtol=0,
      atol=tolerance * largest)
  most = 3 * tolerance * largest * got.size**.5
  assert abs(probe(got) - wanted['probe']) <= most
  assert abs((got**2).sum() - wanted['sum_of_squares']) <= (
      2 * tolerance * wanted['sum_of_squares'] + 1e-9)


def _at(tree, path):
  for part in path.split('/'):
    tree = tree[part]
  return tree


def _text(path):
  return '/'.join(str(key.key) for key in path)
