r"""Las utilidades de todos los días, como en ``keras.utils``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["chapters.mlp", "chapters.cnn", "chapters.rnn", "dlbook.data"],
    # Como se llamaba antes.
    Sequence="dlbook.data:PyDataset",
    clear_session="dlbook.settings:clear_session",
    set_random_seed="dlbook.check:set_random_seed",
    CustomObjectScope="dlbook.saving:custom_object_scope",
    custom_object_scope="dlbook.saving:custom_object_scope",
    get_custom_objects="dlbook.saving:get_custom_objects",
    register_keras_serializable="dlbook.saving:register",
    serialize_keras_object="dlbook.saving:serialize",
    deserialize_keras_object="dlbook.saving:deserialize",
)
