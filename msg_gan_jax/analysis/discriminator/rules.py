"""RULES: how a signal goes down through the rectifiers of a network.

A view of D takes one activation, and follows it down to the pixels. Everything
that is linear has one way down, its transpose: convolutions, strides, means.
Rectifiers are where the rules differ. With x, which came up to a rectifier f,
and r, which comes down to it:

  gradient   f'(x) r     what the logit or activation would change by
  deconvnet  f(r)        Zeiler & Fergus 2014 (arXiv:1311.2901), sec. 2.1: what
                         comes down is rectified as what goes up
  guided     f'(x) f(r)  Springenberg et al. 2015 (arXiv:1412.6806), fig. 1

For a ReLU these are the papers' own. For a leaky one f(r) keeps a share of what
is negative, as the maps above it do, which are not positive either. Pooling by
the maximum goes down to where the maximum was: these are the switches of the
first paper, and also the gradient. A strided convolution or a mean pools
without a maximum, so there is nothing to switch: each pixel gets its share.

Normalization and the minibatch's deviation are held fixed by deconvnet and
guided: a map is followed through the scale that it had in this picture and
batch, and not into the statistics, to which all pixels belong. `gradient` goes
through them, since it is the gradient. Statistics are what `layers.statistic`
marks, and all sums in a norm of flax's, such as nn.LayerNorm.

A network is followed by what it computes, its jaxpr: one of a user's own needs
nothing but rectifiers that are known by name: nn.relu, nn.leaky_relu and
jnp.maximum(x, 0). All others (elu, swish, ..) have their gradient. Loops and
branches (lax.scan, lax.cond, ..) are not looked into.
"""
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from flax import linen as nn
import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table

Function = Callable[[jax.Array], jax.Array]
# (f, x that came up, r that comes down) -> what goes on down.
Rule = Callable[[Function, jax.Array, jax.Array], jax.Array]

RECTIFIERS = 'relu', 'leaky_relu'  # Names of jitted functions.
STATISTIC = 'statistic'  # See layers.statistic.
INTEGRATED = 'integrated'
NORMS = (nn.BatchNorm, nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.InstanceNorm)
_IN_NORM = 'normalized'  # A scope of names in a trace.
_LOOPS = 'scan', 'while', 'cond'
_MAXIMA = 'max', 'argmax', 'reduce_max', 'reduce_window_max'


def _gradient(f: Function, x: jax.Array, r: jax.Array) -> jax.Array:
  return jax.vjp(f, x)[1](r)[0]


def _deconvnet(f: Function, x: jax.Array, r: jax.Array) -> jax.Array:
  del x
  return f(r)


def _guided(f: Function, x: jax.Array, r: jax.Array) -> jax.Array:
  return jax.vjp(f, x)[1](f(r))[0]


RULES: Table[Rule] = Table('rule', 'rule', {
    'deconvnet': _deconvnet,
    'guided': _guided,
    'gradient': _gradient,
    INTEGRATED: _gradient,  # Of many pictures: see projections.py.
})


def with_rule(function: Callable[..., Any], name: str) -> Callable[..., Any]:
  """A function of the same values, whose jax.vjp follows a rule.

  Args:
    function: arrays -> arrays, traced once for each call.
    name: a row of RULES; 'gradient' and 'integrated' are the function itself.

  Raises:
    ValueError: no such rule.
  """
  rule = RULES.look_up(name)
  if rule is _gradient:
    return function
  return lambda *arguments: _evaluated(
      function, arguments, _Way(lambda f: _rectifier(f, rule)))


def holds_statistics(name: str) -> bool:
  """Whether a rule holds statistics fixed, those of the batch among them.

  Raises:
    ValueError: no such rule.
  """
  return RULES.look_up(name) is not _gradient


def check_fits(function: Callable[..., Any], arguments: Sequence[Any],
               name: str) -> None:
  """Refuses a rule that cannot follow a function, or has nothing to say of it.

  Args:
    function: arrays -> arrays.
    arguments: of it, or their shapes.
    name: a row of RULES.

  Raises:
    ValueError: rectifiers are in a loop or branch, or there are none, and no
      maxima either, which have their switches.
  """
  if not holds_statistics(name):
    return
  equations = [*_equations(jax.make_jaxpr(function)(*arguments).jaxpr)]
  for equation in equations:
    if _hides_rectifiers(equation):
      raise ValueError(
          f'rule: {name!r} has a way of its own through rectifiers, and this D '
          f'has some inside of lax.{equation.primitive.name}, where it cannot '
          f"be followed; wanted 'gradient' or {INTEGRATED!r}, or a D that "
          'is written without.')
  if not any(_rectified(equation) or equation.primitive.name in _MAXIMA
             for equation in equations):
    raise ValueError(
        f'rule: {name!r} has a way of its own through rectifiers and maxima, '
        'and this D has none that is known (nn.relu, nn.leaky_relu, '
        f"jnp.maximum(x, 0)); wanted 'gradient' or {INTEGRATED!r}.")


def marking_norms(call: Callable[..., Any], arguments: Any, keywords: Any,
                  context: nn.module.InterceptorContext) -> Any:
  """Names what a norm of flax's computes: see nn.intercept_methods."""
  if isinstance(context.module, NORMS):
    with jax.named_scope(_IN_NORM):
      return call(*arguments, **keywords)
  return call(*arguments, **keywords)


