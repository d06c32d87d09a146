"""What was spent: budgets and reservations, the bill, the carbon estimate beside it."""
