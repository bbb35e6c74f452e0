"""MSG-GAN and the GANs it is compared with, as pure functions in JAX and Flax.

The names below are the public face: what builds and trains a GAN, and the
tables with what a row of theirs needs. Each is looked up on first use, so that
importing the package, or an experiment file, loads no jax.
"""
import importlib
from typing import Any

__version__ = '0.1.0'

_HOME = {
    'AUGMENTATIONS': 'gan.objectives.augmentations',
    'Augmentation': 'gan.objectives.augmentations',
    'Batch': 'data.batches',
    'CONSTRAINTS': 'gan.objectives.weight_penalties',
    'Config': 'config.schema',
    'Constraint': 'gan.objectives.weight_penalties',
    'FEATURES': 'metrics.features.table',
    'GPenalty': 'gan.objectives.path_length',
    'G_PENALTIES': 'gan.objectives.path_length',
    'Gan': 'gan.build',
    'LOSSES': 'gan.objectives.losses',
    'Loss': 'gan.objectives.losses',
    'METRICS': 'metrics.table',
    'Metric': 'metrics.table',
    'NETWORKS': 'gan.networks.table',
    'NORMS': 'gan.networks.norms',
    'Norm': 'gan.networks.norms',
    'OPTIMIZERS': 'gan.optimizers',
    'Optimizer': 'gan.optimizers',
    'PENALTIES': 'gan.objectives.penalties',
    'PHI': 'gan.networks.phi',
    'PROTOCOLS': 'metrics.protocols',
    'Penalty': 'gan.objectives.penalties',
    'Phi': 'gan.networks.phi',
    'Players': 'gan.networks.players',
    'SOURCES': 'data.sources',
    'Score': 'metrics.score',
    'Source': 'data.source',
    'State': 'gan.state',
    'Verdict': 'gan.state',
    'WEIGHT_NORMS': 'gan.networks.weight_norms',
    'WEIGHT_PENALTIES': 'gan.objectives.weight_penalties',
    'WeightPenalty': 'gan.objectives.weight_penalties',
    'build': 'gan.build',
    'evaluate': 'metrics.evaluate',
    'load': 'runs.load',
    'open_source': 'data.sources',
    'parse': 'config.schema',
    'template': 'config.schema',
    'train': 'training.loop',
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
  if name not in _HOME:
    raise AttributeError(f'msg_gan_jax has no {name!r}; it has {__all__}')
  module = importlib.import_module(f'{__name__}.{_HOME[name]}')
  return getattr(module, name)


def __dir__() -> list[str]:
  return __all__
