"""Features of a run's D in place of a row of FEATURES: d:RUN:LAYER."""
from collections.abc import Iterator
import contextlib
import os

PREFIX = 'd:'


@contextlib.contextmanager
def opened(spec: str, trust_code: bool = False) -> Iterator[str]:
  """A context in which FEATURES has a row of the D that a spec names.

  Args:
    spec: of features; 'd:runs/a:conv_2' is the layer conv_2 of the D in the
      newest checkpoint of runs/a.
    trust_code: see runs.load.load.

  Yields:
    The spec by which metrics know it, 'd_<digits of its digest>:conv_2'; any
    other spec as it is.

  Raises:
    ValueError: no layer is named, no run, or no such layer.
  """
  if not spec.startswith(PREFIX):
    yield spec
    return
  from msg_gan_jax.analysis.discriminator import extractor
  from msg_gan_jax.analysis.discriminator.features import Judge
  from msg_gan_jax.config import errors
  from msg_gan_jax.metrics.features.table import FEATURES
  from msg_gan_jax.runs.load import load
  run, _, layer = spec.removeprefix(PREFIX).rpartition(':')
  if not run or not layer:
    raise ValueError(
        f'features: wanted d:RUN:LAYER, such as d:runs/quickstart:score, '
        f'found {spec!r}.')
  with errors.naming(workdir='features'):
    run = os.path.expanduser(run)
    _, gan, state, _ = load(run, trust_code=trust_code)
    judge = Judge.of(gan, state.d)
  with errors.naming(layer='features'):
    extractor.check(judge, (layer,))
  name, row = extractor.row(judge, run)
  FEATURES[name] = row
  try:
    yield f'{name}:{layer}'
  finally:
    del FEATURES[name]
