# Widen to twice the channels, shrink to the baseline's FLOPs, retrain by the baseline's own protocol: docs/config.md
# has the keys and their defaults. preset="paper" is the setting of the paper, whatever the defaults are.
lwdna = dict()
