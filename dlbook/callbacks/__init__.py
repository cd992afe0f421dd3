r"""Lo que se puede hacer entre una época y otra: mirar, anotar, guardar, detenerse."""

from dlbook.callbacks.backup_and_restore import BackupAndRestore
from dlbook.callbacks.base import Callback, called
from dlbook.callbacks.csv_logger import CSVLogger
from dlbook.callbacks.early_stopping import EarlyStopping
from dlbook.callbacks.history import History
from dlbook.callbacks.lambda_callback import LambdaCallback
from dlbook.callbacks.learning_rate_scheduler import LearningRateScheduler
from dlbook.callbacks.model_checkpoint import ModelCheckpoint
from dlbook.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from dlbook.callbacks.tensorboard import TensorBoard
from dlbook.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
    "called",
]
