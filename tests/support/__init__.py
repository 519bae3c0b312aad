"""What tests of several areas need: the guard of the home folder, real commands, real servers."""
