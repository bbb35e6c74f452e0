"""Laws of the weight norms: what they divide by, and when it moves."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.networks import initialization, plain
from msg_gan_jax.gan.networks.weight_norms import WEIGHT_NORMS

pytestmark = pytest.mark.slow

MATRIX = ('spectral', 'spectral_compare_gan')
ITERATED = (*MATRIX, 'spectral_operator', 'stable_rank')
LAYERS = {
    '3x3': dict(size=3), '4x4, stride 2': dict(size=4, stride=2),
    '5x5, stride 2': dict(size=5, stride=2),
    'nearest': dict(size=3, up='nearest'), 'zeros': dict(size=3, up='zeros'),
    'transposed': dict(size=4, up='transposed'),
    'transposed_5': dict(size=5, up='transposed_5'), 'dense': None}
SHAPE = 6, 4, 3  # height, width and channels of a layer's input


def module(norm, name, features=2, iterations=1, ratio=.7):
  settings = plain.LayerSettings(
      weight_norm=norm, iterations=iterations, ratio=ratio, use_bias=False)
  if LAYERS[name] is None:
    return plain.Dense(settings, features)
  return plain.Conv(settings, features, **LAYERS[name])


def drawn(layer, seed=2):
  """Variables of a layer whose kernel and vectors are drawn.

  By this seed the two largest singular values are .3% apart or more, so that
  iterations end.
  """
  return initialization.initialize(jax.random.key(seed), layer.init(
      jax.random.key(0), jnp.zeros((1, *SHAPE))))


def converged(layer, variables, passes=60):
  """Its variables after many passes that keep the vectors."""
  x = jnp.zeros((1, *SHAPE))
  move = jax.jit(lambda v: layer.apply(v, x, mutable=['stats'])[1])
  for _ in range(passes):
    variables = {**variables, **move(variables)}
  return variables


def dense(layer, variables):
  """[outputs, inputs] of a layer without bias, float64."""
  size = int(np.prod(SHAPE))
  basis = jnp.eye(size).reshape(size, *SHAPE)
  return np.asarray(layer.apply(variables, basis), float).reshape(size, -1).T


def rows(kernel):
  return np.asarray(kernel, float).reshape(-1, kernel.shape[-1]).T


def top(matrix):
  return np.linalg.svd(matrix, compute_uv=False)[0]


class Weight:
  """The weight of an oracle through a row of WEIGHT_NORMS.

  Args:
    entry: Oracle with w [O, I, kh, kw] and u0 [O].
    norm: the row.
    vector: where its iterations begin.
    settings: of `module`.
  """

  def __init__(self, entry, norm, vector, **settings):
    self.kernel = jnp.asarray(
        entry.scope['w'].transpose(2, 3, 1, 0), jnp.float32)
    self.layer = module(norm, '3x3', 8, **settings)
    self.stats = {'u': jnp.asarray(vector, jnp.float32),
                  'v': jnp.zeros(44 - vector.size)}

  def move(self, passes=1):
    """Moves the vectors; the weight [O, I kh kw] in torch's order."""
    # The middle outputs of one-hot pictures are the kernel.
    x = jnp.eye(36).reshape(36, 3, 3, 4)
    for _ in range(passes):
      y, new = self.layer.apply(
          {'params': {'kernel': self.kernel}, 'stats': self.stats}, x,
          mutable=['stats'])
      self.stats = new['stats']
    used = y[:, 1, 1].reshape(3, 3, 4, 8)
    return np.asarray(used).transpose(3, 2, 0, 1).reshape(8, 36)


def sigma(entry, weight):
  """What the oracle's matrix was divided by."""
  ratio = entry.scope['m'] / weight
  np.testing.assert_allclose(ratio, ratio[0, 0], rtol=2e-4)
  return np.linalg.norm(entry.scope['m']) / np.linalg.norm(weight)


@pytest.mark.parametrize('times', [1, 2, 50])
def test_spectral_equals_torch_and_mimicry(oracle, times):
  entry = oracle('spectral_norm_8x4x3x3')
  found = Weight(entry, 'spectral', entry.scope['u0'])
  wanted = entry.expected[f'after_{times}']
  entry.assert_close(sigma(entry, found.move(times)), wanted['sigma'])
  # float32 at vectors of length 1.
  np.testing.assert_allclose(found.stats['u'], wanted['u'], atol=2e-6)
  at_once = Weight(
      entry, 'spectral', entry.scope['u0'], iterations=times)
  entry.assert_close(sigma(entry, at_once.move()), wanted['sigma'])


@pytest.mark.parametrize('times', [1, 2, 50])
def test_spectral_compare_gan_keeps_the_vector_of_the_inputs(oracle, times):
  # Begun half an iteration later, at unit(M^T u0), it has torch's u as its v,
  # and sigma = |M^T u|.
  entry = oracle('spectral_norm_8x4x3x3')
  hwio = rows(entry.scope['w'].transpose(2, 3, 1, 0))
  begin = hwio.T @ entry.scope['u0']
  found = Weight(
      entry, 'spectral_compare_gan', begin / np.linalg.norm(begin))
  weight = found.move(times)
  u = np.array(entry.expected[f'after_{times}']['u'])
  entry.assert_close(
      sigma(entry, weight), np.linalg.norm(entry.scope['m'].T @ u))
  np.testing.assert_allclose(found.stats['v'], u, atol=2e-6)
  assert found.stats['u'].shape == (36,)
  if times == 50:
    entry.assert_close(
        sigma(entry, weight), entry.expected['exact_top_singular_value'])


