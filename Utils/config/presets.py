"""The values that a dataset and a recipe set, where they differ from the defaults."""

PRESETS = {
    "thumos": {"max_seconds": 50.0, "rounded": True},
    "activitynet": {
        "train_subset": "training", "subset": "validation", "framing": "whole",
        "decoder_num_classes": 201, "class_agnostic": True, "anchor_scale": (8.0, 20.0),
        "num_neigh": 10, "train_lr": 1e-4, "num_epoch": 15, "iou_thr": (0.5, 0.6, 0.7),
        "score_loss_weight": 1.0, "boundary_loss_epsilon": 1e-6, "nms_alpha_detect": 0.85,
        "max_detections": 100,
        "tiou": (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    },
    "custom": {
        "recipe": "strong", "val_split": None, "framing": None, "temporal_scale": None,
        "input_feat_dim": None,
        "decoder_num_classes": None, "anchor_scale": None, "bb_hidden_dim": None,
    },
    "demo": {
        "recipe": "strong", "temporal_scale": 256, "stitch_gap": 8, "input_feat_dim": 32,
        "bb_hidden_dim": 64,
        "decoder_num_classes": 7, "num_head_layers": 2, "num_neigh": 8, "batch_size": 16,
        "train_lr": 1e-3, "num_epoch": 12, "steps_per_epoch": 100,
    },
}
# What a recipe sets, overriding the preset of the dataset (docs/strong_recipe.md).
RECIPES = {
    "paper": {},
    "strong": {
        "random_windows": True, "min_inside": 0.6, "mask_padding": True, "feature_dropout": 0.1,
        "batch_size": 8,
        "optimizer": "adamw", "train_lr": 1e-3, "weight_decay": 0.05, "num_epoch": 14,
        "schedule": "cosine", "warmup_steps": 50, "clip_norm": 1.0, "ema": 0.99,
        "checkpoint": "last", "infer_windows": "cover", "infer_clips": True, "clip_margin": 0.1,
        "boundary_power": 0.25, "nms_thr": 1.0, "max_per_class": 2000, "nms_by_class": True,
        "vote_iou": 0.7, "agreement_power": 0.5,
    },
}
SET_BY_RECIPES = {name for recipe in RECIPES.values() for name in recipe}
