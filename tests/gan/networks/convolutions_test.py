"""Convolutions that change the size equal plain ones, and so do gradients."""
import chex
from helpers import equations
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  convolutions,
  filters,
  forms,
  resized,
  squares,
  stylegan2_convs,
)

RNG = np.random.default_rng(0)


def normal(*shape):
  return jnp.asarray(RNG.standard_normal(shape), jnp.float32)


def with_zeros(x):
  """A zero after every pixel, in both directions."""
  b, h, w, c = x.shape
  return jnp.zeros((b, 2 * h, 2 * w, c)).at[:, ::2, ::2].set(x)


def as_torch(x, kernel):
  """ConvTranspose2d(kernel 4, stride 2, padding 1)."""
  return lax.conv_general_dilated(
      x, kernel[::-1, ::-1], (1, 1), [(2, 2), (2, 2)], lhs_dilation=(2, 2),
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def as_tensorflow(x, kernel):
  """conv2d_transpose(strides 2, SAME): the transpose of the convolution."""
  b, h, w, _ = x.shape
  y = jax.ShapeDtypeStruct((b, 2 * h, 2 * w, kernel.shape[3]), jnp.float32)
  return jax.linear_transpose(lambda y: forms.plain(
      y, kernel.transpose(0, 1, 3, 2), 2, 'SAME'), y)(x)[0]


UPSAMPLINGS = {
    'nearest': (3, lambda x, k: convolutions.conv(pyramid.up(x), k)),
    'zeros': (3, lambda x, k: convolutions.conv(with_zeros(x), k)),
    'transposed': (4, as_torch),
    'transposed_5': (5, as_tensorflow),
}


@pytest.mark.slow
@pytest.mark.parametrize('shape', [(1, 4, 4, 3), (2, 5, 7, 4), (2, 1, 1, 3)])
@pytest.mark.parametrize('up', squares.UP)
def test_up_conv_is_the_convolution_of_the_upsampled(up, shape):
  size, plain_form = UPSAMPLINGS[up]
  x, kernel = normal(*shape), normal(size, size, shape[-1], 6)
  chex.assert_trees_all_close(
      convolutions.up_conv(x, kernel, up), plain_form(x, kernel), atol=2e-5)
  grads = [jax.grad(lambda x, k, f=f: (f(x, k)**2).sum(), (0, 1))(x, kernel)
           for f in (lambda x, k: convolutions.up_conv(x, k, up), plain_form)]
  chex.assert_trees_all_close(*grads, rtol=1e-4, atol=2e-3)


def test_tensorflows_and_torchs_4x4_transposed_convolutions_are_one():
  x, kernel = normal(2, 5, 7, 4), normal(4, 4, 4, 6)
  chex.assert_trees_all_close(
      as_torch(x, kernel), as_tensorflow(x, kernel), atol=2e-5)


def test_bilinear_has_torchs_half_pixel_weights():
  x = normal(2, 3, 5, 4)
  chex.assert_trees_all_close(
      convolutions.bilinear(x), jax.image.resize(x, (2, 6, 10, 4), 'linear'),
      atol=1e-6)
  ramp = jnp.arange(4.)[None, :, None, None] * jnp.ones((1, 1, 2, 1))
  np.testing.assert_allclose(
      convolutions.bilinear(ramp)[0, :, 0, 0],
      [0, .25, .75, 1.25, 1.75, 2.25, 2.75, 3], atol=1e-6)


def smoothed(x, kernel):
  """StyleGAN2's: a transposed convolution, then its filter."""
  return filters.blur(
      stylegan2_convs.transposed(x, kernel), stylegan2_convs.TAPS, (1, 0))


RESIZED = {
    **UPSAMPLINGS, 'smoothed': (3, smoothed),
    'bilinear': (3, lambda x, k: convolutions.conv(
        convolutions.bilinear(x), k))}


@pytest.mark.parametrize('shape', [(2, 5, 3, 4), (1, 1, 1, 3)])
@pytest.mark.parametrize('name', resized.RESIZES)
def test_products_at_the_small_size_are_the_resized_convolution(name, shape):
  size, plain_form = RESIZED[name]
  x, kernel = normal(*shape), normal(size, size, shape[-1], 6)

  @jax.jit
  def both(x, kernel):
    return [jax.value_and_grad(
        lambda *a, f=f: (f(*a)**2).sum(), (0, 1))(x, kernel) + (f(x, kernel),)
            for f in (lambda x, k: resized.conv(x, k, name), plain_form)]

  fast, slow = both(x, kernel)
  chex.assert_trees_all_close(fast[2], slow[2], atol=2e-5)
  chex.assert_trees_all_close(fast[:2], slow[:2], rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize('shape, out, size, stride, padding', [
    ((2, 9, 7, 3), 4, 3, 2, 'VALID'),
    ((2, 9, 7, 3), 4, 4, 2, ((1, 1), (1, 1))),
    ((2, 9, 7, 3), 4, 5, 2, 'SAME'), ((2, 9, 7, 3), 9, 3, 1, 'SAME'),
    ((2, 9, 7, 9), 3, 5, 1, 'SAME'),
    # Of these the gradient by the input is made in squares.
    ((1, 32, 34, 5), 2, 4, 2, ((1, 1), (1, 1))),
    ((1, 34, 32, 5), 2, 4, 2, 'SAME'), ((1, 34, 32, 5), 2, 5, 2, 'SAME')])
def test_forms_have_jaxs_gradients_and_theirs(
    shape, out, size, stride, padding):
  x = normal(*shape)
  kernel = normal(size, size, shape[-1], out) / size**2
  weights = normal(*forms.plain(x, kernel, stride, padding).shape)

  @jax.jit
  def both(x, kernel):
    results = []
    for conv in (convolutions.conv, forms.plain):
      def slope(x, kernel, conv=conv):
        return jax.grad(lambda *a: (
            jnp.tanh(conv(*a, stride, padding)) * weights).sum(), (0, 1))(
                x, kernel)

      def of_slopes(*a, slope=slope):
        return sum((y**2).sum() for y in slope(*a))

      results.append((
          conv(x, kernel, stride, padding), slope(x, kernel),
          jax.grad(of_slopes, (0, 1))(x, kernel)))
    return results

  ours, jaxs = both(x, kernel)
  chex.assert_trees_all_close(ours, jaxs, rtol=1e-3, atol=5e-3)


def test_gradients_of_strided_gradients_are_in_the_fast_forms():
  """Slow is a window as large as the picture over an input with zeros."""
  x, kernel = normal(2, 16, 16, 5), normal(4, 4, 5, 6)

  def windows(conv):
    def penalty(kernel):
      return (jax.grad(lambda x: jnp.tanh(conv(
          x, kernel, 2, ((1, 1), (1, 1)))).sum())(x)**2).sum()

    found = [eqn for _, eqn in equations(
        jax.make_jaxpr(jax.grad(penalty))(kernel).jaxpr)
             if eqn.primitive.name == 'conv_general_dilated']
    return {
        eqn.invars[1].aval.shape[eqn.params['dimension_numbers'].rhs_spec[2]]
        for eqn in found if eqn.params['lhs_dilation'] == (2, 2)}

  assert windows(convolutions.conv) == {4}
  assert windows(forms.plain) > {4}


@pytest.mark.parametrize('size, padding, side, out, dilated', [
    (4, ((1, 1), (1, 1)), 32, 5, False), (4, 'SAME', 32, 5, False),
    (5, 'SAME', 32, 5, False),
    # Few rows; half a square at the end; few channels, which have a form too.
    (4, 'SAME', 30, 5, True), (4, ((1, 1), (1, 1)), 33, 5, True),
    (4, 'SAME', 32, 3, True)])
def test_gradients_by_large_inputs_are_in_squares(
    size, padding, side, out, dilated):
  """A convolution over zeros between pixels is what they do without."""
  x, kernel = normal(1, side, side, out), normal(size, size, out, 6)
  found = equations(jax.make_jaxpr(jax.grad(lambda x: convolutions.conv(
      x, kernel, 2, padding).sum()))(x).jaxpr)
  assert any(eqn.primitive.name == 'conv_general_dilated'
             and eqn.params['lhs_dilation'] == (2, 2)
             for _, eqn in found) == dilated
