"""The report: one model, one document, three forms.

`assemble` makes `domain.results.report.Report` (pure, except the fields it calls volatile) ->
`document` turns it into sections of prose, tables and figures -> `render_html` and `render_pdf`
print the same document. `summary` gives the terminal the same rows.
"""
