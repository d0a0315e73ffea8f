"""The demo: a good version is rolled out and a bad one rolled back under real traffic; a report says what was seen."""
