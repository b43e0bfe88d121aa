"""AdamW, with one operation of TensorFlow for what Keras's takes ten passes over the weights for."""

from typing import Any

from textgen.training.backend import keras, tf


class AdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """Keras's AdamW (Loshchilov and Hutter, 2019): the same variables, and the same numbers but for their rounding."""

    def _apply_weight_decay(self, variables: Any) -> None:
        """Do nothing: `update_step` does it."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Let a weight decay, and take a step."""
        rate, index = tf.cast(learning_rate, variable.dtype), self._get_variable_index(variable)
        variable.assign_sub(variable * (self.weight_decay * rate))
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
