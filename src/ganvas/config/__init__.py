"""What a training is: the schema, its bounds, the named recipes and the tricks. No torch here."""

from ganvas.config.overrides import diff, override, setting_names
from ganvas.config.plain import flat, to_dict
from ganvas.config.schema import (
    SCHEMA_VERSION,
    AugmentConfig,
    BudgetConfig,
    Config,
    DataConfig,
    DiscriminatorConfig,
    EngineConfig,
    EvaluateConfig,
    GeneratorConfig,
    LogConfig,
    LossConfig,
    OptimConfig,
    PenaltyConfig,
    StepConfig,
)
from ganvas.config.serialization import from_dict

__all__ = [
    "SCHEMA_VERSION",
    "AugmentConfig",
    "BudgetConfig",
    "Config",
    "DataConfig",
    "DiscriminatorConfig",
    "EngineConfig",
    "EvaluateConfig",
    "GeneratorConfig",
    "LogConfig",
    "LossConfig",
    "OptimConfig",
    "PenaltyConfig",
    "StepConfig",
    "diff",
    "flat",
    "from_dict",
    "override",
    "setting_names",
    "to_dict",
]
