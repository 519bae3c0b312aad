"""What a source holds beyond its commit: patches, folder hashes, and their record."""
