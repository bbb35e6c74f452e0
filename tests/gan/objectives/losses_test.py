"""Losses and their gradients equal the peers', and are safe at any logit."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.objectives import losses
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.gan.state import Verdict

ORACLES = {
    'non_saturating': 'non_saturating',
    'minimax': 'minimax_saturating',
    'hinge': 'hinge',
    'wasserstein': 'wasserstein',
    'least_squares': 'least_squares_raw_logits',
    'least_squares_sigmoid': 'least_squares_sigmoid',
    'least_squares_bmsg': 'least_squares_of_batch_means_BMSG',
    'relativistic_average_hinge': 'relativistic_average_hinge',
}


def value_and_gradients(function, real, fake):
  return jax.value_and_grad(
      lambda r, f: function(Verdict(r), Verdict(f)), (0, 1))(
          jnp.asarray(real, jnp.float32), jnp.asarray(fake, jnp.float32))


@pytest.mark.parametrize('name', ORACLES)
def test_losses_and_gradients_equal_the_peers(oracle, name):
  entry = oracle(f'loss_moderate_{ORACLES[name]}')
  for player in 'DG':
    function = getattr(LOSSES[name], player.lower())
    value, grads = value_and_gradients(function, **{
        k: entry.inputs[k] for k in ('real', 'fake')})
    entry.assert_close(value, entry.expected[player])
    wanted = entry.expected['gradients']
    for logits, got in zip(('real', 'fake'), grads, strict=True):
      key = f'd{player}_d{logits}'
      if key in wanted:
        np.testing.assert_allclose(
            got, wanted[key]['values'], rtol=2e-5, atol=2e-6)


def test_drift_equals_the_peers(oracle):
  entry = oracle('loss_moderate_wasserstein_drift_0.001')
  real, fake = (Verdict(jnp.asarray(entry.inputs[k], jnp.float32))
                for k in ('real', 'fake'))
  got = LOSSES['wasserstein'].d(real, fake) + .001 * losses.drift(real)
  entry.assert_close(got, entry.expected['D'])


def test_relativistic_pairing_is_the_logistic_loss_of_differences():
  real, fake = np.array([3., -1., .5]), np.array([1., 2., .5])
  value, _ = value_and_gradients(LOSSES['relativistic'].d, real, fake)
  assert float(value) == pytest.approx(
      np.log1p(np.exp(fake - real)).mean(), rel=1e-6)
  value, _ = value_and_gradients(LOSSES['relativistic'].g, real, fake)
  assert float(value) == pytest.approx(
      np.log1p(np.exp(real - fake)).mean(), rel=1e-6)


@pytest.mark.parametrize('name', LOSSES)
def test_every_loss_is_finite_at_a_thousand(name):
  ends = jnp.array([-1e3, -1e3, 1e3, 1e3, 0.])
  for function in LOSSES[name][:2]:
    value, grads = value_and_gradients(function, ends, ends[::-1])
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in grads)


@pytest.mark.slow
@pytest.mark.parametrize('name', LOSSES)
def test_separable_losses_are_means_over_parts_and_others_are_not(name):
  rng = np.random.default_rng(0)
  real, fake = (3 * rng.standard_normal((2, 4)).astype('f') for _ in range(2))
  gaps = []
  for function in LOSSES[name][:2]:
    whole, _ = value_and_gradients(function, real.ravel(), fake.ravel())
    parts = [value_and_gradients(function, r, f)[0]
             for r, f in zip(real, fake, strict=True)]
    gaps.append(abs(float(whole) - float(np.mean(parts))))
  assert (max(gaps) < 1e-5) == LOSSES[name].separable


@pytest.mark.parametrize('name', LOSSES)
def test_better_logits_are_a_smaller_loss(name):
  """D gains when reals rise; G gains when fakes rise."""
  # Here every loss has a slope: neither hinge is satisfied.
  real, fake = np.full(4, .2), np.full(4, .1)
  _, (by_real, _) = value_and_gradients(LOSSES[name].d, real, fake)
  _, (_, by_fake) = value_and_gradients(LOSSES[name].g, real, fake)
  assert float(by_real.sum()) < 0
  assert float(by_fake.sum()) < 0


def test_an_unknown_loss_names_the_nearest():
  with pytest.raises(ValueError, match="did you mean 'hinge'"):
    LOSSES['hing']