def linear(function: Callable[..., Any]) -> Callable[..., Any]:
  """The function without rectifiers, sums for maxima, statistics held fixed.

  How much an output depends on an input is then the sum over all ways from one
  to the other: see receptive_fields.py. Rectifiers and maxima in loops and
  branches stay.
  """
  return lambda *arguments: _evaluated(
      function, arguments, _Way(lambda f: lambda x: x, switches=False))


class _Way(NamedTuple):
  """How a function is evaluated.

  Attributes:
    rectifier: a rectifier -> what takes its place.
    switches: whether a maximum goes down to where it was, or is a sum.
  """
  rectifier: Callable[[Function], Function]
  switches: bool = True


def _rectifier(f, rule):
  """f with the rule as the way down."""
  with_own = jax.custom_vjp(f)
  with_own.defvjp(lambda x: (f(x), x), lambda x, r: (rule(f, x, r),))
  return with_own


def _evaluated(function, arguments, way):
  """function(*arguments), with other rectifiers and fixed statistics."""
  traced, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
  out = _run(traced, jax.tree.leaves(arguments), way)
  return jax.tree.unflatten(jax.tree.structure(shape), out)


def _run(closed: core.ClosedJaxpr, arguments: Sequence[Any], way: _Way,
         in_norm: bool = False) -> list[Any]:
  """What a jaxpr gives, one equation after another."""
  jaxpr = closed.jaxpr
  known: dict[Any, Any] = dict(zip(
      (*jaxpr.constvars, *jaxpr.invars), (*closed.consts, *arguments),
      strict=True))

  def value(x):
    return x.val if isinstance(x, core.Literal) else known[x]

  for equation in jaxpr.eqns:
    values = [value(x) for x in equation.invars]
    inner, norm = _inner(equation), in_norm or _is_in_norm(equation)
    if inner is not None and (norm or not _rectified(equation)):
      out = _run(inner, values, way, norm)
    elif _is_statistic(equation, norm):
      out = [lax.stop_gradient(x) for x in _bind(equation, values)]
    elif not norm and (place := _rectified(equation)):
      f = _of_one(equation, values, place - 1)
      out = [way.rectifier(f)(values[place - 1])]
    elif equation.primitive.name == 'reduce_window_max' and not way.switches:
      out = [_sums(values[0], equation.params)]
    else:
      out = _bind(equation, values)
    known |= dict(zip(equation.outvars, out, strict=True))
  return [value(x) for x in jaxpr.outvars]


def _is_in_norm(equation):
  return _IN_NORM in str(equation.source_info.name_stack)


def _is_statistic(equation, in_norm):
  """Whether it is marked as one, or is a sum inside of a norm."""
  name = equation.primitive.name
  return (name == 'name' and equation.params['name'] == STATISTIC) or (
      in_norm and name == 'reduce_sum')


def _sums(x, parameters):
  """Sums over the windows of a maximum."""
  return lax.reduce_window(
      x, jnp.zeros((), x.dtype), lax.add, parameters['window_dimensions'],
      parameters['window_strides'], parameters['padding'],
      parameters['base_dilation'], parameters['window_dilation'])


def _of_one(equation, values, place):
  """The equation as a function of the value at a place, the others fixed."""
  return lambda x: _bind(
      equation, [*values[:place], x, *values[place + 1:]])[0]


def _bind(equation, values):
  """What one equation gives."""
  primitive = equation.primitive
  out = primitive.bind(*values, **primitive.get_bind_params(equation.params))
  return out if primitive.multiple_results else [out]


def _inner(equation):
  """The jaxpr of an equation that is nothing but a call of it, or None.

  One with a derivative of its own (jax.custom_jvp) is more, and stays whole.
  """
  if equation.primitive.name not in ('jit', 'pjit', 'checkpoint', 'remat2',
                                     'closed_call'):
    return None
  found = equation.params.get('jaxpr') or equation.params.get('call_jaxpr')
  return found if isinstance(found, core.ClosedJaxpr) else core.ClosedJaxpr(
      found, ())


def _equations(jaxpr: core.Jaxpr) -> Iterator[Any]:
  """Those of a jaxpr and of what it calls; none of what norms do."""
  for equation in jaxpr.eqns:
    if _is_in_norm(equation):
      continue
    yield equation
    inner = _inner(equation)
    if inner is not None and not _rectified(equation):
      yield from _equations(inner.jaxpr)


def _hides_rectifiers(equation):
  """Whether there are some in a loop or branch."""
  if equation.primitive.name not in _LOOPS:
    return False
  every = [x for value in equation.params.values() for x in (
      value if isinstance(value, tuple) else (value,))]
  return any(
      _rectified(x) or _hides_rectifiers(x) for closed in every
      if isinstance(closed, core.ClosedJaxpr) for x in _equations(closed.jaxpr))


def _rectified(equation):
  """1 + the place of what a rectifier rectifies; 0 of any other equation."""
  name, parameters = equation.primitive.name, equation.params
  if not equation.invars:  # Of constants, such as shapes of a loop.
    return 0
  if name in ('jit', 'pjit') and parameters['name'] in RECTIFIERS:
    return 1
  if name == 'custom_jvp_call':
    inner = parameters['call_jaxpr'].jaxpr.eqns
    return int(len(inner) == 1 and bool(_rectified(inner[0])))
  if name == 'max':
    zeros = [_is_zero(x) for x in equation.invars]
    return 0 if zeros[0] == zeros[1] else 1 + zeros[0]
  return 0


def _is_zero(x):
  return isinstance(x, core.Literal) and jnp.ndim(x.val) == 0 and x.val == 0
