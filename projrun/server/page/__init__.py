"""The web page: its files, how they are sent, and at which paths the page answers."""
