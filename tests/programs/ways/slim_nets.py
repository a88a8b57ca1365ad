"""tf_slim: arg_scope, layers that rename, normalisation, repeat and stack, shared by scope, model variables."""
import tensorflow.compat.v1 as tf
import tf_slim as slim

tf.disable_v2_behavior()


def net(x, reuse=None, training=True):
    with tf.variable_scope("net", reuse=reuse):
        with slim.arg_scope([slim.conv2d, slim.fully_connected], weights_regularizer=slim.l2_regularizer(0.1)):
            h = slim.conv2d(x, 4, 3, scope="c1")
            h = slim.separable_conv2d(h, 4, 3, depth_multiplier=1, scope="sep")
            h = slim.conv2d_transpose(h, 4, 3, stride=2, scope="up")
            h = slim.flatten(slim.max_pool2d(h, 2, scope="pool"))
            h = slim.repeat(h, 2, slim.fully_connected, 5, scope="fc")
            h = slim.stack(h, slim.fully_connected, [4, 3], scope="stack")
            h = slim.layer_norm(h, scope="ln")
            return slim.fully_connected(h, 1, activation_fn=None, scope="out")


x = tf.placeholder_with_default(tf.ones([1, 4, 4, 3]), [1, 4, 4, 3])
y, again = net(x), net(x, reuse=True)
mv = slim.model_variable("mv", [2], regularizer=slim.l1_regularizer(0.1))
sv = slim.variable("sv", [2], trainable=False)
loss = tf.reduce_sum(y + again) + tf.reduce_sum(mv) + tf.add_n(tf.get_collection("regularization_losses"))
train = slim.training.create_train_op(loss, tf.train.AdamOptimizer(0.1))
