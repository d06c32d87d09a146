"""Before a launch: prices, how long a stage takes, what services cost, spot or on-demand."""
