"""MSG-GAN and the GANs it is compared with, as pure functions in JAX and Flax.

The names below are the public face: what builds and trains a GAN, and the
tables with what a row of theirs needs. Each is looked up on first use, so that
importing the package, or an experiment file, loads no jax.
"""
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # For editors and type checkers; a test compares it.
  from msg_gan_jax.analysis.seeds import SeedBand, Spread, band, spread
  from msg_gan_jax.commands.notebook import RunReport, show_report
  from msg_gan_jax.config.presets import PRESETS
  from msg_gan_jax.config.schema import Config, parse, template
  from msg_gan_jax.data.batches import Batch
  from msg_gan_jax.data.source import ArraySource, Source
  from msg_gan_jax.data.sources import SOURCES, Splits, open_source
  from msg_gan_jax.gan.ablation import change
  from msg_gan_jax.gan.build import Gan, build
  from msg_gan_jax.gan.networks.norms import NORMS, Norm
  from msg_gan_jax.gan.networks.phi import PHI, Phi
  from msg_gan_jax.gan.networks.players import Players
  from msg_gan_jax.gan.networks.table import NETWORKS
  from msg_gan_jax.gan.networks.weight_norms import WEIGHT_NORMS
  from msg_gan_jax.gan.objectives.augmentations import (
    AUGMENTATIONS,
    Augmentation,
  )
  from msg_gan_jax.gan.objectives.losses import LOSSES, Loss
  from msg_gan_jax.gan.objectives.path_length import G_PENALTIES, GPenalty
  from msg_gan_jax.gan.objectives.penalties import PENALTIES, Penalty
  from msg_gan_jax.gan.objectives.weight_penalties import (
    CONSTRAINTS,
    WEIGHT_PENALTIES,
    Constraint,
    WeightPenalty,
  )
  from msg_gan_jax.gan.optimizers import OPTIMIZERS, Optimizer
  from msg_gan_jax.gan.schedules import Phase
  from msg_gan_jax.gan.state import NOTHING, Condition, State, Verdict
  from msg_gan_jax.metrics.evaluate import evaluate
  from msg_gan_jax.metrics.features.table import (
    FEATURES,
    Extractor,
    Features,
    Request,
  )
  from msg_gan_jax.metrics.pair import Pair
  from msg_gan_jax.metrics.protocols import PROTOCOLS, Protocol
  from msg_gan_jax.metrics.score import Score
  from msg_gan_jax.metrics.table import METRICS, Metric
  from msg_gan_jax.runs.cost import costs
  from msg_gan_jax.runs.load import LoadedRun, load
  from msg_gan_jax.runs.read import Written, read
  from msg_gan_jax.runs.records import Writer
  from msg_gan_jax.runs.score_columns import ScoreColumn
  from msg_gan_jax.runs.together import Together, together
  from msg_gan_jax.training.first_start import with_choices
  from msg_gan_jax.training.loop import train
  from msg_gan_jax.training.observers import Observer, View

__version__ = '0.1.0'

_HOME = {
    'AUGMENTATIONS': 'gan.objectives.augmentations',
    'ArraySource': 'data.source',
    'Augmentation': 'gan.objectives.augmentations',
    'Batch': 'data.batches',
    'CONSTRAINTS': 'gan.objectives.weight_penalties',
    'Condition': 'gan.state',
    'Config': 'config.schema',
    'Constraint': 'gan.objectives.weight_penalties',
    'Extractor': 'metrics.features.table',
    'FEATURES': 'metrics.features.table',
    'Features': 'metrics.features.table',
    'GPenalty': 'gan.objectives.path_length',
    'G_PENALTIES': 'gan.objectives.path_length',
    'Gan': 'gan.build',
    'LOSSES': 'gan.objectives.losses',
    'LoadedRun': 'runs.load',
    'Loss': 'gan.objectives.losses',
    'METRICS': 'metrics.table',
    'Metric': 'metrics.table',
    'NETWORKS': 'gan.networks.table',
    'NORMS': 'gan.networks.norms',
    'NOTHING': 'gan.state',
    'Norm': 'gan.networks.norms',
    'OPTIMIZERS': 'gan.optimizers',
    'Observer': 'training.observers',
    'Optimizer': 'gan.optimizers',
    'PENALTIES': 'gan.objectives.penalties',
    'PHI': 'gan.networks.phi',
    'PRESETS': 'config.presets',
    'PROTOCOLS': 'metrics.protocols',
    'Pair': 'metrics.pair',
    'Penalty': 'gan.objectives.penalties',
    'Phase': 'gan.schedules',
    'Phi': 'gan.networks.phi',
    'Players': 'gan.networks.players',
    'Protocol': 'metrics.protocols',
    'Request': 'metrics.features.table',
    'RunReport': 'commands.notebook',
    'SOURCES': 'data.sources',
    'Score': 'metrics.score',
    'ScoreColumn': 'runs.score_columns',
    'SeedBand': 'analysis.seeds',
    'Source': 'data.source',
    'Splits': 'data.sources',
    'Spread': 'analysis.seeds',
    'State': 'gan.state',
    'Together': 'runs.together',
    'Verdict': 'gan.state',
    'View': 'training.observers',
    'WEIGHT_NORMS': 'gan.networks.weight_norms',
    'WEIGHT_PENALTIES': 'gan.objectives.weight_penalties',
    'WeightPenalty': 'gan.objectives.weight_penalties',
    'Writer': 'runs.records',
    'Written': 'runs.read',
    'band': 'analysis.seeds',
    'build': 'gan.build',
    'change': 'gan.ablation',
    'costs': 'runs.cost',
    'evaluate': 'metrics.evaluate',
    'load': 'runs.load',
    'open_source': 'data.sources',
    'parse': 'config.schema',
    'read': 'runs.read',
    'show_report': 'commands.notebook',
    'spread': 'analysis.seeds',
    'template': 'config.schema',
    'together': 'runs.together',
    'train': 'training.loop',
    'with_choices': 'training.first_start',
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
  if name not in _HOME:
    import difflib
    close = difflib.get_close_matches(name, __all__, n=1)
    hint = (f'did you mean {close[0]!r}?' if close else
            'dir(msg_gan_jax) says what it has.')
    raise AttributeError(f'msg_gan_jax has no {name!r}; {hint}')
  module = importlib.import_module(f'{__name__}.{_HOME[name]}')
  return getattr(module, name)


def __dir__() -> list[str]:
  return sorted([*__all__, '__version__'])
