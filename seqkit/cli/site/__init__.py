"""The documentation site: a guide, recipes, a gallery, a glossary and the reference, built without a network.

=============  ================================================================
`api`          the reference: a page a row of the package's docstring
`frames`       the columns of every frame, in one table
`examples`     the code of the gallery, one function for each picture and widget
`gallery`      what that code draws
`fields`       what stands below a field, found for the reference
`guide`        the notebooks, as they are kept
`mathml`       formulas as the browser's own, without a script from elsewhere
`building`     all of it put together, and Sphinx
`text/`        pages in Markdown, which can be read as they are, too
=============  ================================================================
"""
