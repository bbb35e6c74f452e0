"""Laws of the flags of the modes that look at a run, and of --psi."""
import functools
import os
import shlex
import shutil
import sys

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.gan.build import build
from msg_gan_jax.report import film
from msg_gan_jax.runs import checkpoints, load, workdir

pytestmark = pytest.mark.slow

STYLED = dict(
    preset='stylegan', data__resolution=8, networks__w=6,
    networks__mapping_layers=1, networks__fmap_max=4, train__grow_from=0,
    train__grow_batches='', train__grow_rates='')
RUNS = {
    'styled': STYLED,
    'classes': dict(
        **STYLED, networks__classes=3, networks__g_condition='mapping',
        networks__d_condition='switch'),
    'plain': dict(data__resolution=8, networks__fmap_max=4),
    'points': dict(
        data__name='ring', data__resolution=1, data__channels=2,
        data__mirror=False, networks__name='mlp', networks__stddev='none'),
}


@pytest.fixture(scope='module')
def runs(tmp_path_factory, small):
  """A folder of runs that nobody trained: all weights are 0."""
  path = tmp_path_factory.mktemp('runs')
  for name, settings in RUNS.items():
    config = small(**settings)
    state = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(
        build(config).init, jax.random.key(0)))
    with workdir.Workdir(path / name) as folder:
      folder.start(config, classes=('cat', 'dog', 'red, blue')[
          :config.networks.classes])
    with checkpoints.Checkpoints(path / name / 'checkpoints') as saved:
      saved.save(8, {'state': state})
  (path / 'pictures').mkdir()
  for name in 'ab':
    Image.new('RGB', (12, 9), 'red').save(path / 'pictures' / f'{name}.png')
  np.save(path / 'z.npy', np.ones((4, 8)))
  np.save(path / 'w.npy', np.ones((4, 6)))
  np.save(path / 'nan.npy', np.full((4, 6), np.nan))
  with pytest.MonkeyPatch.context() as patch:  # Each is compiled once.
    patch.setattr(load, 'build_to_draw', functools.cache(build))
    yield path


@pytest.fixture
def run(runs, tmp_path, command):
  """'mode run flags' -> (exit status, stdout, stderr) of launch.py, in here."""
  for name in os.listdir(runs):
    os.symlink(runs / name, tmp_path / name)

  def call(line):
    mode, name, *rest = shlex.split(line)
    return command(f'--mode={mode}', *rest, *(
        [] if name == '-' else [f'--workdir={name}']))

  return call


