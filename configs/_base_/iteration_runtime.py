# default_runtime.py for trainings counted in iterations; no checkpoint is chosen by what is validated.
_base_ = "default_runtime.py"
default_hooks = dict(checkpoint=dict(interval=300, by_epoch=False, save_best=None))
log_processor = dict(by_epoch=False)
