default_scope = "mmpretrain"

default_hooks = dict(
    logger=dict(type="LoggerHook", interval=50),
    checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=2, save_best="auto"),
)
env_cfg = dict(mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0), dist_cfg=dict(backend="nccl"))
visualizer = dict(type="UniversalVisualizer", vis_backends=[dict(type="LocalVisBackend")])
randomness = dict(seed=0)