@pytest.mark.parametrize('line, text', [
    # Flags of other modes.
    ('sample - --seconds=3', '--seconds: a flag of --mode=walk and --mode=ti'
     'melapse; this is --mode=sample.'),
    ('mix - --scales', '--scales: a flag of --mode=sample, --mode=walk and --m'
     'ode=arithmetic; this is --mode=mix.'),
    ('walk - --noseparate', '--noseparate: a flag of --mode=sample; this'),
    ('train - --psi=.5', '--psi: a flag of --mode=sample, --mode=evaluate, --'
     'mode=walk, --mode=mix, --mode=truncate, --mode=arithmetic and --mode=dire'
     'ctions; this is --mode=train.'),
    ('project - --count=3', '--count: a flag of --mode=sample, '),
    ('truncate - --fps=3', '--fps: a flag of --mode=walk and --mode=timelap'),
    ('project - --seeds=3', '--seeds: a flag of --mode=sample, --mode=walk, --'
     'mode=mix, --mode=truncate and --mode=directions; this is --mode=project.'
     ),
    ('timelapse - --seed=3', '--seed: a flag of --mode=sample, --mode=evalua'),
    ('timelapse - --labels=3', '--labels: a flag of --mode=sample, --mode=wa'),
    ('walk - --rows=3', '--rows: a flag of --mode=mix; '),
    ('walk - --crossovers=3', '--crossovers: a flag of --mode=mix; '),
    ('mix - --noloop', '--noloop: a flag of --mode=walk; '),
    ('mix - --pictures=a', '--pictures: a flag of --mode=project and --mode=lo'
     'ok; this is --mode=mix.'),
    ('project - --layer=a', '--layer: a flag of --mode=look and --mod'),
    ('sample - --rule=guided', '--rule: a flag of --mode=look; '),
    ('sample - --maps=3', '--maps: a flag of --mode=look; '),
    ('sample - --map=3', '--map: a flag of --mode=look; '),
    ('mix - --steps=3', '--steps: a flag of --mode=project; '),
    ('sample - --w_file=w.npy', '--w_file: a flag of --mode=walk, --mode='
     'mix, --mode=truncate and --mode=directions; '),
    ('mix - --space=w', '--space: a flag of --mode=walk, --mode=arithmetic an'),
    ('mix - --between=z', '--between: a flag of --mode=walk; '),
    ('walk - --terms=3', '--terms: a flag of --mode=arithmetic; '),
    ('walk - --method=pca', '--method: a flag of --mode=directions; '),
    ('walk - --components=3', '--components: a flag of --mode=directions; '),
    ('walk - --samples=3', '--samples: a flag of --mode=directions; '),
    ('walk - --factors=hat', '--factors: a flag of --mode=directions; '),
    ('arithmetic - --seeds=3', '--seeds: a flag of --mode=sample, --mode=walk'),
    # Values that cannot be.
    ('walk - --fps=0', '--fps=0: '),
    ('walk - --seconds=-1', '--seconds=-1: '),
    ('walk - --space=x', "--space: wanted one of z, w, found 'x'"),
    ('walk - --way=round', '--way: wanted one of linear, spherical, f'),
    ('mix - --rows=0', '--rows=0: '),
    ('project - --steps=0', '--steps=0: '),
    ('sample - --cutoff=0', '--cutoff=0: '),
    # Of which run?
    ('walk -', '--workdir: which run?'),
    ('mix -', '--workdir: which run?'),
    ('truncate -', '--workdir: which run?'),
    ('project -', '--workdir: which run?'),
    ('walk points', '--workdir: it draws points of the plane (ring)'),
    # Which checkpoint.
    ('sample plain --checkpoints=9', '--checkpoints: 9, but plain has none; '),
    ('walk plain --checkpoints=best', '--checkpoints: best, but plain has non'),
    ('mix styled --checkpoints=all', "--checkpoints: there is no 'all'; wante"),
    # Where to.
    ('walk styled --out=x.avi', '--out: wanted a file that en'
     "ds in .webp or .gif or .mp4, or a folder for a PNG of each frame, with "
     "'/' behind it, such as --out=frames/, found 'x.avi'."),
    ('walk styled --out=pictures', '--out: pictures has other files than frame'
     "s of a film of ours, such as 'a.png'; wanted a new or an empty folder,"),
    ('walk styled --out=z.npy/', '--out: z.npy is a file; wanted a folder'),
    ('mix styled --out=pictures/', '--out: wanted a file that ends in .png, f'),
    ('mix styled --out=x.jpg', '--out: wanted a file that end'
     "s in .png, found 'x.jpg'."),
    ('truncate styled --out=pictures', '--out: wanted a file '),
    ('walk styled --out=x.gif --fps=60', '--fps: 60, but brow'),
    # How long.
    ('walk styled --seconds=.01', '--seconds: 0.01 with --fps'
     '=30 are 0.3 frames; wanted 2 to 100,000.'),
    ('walk styled --seconds=nan', '--seconds: nan with --fps'),
    ('walk styled --seconds=1e9', '--seconds: 1e+09 with --fp'),
    ('walk styled --count=1', '--count: a walk needs at least 2, f'),
    # Latents.
    ('walk styled --z_file=z.npy --seed=1', '--seed: means no'
     'thing beside --z_file, which has all latents.'),
    ('mix styled --w_file=w.npy --count=1', '--count: means n'
     'othing beside --w_file, which has all latents.'),
    ('mix styled --w_file=w.npy --z_file=z.npy', '--w_file: m'
     'eans nothing beside --z_file; wanted one.'),
    ('walk styled --w_file=z.npy', '--w_file: wanted an array'
     ' [n, 6], found [4, 8] in z.npy.'),
    ('walk styled --w_file=nan.npy', '--w_file: wanted finite'),
    ('walk styled --w_file=no.npy', '--w_file: there is no file no.'),
    ('walk plain --w_file=w.npy', '--w_file: this run has no '
     'mapping network, and so no w; wanted latents, such as --z_file=FILE.'),
    ('walk styled --z_file=w.npy', '--z_file: wanted an array'),
    ('walk styled --seeds=3,4 --seed=1', '--seed: means nothing beside --seed'
     's, which has all latents.'),
    ('sample plain --seeds=3,4 --count=2', '--count: means nothing beside --s'),
    ('mix styled --seeds=3,4 --z_file=z.npy', '--z_file: means nothing beside '
     '--seeds; wanted one.'),
    ('truncate styled --seeds=3,4 --w_file=w.npy', '--w_file: means nothing b'),
    ('walk styled --seeds=3', '--seeds: a walk needs at least 2, found 1.'),
    ('walk styled --seeds=3,x', '--seeds: wanted seeds with commas between th'
     'em, such as 3,17,42, ranges such as 0-9, or a seed'),
    ('mix styled --seeds=3,4,5', '--rows: 3 at the left, and there are 3 late'),
    ('mix styled --w_file=w.npy --rows=4', '--rows: 4 at the '
     'left, and there are 4 latents; '),
    ('walk styled --labels=1', '--labels: 1, but the GAN was t'),
    ('walk classes --labels=3', '--labels: 3 is not a class; wa'),
    ('walk classes --labels=dgo', "--labels: no class 'dgo'; did you mean 'do"
     'g\'? Known: cat,dog,"red, blue".'),
    ('sample classes --labels=red,cat', "--labels: no class 'red'; did you me"
     "an 'red, blue'? "),
    ('mix styled --labels=cat', "--labels: 'cat', but the GAN was trained wit"),
    ('project classes --pictures=pictures --labels=fox', '--labels: no class '),
    # The way.
    ('walk plain --space=w', "--space: 'w', but this GAN has "
     "no mapping network; wanted 'z'."),
    ('walk styled --way=spherical', "--way: 'spherical' needs"
     " latents on a sphere, and w is not on one; wanted 'linear', or --space="),
    ('walk styled --w_file=w.npy --space=z', '--w_file: given'),
    ('walk classes --space=z --labels=0,1', '--labels: a walk in z stays in o'
     'ne class; wanted one, such as --labels=0, or --between=both.'),
    # Between classes.
    ('walk classes --between=class --labels=dog', '--labels: --between=class w'
     'alks from one class to another, and all stops are of class 1; wanted tw'),
    ('walk classes --between=both --labels=dog', '--labels: --between=both wa'),
    ('walk classes --between=z --labels=dog,cat', '--labels: a walk in z stays'
     ' in one class; wanted one, such as --labels=1, or --between=both.'),
    ('walk classes --between=class --count=3', '--count: means nothing beside '
     '--between=class, which has one latent, and a stop for each of --labels.'),
    ('walk classes --between=class --seeds=3,4', '--seeds: 2 latents; wanted o'
     'ne, for what has each class of it.'),
    ('walk classes --between=class --w_file=w.npy', '--w_file: given, but w ha'
     's its class in it, which --between=class changes; wanted z.'),
    ('walk styled --between=class', "--between: 'class', but the GAN was train"
     "ed without classes (config.networks.classes = 0); wanted 'z'."),
    ('walk plain --between=both', "--between: 'both', but the GAN was trained"),
    ('walk styled --between=class --labels=0,1', '--labels: 0,1, but the GAN '),
    ('walk - --between=x', "--between: wanted one of z, class, both, found 'x"),
    # Arithmetic.
    ('arithmetic -', "--terms: which? Such as --terms='3,17,42 - 5,6,7 + 8,9,1"
     "0', of pictures that --mode=sample --seeds=0-99 shows."),
    ('arithmetic - --terms=3', '--workdir: which run?'),
    ('arithmetic plain --terms="3 -"', '--terms: wanted seeds with commas betw'
     'een them, such as 3,17,42, ranges such as 0-9, or a seed'),
    ('arithmetic plain --terms="3;4"', '--terms: wanted seeds with commas be'),
    ('arithmetic plain --terms=1:100000', '--terms: 1:100000: wanted numbers o'
     'f latents of at most 99999, found 100000.'),
    ('arithmetic plain --terms=3 --space=w', "--space: 'w', but this GAN has n"
     "o mapping network; wanted 'z'."),
    ('arithmetic plain --terms=3 --out=x.jpg', '--out: wanted a file that end'),
    ('arithmetic plain --terms=3 --psi=.5', '--psi: 0.5, but truncation needs'),
    ('arithmetic plain --terms=3 --labels=1', '--labels: 1, but the GAN was t'),
    ('arithmetic classes --terms=3:0,4:1 --space=z', '--labels: a sum in z sta'
     'ys in one class; wanted one, such as --labels=0.'),
    ('arithmetic points --terms=3', '--workdir: it draws points of the plane'),
    # Directions.
    ('directions -', '--workdir: which run?'),
    ('directions plain --method=ica', '--method: wanted one of pca, sefa, cla'),
    ('directions plain --components=0', '--components=0: '),
    ('directions plain --components=9 --samples=50', '--components: 9, but the'
     're are at most 8 of 50 samples; wanted fewer, or more samples.'),
    ('directions plain --samples=3', '--components: 10, but there are at most '
     '2 of 3 samples; wanted fewer, or more samples.'),
    ('directions plain --factors=hat', '--factors: means nothing beside --meth'
     'od=pca.'),
    ('directions plain --method=classifier --components=3', '--components: mea'
     'ns nothing beside --method=classifier.'),
    ('directions plain --space=w', "--space: 'w', but this GAN has no mapping"),
    ('directions styled --space=z', "--space: 'z', but pca is of what a mappin"
     "g network gives; wanted 'w', or --method=classifier."),
    ('directions plain --out=z.npy', "--out: 'z.npy' is a file; wanted a fold"),
    ('directions plain --w_file=w.npy', '--w_file: this run has no mapping ne'),
    ('directions points', '--workdir: it draws points of the plane'),
    ('directions plain --labels=1', '--labels: 1, but the GAN was trained wit'),
    # Styles.
    ('mix plain', '--workdir: its GAN has no mapping network, and so no st'
     'yles; wanted one such as stylegan, msg_stylegan or stylegan2.'),
    ('truncate plain', '--workdir: its GAN has no mapping netw'),
    ('sample plain --psi=.7', '--psi: 0.7, but truncation nee'
     "ds a mapping network, which config.networks.name = 'msg_progan' does n"),
    ('walk plain --cutoff=2', '--cutoff: 2, but truncation ne'),
    ('sample styled --cutoff=5', '--cutoff: 5, but this GAN h'
     'as 4 layers with a style.'),
    ('sample styled --psi=1,.5', "--psi: wanted one number, f"
     "ound '1,.5'; --mode=truncate compares several."),
    ('sample styled --psi=half', '--psi: wanted numbers with '
     "commas between them, found 'half'."),
    ('truncate styled --psi=1,,2', '--psi: wanted numbers wit'),
    ('truncate styled --psi=1,nan', '--psi: wanted -100 .. 10'
     '0, found nan.'),
    ('mix styled --crossovers=a', '--crossovers: wanted whole '),
    ('mix styled --crossovers=2,4', '--crossovers: wanted lay'
     'ers that rise, 1 .. 3, found 2,4.'),
    # Pictures.
    ('project styled', '--pictures: which? Such as --pictures='),
    ('project styled --pictures=no.png', '--pictures: there i'
     "s no file or folder 'no.png'; the nearest folder is "),
    ('project styled --pictures=styled', '--pictures: there a'),
    ('project styled --pictures=z.npy', '--pictures: cannot r'
     "ead 'z.npy': not a picture of a format that is read"),
    ('project classes --pictures=pictures', '--labels: this r'
     'un draws 3 classes; wanted those of the pictures, such as --labels=3 '),
    ('project points --pictures=pictures', '--workdir: it dra'),
    # Scores.
    ('sample - --metrics=fid', '--metrics: a flag of --mode=evaluate; this'),
    ('evaluate -', '--workdir: which run? Give one, such as --workdir=runs/qui'
     'ckstart; or two sets of pictures, such as --real=FOLDER --fake=FOLDER.'),
    ('evaluate - --real=pictures', '--workdir: which run? '),
    ('evaluate - --real=pictures --fake=no', '--fake: no file, folder or sou'),
    ('evaluate - --real=pictures --fake=pictures --psi=.5', '--psi: is of a r'),
    ('evaluate - --real=pictures --fake=pictures --count=5', '--count: is of '),
    ('evaluate plain --fake=pictures', '--fake: means nothing beside --workdi'),
    ('evaluate plain --resolution=8', '--resolution: is of --real beside --w'),
    ('evaluate plain --save_stats=a.npz', '--save_stats: means nothing beside'),
    ('evaluate - --real=pictures --save_stats=z.npy', '--save_stats: wanted'),
    ('evaluate - --real=pictures --save_stats=no/a.npz', '--save_stats: no fo'),
    ('evaluate plain --metrics=fit', "--metrics: no metric 'fit'; did you mea"),
    ('evaluate plain --protocol=adda', "--protocol: no protocol 'adda'; did y"),
    ('evaluate plain --features=random', "--features: no features 'random'; d"),
    ('evaluate plain --features=d:plain', "--features: wanted d:RUN:LAYER, su"
     "ch as d:runs/quickstart:score, found 'd:plain'."),
    ('evaluate plain --features=d:plein:score', '--features /'),
    ('evaluate plain --features=d:plain:scare', '--features=scare: D has no s'
     "uch layer; did you mean 'score'? Known: "),
    ('evaluate plain --features=d:points:x', '--features: this D sees points;'),
    ('evaluate - --real=pictures --fake=pictures --features=d:plain:score',
     '--features: D of plain sees pictures of 8 x 8 with 3 channels, and thos'
     'e of pictures are 12 x 9 with 3 channels; wanted the same, such as --re'
     'solution=8.'),
    # Checkpoints; what needs some is in checkpoints_test.py.
    ('checkpoints -', '--workdir: which run?'),
    ('checkpoints no', '--workdir='),
    ('checkpoints plain --keep=0', '--keep=0: 0 is not a posi'),
    ('checkpoints plain --dry_run', '--dry_run: means nothing without --kee'),
    ('checkpoints plain --checkpoints=best', '--checkpoints: means nothing w'),
    ('sample plain --keep=2', '--keep: a flag of --mode=checkpoints; this is'),
    # Probes.
    ('linear_probe -', '--workdir: which run?'),
    ('linear_probe plain --layer=scare', '--layer=scare: D has no such laye'),
    ('linear_probe plain --labels_per_class=1', '--labels_per_class=1: '),
    ('linear_probe plain', "--labels_per_class: 500, but the class '"),
    ('linear_probe points', '--layer: this D sees points'),
    ('walk - --test_count=3', '--test_count: a flag of --mode=linear_probe; '),
    ('evaluate plain --features=inception:1 --weights_file=no', '--weights_fil'
     "e: no file 'no'; wanted the Inception network of FID (91 MB), from http"),
    ('evaluate plain --metrics=is --protocol=local',
     "--metrics: 'is' needs the classes of a classifier, and --features=rando"),
    ('evaluate plain --metrics=polygons', '--metrics: polygons measures again'),
    ('evaluate plain --checkpoints=last', "--checkpoints: there is no 'last';"),
    ('evaluate plain --checkpoints=best', '--checkpoints: best, but plain has'),
    ('evaluate plain --psi=.5', '--psi: 0.5, but truncation needs a mapping'),
    ('evaluate points', '--workdir=points: its GAN draws points; they are cou'),
    ('evaluate plain --real=pictures --count=4', '--fake: pictures of plain are'
     ' 8 x 8 with 3 channels, those of pictures 12 x 9 with 3 channels; wan'),
])
def test_each_mistake_has_its_text_and_writes_nothing(
    run, tmp_path, runs, line, text):
  before = sorted(map(str, runs.rglob('*'))), sorted(os.listdir())
  status, out, err = run(line)
  assert (status, out) == (1, '') and 'Traceback' not in err
  assert err.startswith(f'error: {text}'), err
  assert err.endswith('\n(--debug shows where)\n') and len(err) < 1000
  assert (sorted(map(str, runs.rglob('*'))), sorted(os.listdir())) == before


