# What every restoration config shares: mmagic's loops (several test sets in one run) and iteration-based logs.
default_scope = "mmagic"
val_cfg = dict(type="MultiValLoop")
test_cfg = dict(type="MultiTestLoop")
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=100),
    timer=dict(type="IterTimerHook"),  # mmagic's: mmengine's cannot time several test sets
    checkpoint=dict(type="CheckpointHook", interval=5000, by_epoch=False, max_keep_ckpts=2),
)
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
log_processor = dict(by_epoch=False)
env_cfg = dict(mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0), dist_cfg=dict(backend="nccl"))
randomness = dict(seed=0)
