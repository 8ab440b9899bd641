# SiamFC with AlexNetV1; the figures are the published recipe's.
model = dict(
    type="lwdna_mm.SiameseNetwork",
    backbone=dict(type="lwdna_mm.AlexNetV1", channels=(96, 256, 384, 384, 256)),
    head=dict(
        type="lwdna_mm.CrossCorrelationHead", scale=1e-3, positive_radius=16, loss=dict(type="lwdna_mm.BalancedBCELoss")
    ),
    localizer=dict(
        type="lwdna_mm.ScaleSearch", scales=3, step=1.0375, rate=0.59, penalty=0.9745, window=0.176, upsample=16
    ),
    exemplar_size=127,
    search_size=255,
    context=0.5,
)
# Exemplar and search image. The exemplar runs once for a whole sequence: FLOPs are those of the search image.
input_shape = [(3, 127, 127), (3, 255, 255)]
amortized = [0]