@pytest.mark.parametrize('c', [.7, .5, .3, 1.])
def test_stable_rank_reaches_its_target(oracle, c):
  entry = oracle('stable_rank_norm_8x4x3x3')
  found = Weight(
      entry, 'stable_rank', entry.scope['u0'], iterations=60, ratio=c).move()
  wanted = entry.expected[f'c={c}']
  # float32, and vectors that have converged to about 1e-6.
  np.testing.assert_allclose(
      found[0, :12], wanted['result_first_row'], atol=2e-6)
  np.testing.assert_allclose(
      found[-1, -4:], wanted['result_probe_last'], atol=2e-6)
  values = np.linalg.svd(found, compute_uv=False)
  np.testing.assert_allclose(values, wanted['singular_values'], atol=1e-5)
  assert values[0] == pytest.approx(1, abs=1e-4)
  rank = (values**2).sum() / values[0]**2
  assert rank == pytest.approx(
      wanted['target_r'] if wanted['active'] else wanted['stable_rank'],
      abs=1e-4)
  assert rank <= wanted['target_r'] + 1e-4


def test_stable_rank_at_1_is_spectral(oracle):
  entry = oracle('stable_rank_norm_8x4x3x3')
  weights = [Weight(entry, norm, entry.scope['u0'], iterations=3, ratio=1.)
             .move() for norm in ('stable_rank', 'spectral')]
  np.testing.assert_allclose(*weights, atol=1e-7)


@pytest.mark.parametrize('name', LAYERS)
def test_spectral_operator_gives_the_layer_itself_norm_1(name):
  layer, bare = (module(norm, name, iterations=5) for norm in (
      'spectral_operator', 'none'))
  begin = drawn(layer)
  before = top(dense(bare, {'params': begin['params']}))
  assert not .99 < before < 1.01  # the law has something to do
  assert top(dense(layer, converged(layer, begin, 200))) == pytest.approx(
      1, abs=1e-4)


@pytest.mark.parametrize('name', LAYERS)
@pytest.mark.parametrize('norm', MATRIX)
def test_matrix_norms_divide_by_the_norm_of_the_flat_kernel(norm, name):
  layer, bare = (module(kind, name, iterations=5) for kind in (norm, 'none'))
  variables = converged(layer, drawn(layer))
  kernel = variables['params']['kernel']
  flat = rows(kernel)
  if name.startswith('transposed') and norm == 'spectral_compare_gan':
    flat = np.asarray(kernel, float).transpose(0, 1, 3, 2).reshape(
        -1, kernel.shape[2])
    assert variables['stats']['v'].shape == (3,)  # of the inputs
  whole = dense(bare, {'params': variables['params']})
  np.testing.assert_allclose(
      dense(layer, variables), whole / top(flat), rtol=1e-4, atol=1e-6)


def by_vectors(norm, layer, variables):
  """sigma of the vectors that were kept, or of an iteration later."""
  u, v = (np.asarray(variables['stats'][k], float) for k in 'uv')
  if norm == 'spectral_operator':
    bare = layer.clone(settings=layer.settings._replace(weight_norm='none'))
    matrix = dense(bare, {'params': variables['params']})
  else:
    matrix = rows(variables['params']['kernel'])
    matrix = matrix.T if norm == 'spectral_compare_gan' else matrix
  u, v = u.ravel(), v.ravel()
  if norm == 'spectral_compare_gan':
    v = matrix.T @ u
    v /= np.linalg.norm(v)
    u = matrix @ v
    u /= np.linalg.norm(u)
  return u @ matrix @ v


@pytest.mark.parametrize('norm', ITERATED)
def test_a_pass_that_may_not_keep_the_vectors_uses_those_that_were(norm):
  layer = module(norm, '3x3', 4, ratio=1.)
  begin = drawn(layer)
  # One iteration: far from converged, so that another would be seen.
  variables = converged(layer, begin, 1)
  x = jax.random.normal(jax.random.key(2), (2, *SHAPE))
  once, again = layer.apply(variables, x), layer.apply(variables, x)
  np.testing.assert_array_equal(once, again)
  also, left = layer.apply(variables, x, mutable=['moments'])
  np.testing.assert_array_equal(once, also)
  assert not left.get('moments')
  bare = layer.clone(settings=layer.settings._replace(weight_norm='none'))
  raw = bare.apply({'params': variables['params']}, x)
  np.testing.assert_allclose(
      raw / by_vectors(norm, layer, variables), once, rtol=1e-4, atol=1e-5)
  moved, stats = layer.apply(variables, x, mutable=['stats'])
  for k in 'uv':
    assert not np.allclose(stats['stats'][k], variables['stats'][k], atol=1e-4)
  if norm == 'spectral_compare_gan':  # it iterates there too
    np.testing.assert_array_equal(moved, once)
  else:
    assert not np.allclose(moved, once, rtol=1e-4)


