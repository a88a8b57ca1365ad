"""What several tests share: children with TensorFlow loaded, and the jobs that run in them."""
