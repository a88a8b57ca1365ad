"""Running a program and writing down what it does: the only package that imports TensorFlow."""
