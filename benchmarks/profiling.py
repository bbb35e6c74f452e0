"""The time of a training step by kind of operation, from jax's profiler.

A trace has an event for each operation, by its name in the compiled program;
`kinds.py` says what the operation of that name is.
"""
from collections.abc import Iterable, Sequence
import math
import os
import pathlib
from typing import Any, NamedTuple
import warnings

import jax
import kinds  # beside this file
import timing

MOST_STEPS, MOST_SECONDS = 8, 5  # Traced, but always a whole cycle.


class Event(NamedTuple):
  """One operation at work.

  Attributes:
    name: of the instruction.
    module: name of its program, such as 'jit_step'.
    program: a number that tells programs of one name apart.
    start, seconds: when, and for how long.
    line: the thread or the stream.
  """
  name: str
  module: str
  program: int
  start: float
  seconds: float
  line: str = ''


def measure(config: Any, folder: str) -> dict[str, Any]:
  """Traces whole cycles of a step's phases, and adds up their operations.

  Two threads of a CPU share a convolution whose event covers its start alone:
  on a CPU the process must have one core, and Eigen one thread (`one_core` of
  throughput.py).

  Args:
    config: Config; its data are replaced by random pictures on the device.
    folder: where the trace goes, for Perfetto and TensorBoard.

  Returns:
    dict for JSON: {kind: [seconds a step, FLOPs a step]} of one device, the
    seconds of a step, and the gemm peak.
  """
  steps = timing.Steps(config)
  steps.run(steps.cycle)  # Compiles every phase.
  once = steps.run(steps.cycle)
  count = steps.cycle * max(1, min(
      math.ceil(MOST_STEPS / steps.cycle), round(MOST_SECONDS / once)))
  programs = distinct(steps.lower(count))
  peak = timing.gemm_peak()
  options = jax.profiler.ProfileOptions()
  options.python_tracer_level = 0  # Python's calls would slow the steps.
  with jax.profiler.trace(
      folder, create_perfetto_trace=True, profiler_options=options):
    seconds = steps.run(count)
  newest = max(pathlib.Path(folder).rglob('*.xplane.pb'), key=os.path.getmtime)
  events, devices = events_of(newest)
  found = by_kind(events, programs)
  if not found:
    raise RuntimeError(f'{newest}: no operation of the step; is it traced on '
                       'this kind of device?')
  return {
      'kinds': {kind: [x / count / devices for x in sums]
                for kind, sums in found.items()},
      'steps': count, 'step_seconds': seconds / count,
      'gemm_gflops': max(peak, timing.gemm_peak())}


def distinct(
    steps: Iterable[Sequence[jax.stages.Lowered]]) -> list[kinds.Program]:
  """The compiled programs of steps, each once, in the order of first calls."""
  lowered = {program.as_text(): program for step in steps for program in step}
  return [kinds.read(x.compile().as_text()) for x in lowered.values()]


def events_of(path: os.PathLike[str]) -> tuple[list[Event], int]:
  """A trace's events of operations, and on how many devices they ran."""
  with warnings.catch_warnings():  # Of how jax's C++ is bound.
    warnings.simplefilter('ignore', DeprecationWarning)
    planes = [_plane(plane) for plane in
              jax.profiler.ProfileData.from_file(os.fspath(path)).planes]
  of_devices = [events for name, events in planes
                if events and name.startswith('/device:')]
  chosen = of_devices or [events for _, events in planes if events]
  return [event for events in chosen for event in events], max(1, len(chosen))


def _plane(plane):
  """(name, events of operations) of a part of a trace."""
  lines = list(plane.lines)
  # A TPU has one line of operations, and others that say the same.
  lines = [x for x in lines if x.name == 'XLA Ops'] or lines
  events = []
  for line in lines:
    for event in line.events:
      stats = dict(event.stats)
      if 'hlo_op' in stats:
        events.append(Event(
            str(stats['hlo_op']), str(stats.get('hlo_module', '')),
            int(stats.get('program_id', 0)), event.start_ns / 1e9,
            event.duration_ns / 1e9, f'{plane.name} {line.name}'))
  return plane.name, events


def by_kind(
    events: Iterable[Event], programs: Sequence[kinds.Program]
    ) -> dict[str, list[float]]:
  """{kind: [seconds, FLOPs]} of events, in the order of KINDS.

  Programs of one name are told apart by their order: `programs` are in the
  order of their first calls, and so are the numbers of events.
  """
  events = sorted(events, key=lambda event: (event.line, event.start))
  first = {}
  for event in sorted(events, key=lambda event: event.start):
    first.setdefault((event.module, event.program), None)
  waiting = {}
  for program in programs:
    waiting.setdefault(program.name, []).append(program)
  where = {key: waiting[key[0]].pop(0) for key in first if waiting.get(key[0])}
  found = {kind: [0., 0.] for kind in kinds.KINDS}
  before, any_known = None, False
  for event in events:
    key = event.module, event.program
    program = where.get(key)
    kind = program.kind(event.name) if program else kinds.OTHER
    if program and event.name in program.instructions:
      any_known = True
      if program.instructions[event.name].opcode in kinds.CONTROL:
        continue  # What they call has events of its own.
    found[kind][0] += event.seconds
    # An operation of a GPU can be several kernels, one after the other.
    if program and before != (event.line, *key, event.name):
      found[kind][1] += program.flops(event.name)
    before = event.line, *key, event.name
  return found if any_known else {}


def columns(profile: dict[str, Any]) -> dict[str, dict[str, str]]:
  """`measure`'s dict -> {kind: {column: text}}."""
  whole, rows = profile['step_seconds'], {}
  for kind, (seconds, flops) in profile['kinds'].items():
    rows[kind] = _row(seconds, whole)
    if kind in kinds.WITH_FLOPS and seconds:
      speed = flops / seconds / 1e9
      rows[kind] |= {'GFLOP': f'{flops / 1e9:.2f}', 'GFLOP/s': f'{speed:.0f}',
                     'of gemm': f'{speed / profile["gemm_gflops"]:.0%}'}
  between = whole - sum(x for x, _ in profile['kinds'].values())
  rows['between operations'] = _row(max(0., between), whole)
  return rows


def _row(seconds, whole):
  return {'ms/step': f'{1e3 * seconds:.1f}', 'share': f'{seconds / whole:.0%}',
          'GFLOP': '', 'GFLOP/s': '', 'of gemm': ''}