def used(layer, kernel, stats):
  """[outputs, inputs] that a layer multiplies with, by its kernel."""
  size = int(np.prod(SHAPE))
  basis = jnp.eye(size).reshape(size, *SHAPE)
  return layer.apply({'params': {'kernel': kernel}, 'stats': stats}, basis)


@pytest.mark.parametrize('norm', ITERATED)
def test_the_gradient_passes_through_sigma(norm):
  """... as finite differences in float64 of the exact function.

  sigma's slope by u and v is 0 where they have converged. Stable rank's rest
  has none of that: there they are held.
  """
  layer = module(norm, '3x3', 4, iterations=5, ratio=.4)
  bare = layer.clone(settings=layer.settings._replace(weight_norm='none'))
  variables = converged(layer, drawn(layer), 100)
  kernel, stats = variables['params']['kernel'], variables['stats']
  way, weights = (jax.random.normal(jax.random.key(k), shape) for k, shape in (
      (5, kernel.shape), (6, used(layer, kernel, stats).shape)))
  slope = jax.grad(lambda w: (weights * used(layer, w, stats)).sum())(kernel)
  got = float((slope * way).sum())
  here, there = (np.asarray(x, float) for x in (kernel, way))
  u, v = (np.asarray(stats[k], float).ravel() for k in 'uv')
  whole, turn = (dense(bare, {'params': {'kernel': w}}) for w in (kernel, way))

  def exact(step):
    w = here + step * there
    if norm == 'spectral_operator':
      return w / top(whole + step * turn)
    matrix = rows(w)
    if norm != 'stable_rank':
      return w / top(matrix)
    matrix = matrix / (u @ matrix @ v)
    rest = matrix - np.outer(u, v)
    rest *= (.4 * min(matrix.shape) - 1)**.5 / np.linalg.norm(rest)
    return (np.outer(u, v) + rest).T.reshape(w.shape)

  by_kernel = np.asarray(jax.grad(lambda w: (weights * used(
      bare, w, {})).sum())(kernel), float)  # the layer is linear in it
  step = 1e-5  # of a kernel of about .02
  wanted = (by_kernel * (exact(step) - exact(-step))).sum() / (2 * step)
  assert got == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize('norm', ITERATED)
@pytest.mark.parametrize('name', ['dense', '3x3'])
def test_a_layer_of_one_output_stays_finite_and_learns(norm, name):
  layer = module(norm, name, 1, ratio=.7)  # .7 of rank 1 is less than one
  variables = converged(layer, drawn(layer), 2)
  kernel, stats = variables['params']['kernel'], variables['stats']
  value, slope = jax.value_and_grad(
      lambda w: used(layer, w, stats)[:7].sum())(kernel)
  assert np.isfinite(value) and np.isfinite(slope).all()
  assert np.abs(slope).max() > 1e-3  # and it learns
  if name == 'dense':  # of one row sigma is exact at once
    assert np.linalg.norm(used(layer, kernel, stats)) == pytest.approx(
        1, abs=1e-5)


@pytest.mark.parametrize('name', LAYERS)
def test_weight_norm_gives_each_output_its_length(name):
  layer = module('weight', name, 5)
  begin = layer.init(jax.random.key(0), jnp.zeros((1, *SHAPE)))['params']
  fan_in = begin['kernel'].size // 5
  np.testing.assert_allclose(  # .02 is the deviation of the law
      begin['length'], np.full(5, .02 * fan_in**.5), rtol=1e-6)
  kernel = drawn(layer)['params']['kernel']
  length = jnp.arange(1., 6.)
  x = jax.random.normal(jax.random.key(3), (2, *SHAPE))
  bare = layer.clone(settings=layer.settings._replace(weight_norm='none'))
  direction = kernel / jnp.linalg.norm(kernel.reshape(-1, 5), axis=0)
  np.testing.assert_allclose(
      layer.apply({'params': {'kernel': kernel, 'length': length}}, x),
      bare.apply({'params': {'kernel': direction * length}}, x),
      rtol=1e-4, atol=1e-5)


def test_weight_norms_gradient_leaves_the_length_of_the_kernel():
  layer = module('weight', '3x3', 5)
  params = {'kernel': drawn(layer)['params']['kernel'],
            'length': jnp.arange(1., 6.)}
  x = jax.random.normal(jax.random.key(3), (2, *SHAPE))
  slope = jax.grad(
      lambda p: (layer.apply({'params': p}, x)**3).sum())(params)
  along = (slope['kernel'] * params['kernel']).sum((0, 1, 2))
  size = (jnp.linalg.norm(slope['kernel'].reshape(-1, 5), axis=0)
          * jnp.linalg.norm(params['kernel'].reshape(-1, 5), axis=0))
  assert (jnp.abs(along) < 1e-5 * size).all()
  assert (jnp.abs(slope['length']) > 0).all()


def test_every_row_has_a_law_here():
  assert set(WEIGHT_NORMS) == {'none', 'weight', *ITERATED}
