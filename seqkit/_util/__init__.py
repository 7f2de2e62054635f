"""Small tools that know nothing of releases: arguments, dtypes, words, files, tables of formats, warnings."""
