"""The worker: claim -> fetch -> phases -> checkpoint -> publish -> answer.

Runs on an instance, in a container, or in this process (`porewatch screen`). Never imports
`porewatch.edge`.
"""

from porewatch import __version__ as __version__
