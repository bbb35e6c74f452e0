"""The profile knows what each operation is, and counts FLOPs as XLA does."""
import importlib
import sys
import types

from helpers import ROOT
import jax
from jax import lax
import jax.numpy as jnp
import pytest


@pytest.fixture(scope='module')
def benchmark():
  """Loads a file of benchmarks/ that imports others beside it."""
  sys.path.insert(0, str(ROOT / 'benchmarks'))
  before = set(sys.modules)
  yield importlib.import_module
  sys.path.remove(str(ROOT / 'benchmarks'))
  for name in {'kinds', 'timing', 'profiling'} - before:
    sys.modules.pop(name, None)


@pytest.fixture(scope='module')
def kinds(benchmark):
  return benchmark('kinds')


def compiled(function, *shapes):
  return jax.jit(function).lower(*map(jnp.zeros, shapes)).compile()


def flops_by_kind(kinds, program):
  """{kind: FLOPs}, each instruction once."""
  found = dict.fromkeys(kinds.KINDS, 0)
  fused = {x for one in program.instructions.values()
           for x in program.computations.get(one.calls, ())}
  for name in program.instructions.keys() - fused:
    found[program.kind(name)] += program.flops(name)
  return found


def conv(x, kernel, stride=1, padding='SAME', groups=1, **dilations):
  return lax.conv_general_dilated(
      x, kernel, (stride, stride), padding, feature_group_count=groups,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'), **dilations)


CONVOLUTIONS = {
    'plain': ((3, 3, 6, 10), {}),
    'valid': ((3, 3, 6, 10), dict(padding='VALID')),
    'even': ((4, 4, 6, 10), dict(stride=2, padding=((1, 1), (1, 1)))),
    'strided': ((3, 3, 6, 10), dict(stride=2)),
    'dilated': ((3, 3, 6, 10), dict(rhs_dilation=(2, 2))),
    'transposed': ((4, 4, 6, 10), dict(
        padding=((2, 2), (2, 2)), lhs_dilation=(2, 2))),
    'grouped': ((3, 3, 3, 10), dict(groups=2)),
}


@pytest.mark.parametrize('name', CONVOLUTIONS)
@pytest.mark.parametrize('way', ['forward', 'by input', 'by kernel'])
def test_flops_of_a_convolution_are_those_of_xla(kinds, name, way):
  shape, settings = CONVOLUTIONS[name]

  def forward(x, kernel):
    return conv(x, kernel, **settings)

  image = 5, 9, 9, 6
  result = jax.eval_shape(forward, jnp.zeros(image), jnp.zeros(shape)).shape
  if way == 'forward':
    program = compiled(forward, image, shape)
  else:  # Linear in the one that is asked for.
    at, other = (0, shape) if way == 'by input' else (1, image)
    program = compiled(
        lambda slope, other: jax.linear_transpose(
            (lambda x: forward(x, other)) if at == 0
            else (lambda k: forward(other, k)),
            jnp.zeros((image, shape)[at]))(slope)[0], result, other)
  found = flops_by_kind(kinds, kinds.read(program.as_text()))
  assert sum(found.values()) == program.cost_analysis()['flops']


def test_flops_of_a_product_are_those_of_xla(kinds):
  program = compiled(lambda a, b: jnp.einsum('bij,bkj->bik', a, b),
                     (3, 40, 30), (3, 50, 30))
  found = flops_by_kind(kinds, kinds.read(program.as_text()))
  assert found[kinds.PRODUCT] == program.cost_analysis()['flops']
  assert found[kinds.PRODUCT] == 2 * 3 * 40 * 50 * 30


def network(kernels, x):
  for kernel in kernels:
    x = conv(x, kernel)
    x = jnp.where(x > 0, x, .2 * x)
  return jnp.sum(x * x)


KERNELS = (3, 3, 16, 24), (3, 3, 24, 24), (4, 4, 24, 16)


def test_the_three_kinds_of_convolutions_of_a_network_are_found(kinds):
  """A network's gradient costs as much by input and by kernel as forward."""
  def gradient(x, *kernels):
    return jax.value_and_grad(network, (0, 1))(kernels, x)

  program = compiled(gradient, (16, 8, 8, 16), *KERNELS)
  found = flops_by_kind(kinds, kinds.read(program.as_text()))
  forward, *others = (found[x] for x in kinds.WITH_FLOPS[:3])
  assert forward > 0 and others == [forward, forward]
  assert sum(found.values()) == pytest.approx(
      program.cost_analysis()['flops'], rel=.02)


def test_the_kinds_of_a_gradient_of_a_gradient_are_found(kinds):
  """A penalty's kernels have a slope, and so does its pass by the input."""
  def penalty(kernels, x):
    slope = jax.grad(network, 1)(kernels, x)
    return jnp.sum(slope * slope)

  program = compiled(lambda x, *kernels: jax.grad(penalty)(kernels, x),
                     (16, 8, 8, 16), *KERNELS)
  found = flops_by_kind(kinds, kinds.read(program.as_text()))
  once = flops_by_kind(kinds, kinds.read(compiled(
      lambda x, *kernels: network(kernels, x), (16, 8, 8, 16), *KERNELS
      ).as_text()))[kinds.FORWARD]
  # Forward; its gradient by input; then of both, by input and by kernel.
  assert found[kinds.FORWARD] == pytest.approx(2 * once, rel=.5)
  assert found[kinds.BY_INPUT] == pytest.approx(2 * once, rel=.5)
  assert found[kinds.BY_KERNEL] == pytest.approx(2 * once, rel=.1)


TEXT = '''HloModule jit_step, is_scheduled=true

%fused_1 (p: f32[4,8]) -> f32[8,4] {
  %p = f32[4,8]{1,0} parameter(0)
  ROOT %t = f32[8,4]{1,0} transpose(%p), dimensions={1,0}
}

ENTRY %main (a: f32[4,8]) -> f32[4,4] {
  %a = f32[4,8]{1,0} parameter(0)
  %moved = f32[8,4]{1,0} fusion(%a), kind=kLoop, calls=%fused_1
  %twice = f32[4,8]{1,0} add(%a, %a)
  %loop = (s32[], f32[4,8]{1,0}) while(%start), condition=%c, body=%b
  ROOT %d = f32[4,4]{1,0} dot(%twice, %moved), lhs_contracting_dims={1}
}
'''
# As a GPU has them: a result and a buffer, and the forward one's labels.
CUDNN = '''
  %k = f32[3,3,6,10]{3,2,1,0} parameter(1)
  %c = (f32[5,9,9,6]{3,2,1,0}, u8[0]{0}) custom-call(%y, %k), \
window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_01io->b01f, \
custom_call_target="__cudnn$convBackwardInput"
  %y = f32[5,9,9,10]{3,2,1,0} parameter(0)
'''


def test_kinds_are_read_from_the_text(kinds):
  program = kinds.read(TEXT)
  assert [program.kind(x) for x in ('moved', 'twice', 'loop', 'd', 'new')] == [
      kinds.COPY, kinds.ELEMENTWISE, kinds.OTHER, kinds.PRODUCT, kinds.OTHER]
  assert program.flops('d') == 2 * 4 * 4 * 8
  cudnn = kinds.read(CUDNN)
  assert cudnn.kind('c') == kinds.BY_INPUT
  assert cudnn.flops('c') == kinds.convolution_flops(
      (5, 9, 9, 6), (3, 3, 6, 10), (5, 9, 9, 10), 'b01f_01io->b01f',
      pad=((1, 1), (1, 1)))


def test_events_of_two_programs_of_one_name_are_told_apart(benchmark, kinds):
  profiling = benchmark('profiling')
  other = TEXT.replace('%twice = f32[4,8]{1,0} add(%a, %a)',
                       '%twice = f32[4,8]{1,0} copy(%a)')

  def event(name, program, start, seconds, line='1'):
    return profiling.Event(name, 'jit_step', program, start, seconds, line)

  found = profiling.by_kind([
      event('twice', 9, 5., 1.), event('twice', 7, 1., .25),
      event('loop', 7, 2., 100.),  # What it calls has its own.
      event('d', 7, 3., .5), event('d', 7, 3.5, .5),  # Two kernels of one.
      event('moved', 7, 3.2, .125, '2')],
      [kinds.read(TEXT), kinds.read(other)])
  assert {kind: sums for kind, sums in found.items() if sums[0]} == {
      kinds.PRODUCT: [1., 256], kinds.ELEMENTWISE: [.25, 0],
      kinds.COPY: [1.125, 0]}
  assert profiling.by_kind([event('x', 1, 0., 1.)], [kinds.read(TEXT)]) == {}


def test_events_of_an_accelerator_are_those_of_its_devices(
    benchmark, monkeypatch):
  """A GPU has kernels in streams, a TPU a line of operations and others."""
  def plane(name, **lines):
    return types.SimpleNamespace(name=name, lines=[
        types.SimpleNamespace(name=line, events=[
            types.SimpleNamespace(
                name='kernel', start_ns=0., duration_ns=2e9, stats=stats)
            for stats in events]) for line, events in lines.items()])

  def events_of(*planes):
    monkeypatch.setattr(
        jax.profiler.ProfileData, 'from_file',
        lambda _: types.SimpleNamespace(planes=planes))
    return benchmark('profiling').events_of('x')

  operation = {'hlo_op': 'dot.1', 'hlo_module': 'jit_step', 'program_id': 3}
  host = plane('/host:CPU', thread=[{'hlo_op': 'copy.1'}], python=[{}])
  devices = [plane(f'/device:GPU:{i}', **{'Stream #1': [operation, {}]})
             for i in range(2)]
  found, count = events_of(host, *devices)
  assert [x[:5] for x in found] == [('dot.1', 'jit_step', 3, 0., 2.)] * 2
  assert count == 2
  found, count = events_of(host, plane('/device:TPU:0', **{
      'XLA Ops': [operation], 'Async XLA Ops': [operation]}))
  assert (len(found), count) == (1, 1)
  found, count = events_of(host)
  assert [x.name for x in found] == ['copy.1'] and count == 1


def test_the_table_has_shares_of_the_step_and_of_the_peak(benchmark, kinds):
  rows = benchmark('profiling').columns({
      'kinds': {kinds.FORWARD: [.03, 6e8], kinds.COPY: [.01, 0]},
      'step_seconds': .05, 'gemm_gflops': 40.})
  assert rows[kinds.FORWARD] == {
      'ms/step': '30.0', 'share': '60%', 'GFLOP': '0.60', 'GFLOP/s': '20',
      'of gemm': '50%'}
  assert rows[kinds.COPY]['GFLOP'] == ''
  assert rows['between operations']['ms/step'] == '10.0'
