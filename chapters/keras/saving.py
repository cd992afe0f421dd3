r"""Guardar y leer, como en ``keras.saving``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["dlbook.saving"],
    CustomObjectScope="dlbook.saving:custom_object_scope",
    load_model="dlbook.saving:load",
    save_model="dlbook.saving:save",
    serialize_keras_object="dlbook.saving:serialize",
    deserialize_keras_object="dlbook.saving:deserialize",
    register_keras_serializable="dlbook.saving:register",
)
