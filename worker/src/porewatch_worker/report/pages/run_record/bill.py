"""What the bill in a report leaves out, and why.

Seconds of a machine are known only when it is gone, and the report is made on the last machine:
its line is not in this bill. `bill.json`, published later, has all of it.
"""

LAST_STAGE = (
    "Machines are billed by the second, 60 seconds at least, with their disks. Useful is what a "
    "checkpoint or a result kept; wasted is what was done after the last checkpoint of a machine "
    "that was lost. The machine that made this report is not in this bill; bill.json beside the "
    "report has the final amount."
)
