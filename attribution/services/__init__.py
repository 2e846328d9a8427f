"""What attribution does with what it keeps."""