def test_a_run_that_is_not_there_is_told_with_those_that_are(run):
  status, _, err = run('truncate stiled')
  assert status == 1 and "stiled: no such folder. Did you mean 'styled'?" in err


def test_without_ffmpeg_nothing_is_drawn(run, monkeypatch):
  monkeypatch.setattr(shutil, 'which', lambda name: None)
  monkeypatch.setitem(sys.modules, 'imageio_ffmpeg', None)
  status, _, err = run('walk none --out=x.mp4')
  assert status == 1 and err.startswith(
      "error: --out: a .mp4 needs ffmpeg, which is not on the PATH; run pip "
      "install imageio-ffmpeg, or write a .webp or a .gif.\n")


@pytest.mark.slow
def test_each_mode_writes_its_files_and_says_where(run, tmp_path):
  def made(line):
    status, out, err = run(line)
    assert status == 0, err
    return out.splitlines()

  assert made('walk styled --out=new/x.gif --seconds=1 --fps=5'
              ' --scales --psi=.7') == ['new/x.gif']
  assert made('walk plain --count=2 --fps=2 --noloop') == [
      'plain/walk_0.webp']
  assert made('mix classes --count=2 --rows=1 --seed=3') == [
      'classes/mixing_3.png']
  assert made('truncate styled --w_file=w.npy') == [
      'styled/truncation_w_file.png']
  assert made('sample styled --psi=.5 --cutoff=2 --count=3 '
              '--out=s') == ['s/grid.png']
  assert made('walk styled --seeds=3,17:4,0-1 --seconds=.2 --out=new/frames/'
              ) == ['new/frames/']
  assert sorted(os.listdir('new/frames')) == [
      *(f'frame_{i:05d}.png' for i in range(6)), 'frames.json']
  assert made('truncate classes --seeds=3,17:4 --labels=dog') == [
      'classes/truncation_seeds_3_17i4.png']
  assert made('walk classes --between=class --labels=dog,cat --fps=2 --space=z'
              ) == ['classes/walk_0.webp']
  assert made('walk classes --between=class --seeds=7 --fps=2 --out=c.webp'
              ) == ['c.webp']
  assert made('arithmetic classes --terms="3,4:2 - 5-7 + 8" --scales') == [
      'classes/arithmetic_3_4i2_minus_5-7_plus_8.png',
      'classes/arithmetic_3_4i2_minus_5-7_plus_8_w.npy']
  assert np.load('classes/arithmetic_3_4i2_minus_5-7_plus_8_w.npy'
                 ).shape == (4, 6)
  assert made('arithmetic plain --terms="- 3" --out=new/a.png') == [
      'new/a.png', 'new/a_z.npy']
  assert made('directions styled --components=2 --samples=20 --count=2 '
              '--method=sefa') == [f'styled/directions_sefa/{name}' for name in
                                   ('overview.png', 'sefa_01.png',
                                    'sefa_02.png', 'directions.npz')]
  assert made('walk styled --w_file=styled/directions_sefa/sefa_02_w.npy '
              '--fps=2 --out=d.webp') == ['d.webp']
  assert made('mix styled --seeds=0-4') == ['styled/mixing_seeds_0-4.png']
  assert made('sample classes --seeds=3 --labels=cat,dog') == [
      'classes/samples_seeds_3/grid.png']
  assert made('project classes --labels=1 --pictures=pictures,'
              'pictures/a.png --steps=2 --out=p')[3:] == [
                  'p/projections.png', 'p/projections.json', 'p/w.npy',
                  'p/00000.png']
  assert np.load('p/w.npy').shape == (3, 6)
  film.check('x.gif', 5)
  with Image.open('new/x.gif') as image:
    assert image.n_frames == 1  # Weights of 0 draw the same for all latents.
    assert image.info['duration'] == 1000
