"""SerializeImage: the picture in S3, decoded, checked and brought to the model's shape."""
