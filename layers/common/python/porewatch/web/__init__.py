"""The pages: HTML by a function beside the API, from the same use cases.

site        where this site lies, seen from the request
words       what pages say, in the language of who reads them
assets      scripts and styles, under names that change with their content
render      templates and headers
router      the resolver: errors as pages, and who asks
*_pages     one module for each kind of page; sign_in and samples have folders of their own
"""
