# As denoise_tests_sigma25.py, with more or less noise.
_base_ = "denoise_tests_sigma25.py"
protocol = "PSNR and SSIM of 8-bit grey images, no border cropped; fixed noise of sigma 50, not clipped"
denoise_test_pipeline = _base_.denoise_test_pipeline
denoise_test_pipeline[1].sigma = 50
test_dataloader = [
    dict(loader, dataset=dict(loader.dataset, pipeline=denoise_test_pipeline)) for loader in _base_.test_dataloader
]
val_dataloader = test_dataloader[:1]
