default_scope = "mmengine"
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=1))
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=25), checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=2)
)
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
log_level = "INFO"
load_from = None
resume = False
