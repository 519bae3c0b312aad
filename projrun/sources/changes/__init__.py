"""What a source contains beyond its commit: patches, folder hashes, and their record."""
