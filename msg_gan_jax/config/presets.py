"""PRESETS: named starting points, each of a paper or of somebody's program.

Where a paper and its code differ, the row says which it follows. A row lists
what differs from the schema's defaults, which are those of `msg_progan`.
"""
from msg_gan_jax.config import high_resolution, tables

# What networks before ProGAN have in common: one scale, plain layers, and
# nothing of ProGAN's own. Their widths are their own, up to any.
_PLAIN = {
    'networks.scales': 'none', 'networks.stddev': 'none',
    'networks.fmap_max': 8192, 'networks.g_norm': 'batch',
    'networks.latent_law': 'normal', 'networks.latent': 128,
    'objective.drift': 0., 'objective.penalty': 'none',
    'objective.loss': 'non_saturating', 'optimizer.name': 'adam',
    'optimizer.g_rate': 2e-4, 'optimizer.d_rate': 2e-4,
    'optimizer.beta1': .5, 'optimizer.beta2': .999,
    'train.batch': 64, 'train.ema_half_life_images': 0.,
    'data.mirror': False,
}

# Kurach et al. 2019 (arXiv:1807.04720) and compare_gan, branch v2: z uniform,
# one z for both updates, no average, spectral norm with the inputs' vector.
_LANDSCAPE = {
    **_PLAIN, 'networks.latent_law': 'uniform', 'train.reuse_latents': True,
}
_SN = {'networks.d_weight_norm': 'spectral_compare_gan'}

# Miyato et al. 2018 (arXiv:1802.05957), table 4, as its authors'
# sngan_projection trains it.
_SNGAN_RESNET = {
    **_PLAIN, 'networks.name': 'resnet_sngan', 'objective.loss': 'hinge',
    'networks.d_weight_norm': 'spectral', 'optimizer.beta1': 0.,
    'optimizer.beta2': .9, 'train.n_dis': 5, 'train.g_batches': 2,
    'optimizer.fall_until_images': 50_000 * 5 * 64, 'data.dequantize': True,
}

# kwotsin/mimicry: Adam (0, .9), 5 D updates, rates that fall to 0 over 100,000
# G updates.
_MIMICRY_TRAINING = {
    **_PLAIN, 'objective.loss': 'hinge',
    'networks.d_weight_norm': 'spectral', 'optimizer.beta1': 0.,
    'optimizer.beta2': .9, 'train.n_dis': 5,
    'optimizer.fall_until_images': 100_000 * 5 * 64,
}
# As it runs: its ReLU works in place, and D's shortcuts read what it left.
_MIMICRY = {
    **_MIMICRY_TRAINING, 'networks.name': 'resnet_mimicry',
    'networks.d_shortcut': 'rectified',
}

# PyTorch-StudioGAN's DCGAN, configs/CIFAR10/DCGAN.yaml: D has plain ReLUs
# (config.py), all batch norms epsilon 1e-4 (utils/ops.py).
_STUDIOGAN = {
    **_PLAIN, 'networks.name': 'dcgan_studiogan', 'networks.d_norm': 'batch',
    'networks.d_slope': 0., 'networks.norm_epsilon': 1e-4, 'train.n_dis': 2,
    'data.mirror': True,
}

_WGAN_GP = {
    'objective.loss': 'wasserstein', 'objective.penalty': 'gradient_penalty',
    'objective.penalty_weight': 10., 'train.n_dis': 5,
}
# Classes of CIFAR-10; G's are in its batch norm.
_OF_TEN = {'networks.classes': 10, 'networks.g_condition': 'batch_norm'}

