"""The build context of the serving image; the program is the package within."""