PRESETS = tables.Table('preset', 'preset', {
    # Karnewar & Wang 2020 (arXiv:1903.06048), sec. 3.1: RMSprop .003, WGAN-GP
    # with ProGAN's drift, φ_simple, a stddev layer in every D block. The
    # decay of RMSprop is not in the paper; .99 is the beta2 of its code's Adam.
    'msg_progan': {},
    # akanimax/BMSG-GAN, train.py and GAN.py: another φ, loss and optimizer
    # than the paper. Its EMA keeps .999 a G step: 693 steps to the half.
    'bmsg_gan': {
        'networks.name': 'bmsg_gan', 'networks.phi': 'lin_cat',
        'networks.stddev': 'last', 'networks.stddev_group': 0,
        'objective.loss': 'relativistic_average_hinge',
        'objective.drift': 0., 'objective.penalty': 'none',
        'optimizer.name': 'adam', 'train.reuse_latents': True,
        'train.batch': 20, 'train.ema_half_life_images': 20 * 692.8,
    },
    # Goodfellow et al. 2014 (arXiv:1406.2661), mnist.yaml of its code: SGD .1,
    # momentum .5 (there rising to .7), both players at once from one z. D's
    # loss is half of ours there, and SGD feels it: D's rate is half instead.
    'vanilla': {
        **_PLAIN, 'networks.name': 'vanilla', 'networks.latent': 100,
        'networks.latent_law': 'uniform', 'networks.g_norm': 'none',
        'optimizer.name': 'sgd', 'optimizer.g_rate': .1,
        'optimizer.d_rate': .05, 'train.batch': 100,
        'train.reuse_latents': True, 'train.update_order': 'joint',
    },
    # Lucic et al. 2018 (arXiv:1711.10337), the network of all its GANs.
    'infogan': {
        **_LANDSCAPE, 'networks.name': 'infogan', 'networks.latent': 64,
        'networks.d_norm': 'batch',
    },
    # Denton et al. 2015 (arXiv:1506.05751), for 32 px: SGD of its code's finer
    # levels, momentum .5 (there rising to .7). Its D loss is a mean over 64
    # reals and 64 fakes, half of ours: so D's rate is half of .02. How long it
    # trains is not published.
    'lapgan': {
        **_PLAIN, 'networks.name': 'lapgan',
        'networks.latent': 100 + 16 * 16 + 32 * 32,
        'networks.latent_law': 'uniform', 'networks.g_norm': 'none',
        'optimizer.name': 'sgd', 'optimizer.g_rate': .02,
        'optimizer.d_rate': .01, 'train.g_batches': 2,
        'train.level_images': 330_000,
    },
    # A small DCGAN for 32 px with 4x4 kernels; Adam as in Radford et al. 2016.
    'dcgan_32': {
        **_PLAIN, 'networks.name': 'dcgan_32', 'networks.latent': 100,
        'networks.d_norm': 'batch', 'train.batch': 128,
    },
    # Radford et al. 2016 (arXiv:1511.06434) and its code: 64 px, z uniform, L2
    # of both players' parameters, moments of the batch for samples.
    'dcgan': {
        **_PLAIN, 'networks.name': 'dcgan', 'networks.latent': 100,
        'networks.latent_law': 'uniform', 'networks.d_norm': 'batch',
        'networks.statistics': 'batch', 'train.batch': 128,
        'objective.d_weight_penalty': 'l2', 'objective.g_weight_penalty': 'l2',
        'objective.d_weight_penalty_weight': 1e-5,
        'objective.g_weight_penalty_weight': 1e-5,
    },
    'dcgan_studiogan': _STUDIOGAN,
    # Arjovsky et al. 2017 (arXiv:1701.07875), main.py of its code: RMSprop
    # 5e-5, all of D's parameters within .01, moments of the batch for samples.
    'wgan': {
        **_PLAIN, 'networks.name': 'dcgan_64', 'networks.latent': 100,
        'networks.d_norm': 'batch', 'networks.statistics': 'batch',
        'objective.loss': 'wasserstein', 'objective.constraint': 'clip',
        'objective.clip': .01,
        'optimizer.name': 'rmsprop', 'optimizer.beta2': .99,
        'optimizer.g_rate': 5e-5, 'optimizer.d_rate': 5e-5,
        'train.n_dis': 5, 'train.n_dis_more': 100,
    },
    # Gulrajani et al. 2017 (arXiv:1704.00028), gan_cifar.py: no norm in D.
    'wgan_gp_dcgan': {
        **_PLAIN, **_WGAN_GP, 'networks.name': 'dcgan_wgan_gp',
        'networks.statistics': 'batch', 'optimizer.g_rate': 1e-4,
        'optimizer.d_rate': 1e-4, 'optimizer.beta2': .9,
    },
    # The same, gan_cifar_resnet.py: its defaults, an auxiliary classifier and
    # conditional batch norm.
    'wgan_gp_resnet': {
        **_PLAIN, **_WGAN_GP, **_OF_TEN, 'networks.name': 'resnet_wgan_gp',
        'networks.d_condition': 'classifier', 'networks.statistics': 'batch',
        'objective.classify_fakes': False, 'objective.g_classes_weight': .1,
        'optimizer.beta1': 0., 'optimizer.beta2': .9, 'train.g_batches': 2,
        'optimizer.fall_until_images': 100_000 * 5 * 64,
        'data.dequantize': True,
    },
    # Mao et al. 2017 (arXiv:1611.04076) in PyTorch-StudioGAN's form.
    'lsgan': {**_STUDIOGAN, 'objective.loss': 'least_squares'},
    # Kodali et al. 2017 (arXiv:1705.07215), with the networks and the form of
    # the penalty of the GAN Landscape.
    'dragan': {
        **_LANDSCAPE, 'networks.name': 'sndcgan',
        'objective.penalty': 'dragan_compare_gan',
        'objective.penalty_weight': 10.,
    },
    # Miyato et al. 2018 (arXiv:1802.05957), tables 2 and 3, setting C.
    'sngan_cnn': {
        **_PLAIN, 'networks.name': 'sngan_cnn',
        'networks.d_weight_norm': 'spectral',
    },
    'sngan_resnet': _SNGAN_RESNET,
    # Miyato & Koyama 2018 (arXiv:1802.05637), same program.
    'cgan_projection': {
        **_SNGAN_RESNET, **_OF_TEN, 'networks.d_condition': 'projection'},
    # Sanyal et al. 2020 (arXiv:1906.04659): SNGAN's ResNet; its training
    # settings are not published, those of sngan_resnet stand in.
    'srn_gan': {
        **_SNGAN_RESNET, 'networks.d_weight_norm': 'stable_rank',
        'networks.stable_rank': .7,
    },
    # Odena et al. 2017 (arXiv:1610.09585), appendix, CIFAR-10.
    'acgan': {
        **_PLAIN, 'networks.name': 'acgan', 'networks.latent': 100,
        'networks.classes': 10, 'networks.g_condition': 'concat',
        'networks.d_condition': 'classifier', 'networks.d_norm': 'batch',
        'train.batch': 100,
    },
    # Mirza & Osindero 2014 (arXiv:1411.1784): labels beside z and colours, here
    # with the small DCGAN of 'dcgan_32'.
    'cgan_concat': {
        **_PLAIN, 'networks.name': 'dcgan_32', 'networks.latent': 100,
        'networks.classes': 10, 'networks.g_condition': 'concat',
        'networks.d_condition': 'concat', 'networks.d_norm': 'batch',
        'train.batch': 128,
    },
    # Kurach et al. 2019, the best of compare_gan's BestModelSNDCGan, FID 25.27.
    'landscape_sndcgan': {
        **_LANDSCAPE, **_SN, 'networks.name': 'sndcgan',
    },
    # BestModelResnetCifar: with SN and GP of weight 1, FID 22.73.
    'landscape_resnet_cifar': {
        **_LANDSCAPE, **_SN, 'networks.name': 'resnet_cifar',
        'objective.penalty': 'gradient_penalty_compare_gan',
        'objective.penalty_weight': 1., 'train.n_dis': 5,
    },
    # BestModelResnet19: CelebA-HQ, SN and GP of weight 1, FID 29.04.
    'landscape_resnet19': {
        **_LANDSCAPE, **_SN, 'networks.name': 'resnet19',
        'objective.penalty': 'gradient_penalty_compare_gan',
        'objective.penalty_weight': 1.,
    },
    'mimicry_sngan32': _MIMICRY,
    'mimicry_cgan_pd32': {
        **_MIMICRY, **_OF_TEN, 'networks.d_condition': 'projection'},
    # The connections of MSG-GAN on the GAN Landscape's networks: this project.
    'msg_sndcgan': {
        **_LANDSCAPE, **_SN, 'networks.name': 'sndcgan',
        'networks.scales': 'all', 'train.ema_half_life_images': 10_000.,
    },
    'msg_resnet': {
        **_MIMICRY_TRAINING, 'networks.name': 'resnet_sngan',
        'networks.scales': 'all',
        'train.ema_half_life_images': 10_000.,
    },
    **high_resolution.ROWS,
})
